/* keyboard.js - the page without a mouse, and while it changes by itself under somebody's hands. */
'use strict';
const { ask, assert, check, openContext, soon, tell } = require('./browser.js');
const { parts } = require('./page.js');

/* What has the focus: its name for people, and whether one sees that it has it. */
function focused(page) {
	return page.evaluate(() => {
		const at = document.activeElement;
		const { outlineStyle, outlineWidth } = getComputedStyle(at);

		return {
			name: (at.labels?.[0] ?? at).innerText.trim(),
			isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
		};
	});
}

/* The names of what Tab reaches one after the other, until it leaves the page. */
async function tabStops(page) {
	const names = [];

	for (;;) {
		await page.keyboard.press('Tab');
		if (await page.evaluate(() => document.activeElement === document.body)) {
			return names;
		}
		const { name, isSeen } = await focused(page);

		assert.ok(isSeen, `no focus is seen on ${name}`);
		assert.ok(names.length < 20, `Tab never leaves the page: ${names}`);
		names.push(name);
	}
}

tell(async (browser) => {
	const { baseURL, link } = await ask('stage');
	const page = await (await openContext(browser, { baseURL })).newPage();
	const my = parts(page);

	async function open(scene) {
		await ask('play', scene);
		await page.goto('/my-schedule');
	}

	await page.clock.install();
	await page.goto(link);
	for (const [scene, stops] of [
		['not-connected', ['Connect Outlook Calendar']],
		['connected', ['Sync now', 'keep them', 'Disconnect']],
		['needs-reconnect', ['Reconnect Outlook Calendar', 'Sync now', 'keep them', 'Disconnect']],
	]) {
		await open(scene);
		await check(`Tab goes through a page that is ${scene} in order`, async () => {
			assert.deepEqual(await tabStops(page), stops);
		});
	}

	await open('syncing');
	const region = await my.status.elementHandle();
	const before = await region.textContent();

	await my.keep.focus();
	await page.keyboard.press('ArrowDown');
	for (const [words, ...change] of [
		['Syncing 20 of 40', 'progress', 20], ['Syncing 31 of 40', 'progress', 31],
		['Connected', 'finish'],
	]) {
		await ask(...change);
		await check(`the page says ${words} by itself and takes nothing away`, async () => {
			await soon(page, my.badge(words));
			assert.equal((await focused(page)).name, 'remove them');
			assert.ok(await my.remove.isChecked());
		});
	}
	await check('what is news comes into the region that was there all the time', async () => {
		assert.ok(await region.evaluate((element) => element.isConnected));
		assert.notEqual(await region.textContent(), before);
	});

	await open('connected');
	await my.sync.focus();
	await page.keyboard.press('Enter');
	await check('Enter on Sync now files one, and the focus stays', async () => {
		await soon(page, my.badge('Syncing'));
		assert.deepEqual(await ask('filed', 'full'), ['requested']);
		assert.equal((await focused(page)).name, 'Sync now');
	});
	await check('Enter once more files nothing', async () => {
		assert.ok(await my.sync.isDisabled());
		await page.keyboard.press('Enter');
		await ask('finish');
		await soon(page, my.badge('Connected'));
		assert.deepEqual(await ask('filed', 'full'), ['done']);
	});

	await my.keep.focus();
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await check('Enter on Disconnect files what was chosen', async () => {
		await my.badge('Disconnecting').waitFor();
		assert.deepEqual(await ask('filed', 'disconnect'), ['requested']);
	});
});
