/* embedded.js - the page in a frame of its host's page, and of one that is not its host's. */
'use strict';
const http = require('node:http');
const { ask, check, openContext, soon, tell } = require('./browser.js');
const microsoft = require('./microsoft.js');
const { parts } = require('./page.js');

/* Somebody's page with My Schedule in it. */
function serve(port, address) {
	const server = http.createServer((_request, response) => {
		response.setHeader('Content-Type', 'text/html');
		response.end(`<!doctype html><title>Planning</title><iframe title="My Schedule" ` +
			`src="${address}" width="400" height="600"></iframe>`);
	});

	return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}

tell(async (browser) => {
	const { baseURL, link, email, hosts } = await ask('stage');
	const context = await openContext(browser, { baseURL });
	const page = await context.newPage();
	const my = parts(page.frameLocator('iframe'));

	for (const { port } of Object.values(hosts)) {
		await serve(port, `${baseURL}/my-schedule`);
	}
	await page.clock.install();
	await ask('play', 'not-connected');
	await page.goto(link);
	await check('a page that is listed shows it, signed in', async () => {
		await page.goto(hosts.listed.url);
		await my.badge('Not connected').waitFor();
	});
	await check('Microsoft refuses frames: it gets a tab of its own', async () => {
		const opened = context.waitForEvent('page');

		await my.connect.click();
		const tab = await opened;

		await microsoft.consent(tab, email);
		await parts(tab).badge('Syncing').waitFor();
		await tab.close();
	});
	await check('and the frame shows what came of it by itself', async () => {
		await soon(page, my.badge('Syncing'));
	});
	await check('its forms work there', async () => {
		await my.disconnect.click();
		await my.badge('Disconnecting').waitFor();
	});
	await check('a page that is not listed may not show it', async () => {
		const stranger = await browser.newPage(); // where Chromium complains, as it should
		const refusal = stranger.waitForEvent('console', (line) => /frame-ancestors/.test(line.text()));

		await stranger.goto(hosts.stranger.url);
		await refusal;
	});
});
