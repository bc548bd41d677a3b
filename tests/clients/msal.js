// msal.js - @azure/msal-node signs in, refreshes, and is told what went wrong.
"use strict";
const assert = require("node:assert/strict");
const { SCOPES, control, newApplication, signIn, world } = require("./sign_in.js");

function refreshTokenOf(application) {
	const cache = JSON.parse(application.getTokenCache().serialize());
	return Object.values(cache.RefreshToken)[0].secret;
}

async function testSignIn(application) {
	const { request, tokens } = await signIn(application);
	assert.equal(tokens.account.username, world.account);
	assert.equal(tokens.account.homeAccountId, `${tokens.idTokenClaims.oid}.${world.tenant}`);
	assert.equal(tokens.idTokenClaims.nonce, "n-1");
	assert.deepEqual([...tokens.scopes].sort(), SCOPES);
	await assert.rejects(application.acquireTokenByCode(request), {
		errorCode: "invalid_grant",
		errorNo: 54005,
	});
	await assert.rejects(signIn(application, "n-2"), { errorCode: "nonce_mismatch" });
	return tokens;
}

async function testRefresh(application, { account, accessToken }) {
	const silent = await application.acquireTokenSilent({ account, scopes: SCOPES });
	assert.equal(silent.accessToken, accessToken);
	assert.ok(silent.fromCache);
	const forced = await application.acquireTokenSilent({
		account,
		scopes: SCOPES,
		forceRefresh: true,
	});
	assert.notEqual(forced.accessToken, accessToken);
	const refreshToken = refreshTokenOf(application);
	const fresh = await application.acquireTokenByRefreshToken({ refreshToken, scopes: SCOPES });
	assert.notEqual(fresh.accessToken, forced.accessToken);
	return refreshToken;
}

// Whatever the application proves itself with, a code and a refresh token bring tokens.
async function testCredentials() {
	for (const credential of world.credentials) {
		const application = newApplication(credential);
		await signIn(application);
		const fresh = await application.acquireTokenByRefreshToken({
			refreshToken: refreshTokenOf(application),
			scopes: SCOPES,
		});
		assert.equal(fresh.account.username, world.account);
	}
}

async function testErrors(application, refreshToken) {
	const stranger = newApplication({ clientSecret: "wrong" });
	await assert.rejects(
		stranger.acquireTokenByRefreshToken({ refreshToken, scopes: SCOPES }),
		{ name: "ServerError", errorCode: "invalid_client", errorNo: 7000215 },
	);
	await assert.rejects(
		application.acquireTokenByRefreshToken({
			refreshToken,
			scopes: ["https://graph.microsoft.com/MailboxSettings.ReadWrite"],
		}),
		{ name: "InteractionRequiredAuthError", subError: "consent_required" },
	);
	await control("revoke", { account: world.account });
	await assert.rejects(
		application.acquireTokenByRefreshToken({ refreshToken, scopes: SCOPES }),
		{ name: "InteractionRequiredAuthError", errorCode: "invalid_grant", subError: "bad_token" },
	);
}

async function main() {
	const application = newApplication(world.credentials[0]);
	const tokens = await testSignIn(application);
	const refreshToken = await testRefresh(application, tokens);
	await testCredentials();
	await testErrors(application, refreshToken);
}

main();
