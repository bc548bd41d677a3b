/* without_script.js - the same page for somebody whose browser runs no scripts: forms do it all. */
'use strict';
const { ask, assert, check, eventually, openContext, tell } = require('./browser.js');
const microsoft = require('./microsoft.js');
const { parts } = require('./page.js');

tell(async (browser) => {
	const { baseURL, link, email, events } = await ask('person');
	const context = await openContext(browser, { baseURL, javaScriptEnabled: false });
	const page = await context.newPage();
	const my = parts(page);

	/* By hand: nobody waits for the page to do it. */
	async function reloadUntil(proof) {
		await eventually(async () => {
			await page.goto('/my-schedule');
			await proof();
		});
	}
	async function says(words) {
		assert.equal(await my.badge(words).count(), 1, words);
	}

	await page.goto(link);
	await my.connect.click();
	await microsoft.consent(page, email);
	await check('without a script one connects', () => my.badge('Syncing.*|Connected').waitFor());
	await reloadUntil(() => says('Connected'));
	await check('without a script one synchronises', async () => {
		await ask('age_requests');
		await page.reload();
		await my.sync.click();
		await page.waitForURL('/my-schedule');
		await reloadUntil(async () => assert.equal(await ask('finished', 'full'), 2));
	});
	await check('who asks again too soon is told when', async () => {
		await reloadUntil(() => says('Connected'));
		await my.again.waitFor();
		await my.sync.press('Enter');
		await my.alert.getByText('less than a minute ago').waitFor();
	});
	await check('without a script one disconnects', async () => {
		await my.keep.check();
		await my.disconnect.click();
		await page.waitForURL('/my-schedule');
		await reloadUntil(() => says('Not connected'));
		await my.status.getByText(`${events} events stay in it, as you asked`).waitFor();
	});
});
