/* round_trip.js - a person connects, synchronises now and disconnects, as people do and with their mistakes. */
'use strict';
const { ask, assert, check, openContext, soon, tell } = require('./browser.js');
const microsoft = require('./microsoft.js');
const { parts } = require('./page.js');

const LATENCY_MS = 2000; /* a page is loaded sooner, however busy the machine is */

/* Microsoft takes its time until that was seen. */
async function meanwhile(...seen) {
	await ask('latency', LATENCY_MS);
	for (const see of seen) {
		await see();
	}
	await ask('latency', 0);
}

/* So that one sees whether it was loaded again. */
function mark(page) {
	return page.evaluate(() => {
		globalThis.isMarked = true;
	});
}

function isMarked(page) {
	return page.evaluate(() => globalThis.isMarked === true);
}

async function denies(page, my) {
	await my.connect.click();
	await microsoft.deny(page);
	await check('who denies access is told so, with a way on', async () => {
		await my.alert.getByText('did not allow access').waitFor();
		await my.connect.waitFor();
	});
}

async function connects(page, my, { email, events }) {
	await check('the page counts while events come into the calendar', async () => {
		await meanwhile(() => my.connect.click(), () => microsoft.consent(page, email),
			() => my.badge('Syncing.*').waitFor(), () => mark(page),
			() => my.badge(`Syncing \\d+ of ${events}`).waitFor(), () => my.progress.waitFor());
	});
	await check('and says Connected by itself in the end', async () => {
		await my.badge('Connected').waitFor();
		assert.ok(await isMarked(page));
	});
	await check('the page says which calendar, how fresh it is and what is in it', async () => {
		const said = await page.getByRole('main').innerText();

		assert.match(said, new RegExp(`Outlook account\\s+${email}`));
		assert.match(said, /Last synchronised\s+just now/);
		assert.match(said, new RegExp(`In your calendar\\s+${events}\\s`));
	});
}

async function goesBack(page, my, { email }) {
	await page.goBack();
	await page.reload();
	await microsoft.consent(page, email);
	await check('a sign-in that was used already is refused with a way on', async () => {
		await my.alert.getByText('all is well').waitFor();
		await my.badge('Connected').waitFor();
	});
	await check('and there is one connection', async () => {
		assert.equal(await ask('connections'), 1);
	});
}

async function synchronises(page, my) {
	await page.clock.install(); // the page was seen to look by itself: no more waiting for it
	await page.goto('/my-schedule');
	await check('Sync now waits, and says how long', async () => {
		assert.ok(await my.sync.isDisabled());
		await my.again.waitFor();
	});
	await ask('age_requests');
	await page.reload();
	await check('Sync now shows that it runs, then that it is done', async () => {
		await meanwhile(() => my.sync.click(), () => my.badge('Syncing.*').waitFor());
		await soon(page, my.badge('Connected'));
		assert.equal(await ask('finished', 'full'), 2);
	});
}

async function disconnects(page, my, { events }) {
	await my.remove.check();
	await meanwhile(() => my.disconnect.click(), () => my.badge('Disconnecting').waitFor());
	await check('the result of a disconnect says what was removed', async () => {
		await soon(page, my.badge('Not connected'));
		await my.status.getByText(`${events} events were removed`).waitFor();
	});
	await check('and one can connect again', () => my.connect.waitFor());
}

tell(async (browser) => {
	const person = await ask('person');
	const context = await openContext(browser, { baseURL: person.baseURL });
	const page = await context.newPage();
	const my = parts(page);

	await page.goto(person.link);
	await check('the link of the host leads to the page, without its token', () => {
		assert.equal(page.url(), `${person.baseURL}/my-schedule`);
	});
	await my.badge('Not connected').waitFor();
	await denies(page, my);
	await connects(page, my, person);
	await goesBack(page, my, person);
	await synchronises(page, my);
	await disconnects(page, my, person);
});
