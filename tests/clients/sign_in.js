// sign_in.js - signs a person in with Microsoft's own library, as a web application does.
"use strict";
const { ConfidentialClientApplication, CryptoProvider } = require("@azure/msal-node");

// What tests/e2e/test_clients.py says of the world.
const world = JSON.parse(process.argv[2]);
const SCOPES = [
	"https://graph.microsoft.com/Calendars.ReadWrite",
	"https://graph.microsoft.com/User.Read",
];

// An application of the library; credential is clientSecret, clientCertificate or clientAssertion,
// which the library asks for each time, as from a file that is replaced.
function newApplication({ ...credential }) {
	const assertion = credential.clientAssertion;
	if (assertion) {
		credential.clientAssertion = async () => assertion;
	}
	return new ConfidentialClientApplication({
		auth: {
			clientId: world.client_id,
			authority: `${world.url}/${world.tenant}/`,
			knownAuthorities: [new URL(world.url).host],
			...credential,
		},
	});
}

// The query of the callback, as the browser of a person who consents brings it back.
async function consent(application, question) {
	const url = await application.getAuthCodeUrl({
		scopes: SCOPES,
		redirectUri: world.redirect_uri,
		prompt: "select_account",
		...question,
	});
	const answer = await fetch(`${url}&fake_account=${encodeURIComponent(world.account)}`, {
		redirect: "manual",
	});
	return Object.fromEntries(new URL(answer.headers.get("location")).searchParams);
}

// From the question to tokens; nonce is what the id_token is expected to hold.
async function signIn(application, nonce = "n-1") {
	const pkce = await new CryptoProvider().generatePkceCodes();
	const back = await consent(application, {
		state: "s-1",
		nonce: "n-1",
		codeChallenge: pkce.challenge,
		codeChallengeMethod: "S256",
	});
	const request = {
		code: back.code,
		scopes: SCOPES,
		redirectUri: world.redirect_uri,
		codeVerifier: pkce.verifier,
		state: "s-1",
	};
	const tokens = await application.acquireTokenByCode(request, { ...back, nonce });
	return { request, tokens };
}

function control(path, body) {
	return fetch(`${world.url}/control/${path}`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify(body),
	});
}

module.exports = { SCOPES, control, newApplication, signIn, world };
