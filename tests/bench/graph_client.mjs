// graph_client.mjs - Microsoft's own JavaScript client makes prepared PATCH calls, N at once.
//
// usage: node graph_client.mjs CLIENT_FOLDER GRAPH_URL CALLS.json N    CALLS: [[token, path, body]]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, graphUrl, callsPath, atOnce] = process.argv.slice(2);
const { Client, HTTPMessageHandler, RetryHandler } = createRequire(`${folder}/`)(
	"@microsoft/microsoft-graph-client");

// The client's own sends the token to https hosts of Microsoft only.
class Bearer {
	setNext(next) {
		this.next = next;
	}

	async execute(context) {
		const { token } = context.options;

		context.options.headers = { ...context.options.headers, Authorization: `Bearer ${token}` };
		await this.next.execute(context);
	}
}

function chain(...handlers) {
	handlers.forEach((handler, i) => handlers[i + 1] && handler.setNext(handlers[i + 1]));
	return handlers[0];
}

const client = Client.initWithMiddleware({
	middleware: chain(new Bearer(), new RetryHandler(), new HTTPMessageHandler()),
	baseUrl: `${graphUrl}/`,
});
const calls = JSON.parse(readFileSync(callsPath, "utf8"));
let next = 0;

async function work() {
	while (next < calls.length) {
		const [token, path, body] = calls[next++];

		await client.api(path).option("token", token)
			.header("Prefer", 'IdType="ImmutableId"').patch(body);
	}
}

await Promise.all(Array.from({ length: Number(atOnce) }, work));
