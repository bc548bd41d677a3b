// graph.js - @microsoft/microsoft-graph-client keeps a calendar.
"use strict";
const assert = require("node:assert/strict");
const { Client, PageIterator } = require("@microsoft/microsoft-graph-client");
const { control, newApplication, signIn, world } = require("./sign_in.js");

const PREFER = 'IdType="ImmutableId"';

function event(assignment) {
	return {
		subject: "Acme",
		body: { contentType: "text", content: "confirmed" },
		isAllDay: true,
		start: { dateTime: "2026-03-02T00:00:00", timeZone: "Europe/Berlin" },
		end: { dateTime: "2026-03-03T00:00:00", timeZone: "Europe/Berlin" },
		transactionId: `t-${assignment}`,
		singleValueExtendedProperties: [{ id: world.property, value: assignment }],
	};
}

function newClient(accessToken) {
	return Client.initWithMiddleware({
		authProvider: { getAccessToken: async () => accessToken },
		baseUrl: `${world.url}/`,
		customHosts: new Set([new URL(world.url).hostname]),
	});
}

function events(client, path = "") {
	return client.api(`/me/events${path}`).header("Prefer", PREFER);
}

async function testOneEvent(client) {
	assert.equal((await client.api("/me").get()).mail, world.account);
	const made = await events(client).post(event("a-1"));
	const path = `/${made.id}`;
	assert.equal((await events(client, path).get()).subject, "Acme");
	const changed = await events(client, path)
		.header("If-Match", made["@odata.etag"])
		.patch({ subject: "Better" });
	assert.equal(changed.subject, "Better");
	await assert.rejects(
		events(client, path).header("If-Match", made["@odata.etag"]).patch({ subject: "Late" }),
		{ name: "Error", statusCode: 412, code: "ErrorIrresolvableConflict" },
	);
	await events(client, path).delete();
	await assert.rejects(events(client, path).get(), { statusCode: 404, code: "ErrorItemNotFound" });
}

async function testBatch(client) {
	const requests = [...Array(12).keys()].map((number) => ({
		id: String(number),
		method: "POST",
		url: "/me/events",
		headers: { "Content-Type": "application/json", Prefer: PREFER },
		body: event(`b-${number}`),
	}));
	const answer = await client.api("/$batch").post({ requests });
	assert.deepEqual(new Set(answer.responses.map((one) => one.status)), new Set([201]));
}

async function testList(client) {
	const any = `singleValueExtendedProperties/Any(ep: ep/id eq '${world.property}'`;
	const one = await events(client)
		.filter(`${any} and ep/value eq 'b-3')`)
		.select("id,subject")
		.expand(`singleValueExtendedProperties($filter=id eq '${world.property}')`)
		.get();
	assert.equal(one.value.length, 1);
	assert.equal(one.value[0].singleValueExtendedProperties[0].value, "b-3");
	const first = await events(client).filter(`${any} and ep/value ne null)`).top(5).get();
	assert.ok(first["@odata.nextLink"].startsWith(`${world.url}/v1.0/me/events?`));
	const ids = [];
	await new PageIterator(client, first, (found) => Boolean(ids.push(found.id))).iterate();
	assert.equal(new Set(ids).size, 12);
}

async function testThrottled(client) {
	await control("faults", { on: "create", do: "throttle", retry_after: 1 });
	const made = await events(client).post(event("c-1"));
	assert.equal(made.subject, "Acme");
}

async function main() {
	const { tokens } = await signIn(newApplication(world.credentials[0]));
	const client = newClient(tokens.accessToken);
	await testOneEvent(client);
	await testBatch(client);
	await testList(client);
	await testThrottled(client);
}

main();
