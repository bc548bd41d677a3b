/* states.js - each state of the page, in both colour schemes and at both widths: it says what it is, axe
 * finds nothing, nothing has to be scrolled sideways; and a picture of it is left behind. */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { ask, assert, check, openContext, tell } = require('./browser.js');
const { parts } = require('./page.js');

const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 320, height: 640 };
const LOOKS = {
	'light-desktop': { colorScheme: 'light', viewport: WIDE },
	'dark-phone': { colorScheme: 'dark', viewport: NARROW },
	'light-phone': { colorScheme: 'light', viewport: NARROW },
	'dark-desktop': { colorScheme: 'dark', viewport: WIDE },
};
/* Colours depend on the scheme and places on the width: axe need not see all four. */
const JUDGED = [LOOKS['light-desktop'], LOOKS['dark-phone']];

async function take(page, { colorScheme, viewport }) {
	await page.emulateMedia({ colorScheme });
	await page.setViewportSize(viewport);
}

/* One line per rule that the page breaks as it is now. */
async function violations(page) {
	const { violations: found } = await page.evaluate(() => globalThis.axe.run());

	return found.map(({ id, help, nodes }) => `${id}: ${help}: ${
		nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)}`);
}

async function tooWide(page) {
	const excess = await page.evaluate(() => {
		const { scrollWidth, clientWidth } = document.scrollingElement;

		return scrollWidth - clientWidth;
	});

	return excess > 0 ? [`${excess} px too wide`] : [];
}

/* With the text alone twice as big. */
async function tooWideEnlarged(page) {
	await page.setViewportSize(NARROW);
	await page.evaluate(() => {
		document.documentElement.style.fontSize = '200%';
	});
	return (await tooWide(page)).map((what) => `enlarged: ${what}`);
}

/* All that is wrong in these looks. */
async function judge(page, looks) {
	const found = [];

	await page.evaluate(AXE);
	for (const look of looks) {
		await take(page, look);
		found.push(...await violations(page), ...await tooWide(page));
	}
	return found;
}

async function photograph(page, name, folder) {
	for (const [suffix, look] of Object.entries(LOOKS)) {
		await take(page, look);
		await page.screenshot({ path: path.join(folder, `${name}-${suffix}.png`), fullPage: true });
	}
}

tell(async (browser) => {
	const { baseURL, link, scenes, codes, folder } = await ask('stage');
	const page = await (await openContext(browser, { baseURL })).newPage();
	const my = parts(page);
	const found = [];

	async function open(address) {
		const answer = await page.goto(address);
		const policy = answer.headers()['content-security-policy'];

		assert.match(policy, /default-src 'none'/, address);
		assert.doesNotMatch(policy, /unsafe-/, address);
	}

	async function show(name, looks, proof) {
		await check(name, proof);
		const wrong = await judge(page, looks);

		if (looks.length > 1) {
			await photograph(page, name, folder);
		}
		wrong.push(...await tooWideEnlarged(page));
		found.push(...wrong.map((what) => `${name}: ${what}`));
	}

	await open('/my-schedule');
	await show('signed-out', JUDGED, () => my.alert.getByText('not signed in').waitFor());
	await page.goto(link);
	for (const [name, words] of scenes) {
		await ask('play', name);
		await open('/my-schedule');
		await show(name, JUDGED, () => my.badge(words).waitFor());
	}
	await ask('play', 'not-connected');
	for (const [number, code] of codes.entries()) {
		/* They differ in words alone: a look each is enough, and one picture of all. */
		const looks = number === 0 ? JUDGED : [JUDGED[number % 2]];

		await open(`/my-schedule?error=${code}`);
		await show(`error-${code}`, looks, () => my.alert.waitFor());
	}
	await check('axe finds nothing, and nothing is too wide, in any state', () => {
		assert.deepEqual(found, []);
	});
});
