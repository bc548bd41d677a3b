/* browser.js - one Chromium for a story, what goes wrong in its pages, and the story's other half in Python. */
'use strict';
const assert = require('node:assert/strict');
const readline = require('node:readline');
const { chromium } = require('playwright-core');

const LAUNCH = {
	executablePath: '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
		'--disable-background-networking', '--disable-component-update', '--disable-sync'],
};
const WAIT_MS = 30000;
const DESKTOP = { width: 1280, height: 900 };
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const troubles = [];

/* Python does it, e.g. changes rows; what it returned. */
async function ask(name, ...of) {
	process.stdout.write(`${JSON.stringify({ ask: name, of })}\n`);
	const { value, done } = await answers.next();

	assert.ok(!done, `nobody answers ${name}`);
	return JSON.parse(value);
}

/* One line for a thing that was shown to hold. */
async function check(sentence, proof) {
	try {
		await proof();
	} catch (problem) {
		problem.message = `not so: ${sentence}\n${problem.message}`;
		throw problem;
	}
	process.stdout.write(`${sentence}\n`);
}

/* A status that the story asked for is no trouble, though Chromium writes it to the console. */
function watch(page) {
	page.on('pageerror', (problem) => troubles.push(`${page.url()}: ${problem.stack}`));
	page.on('console', (line) => {
		if (['error', 'warning'].includes(line.type()) &&
		    !/^Failed to load resource: .* status of 4\d\d/.test(line.text())) {
			troubles.push(`${page.url()}: ${line.text()}`);
		}
	});
	page.on('crash', () => troubles.push(`${page.url()} crashed`));
}

/* A person's browser: cookies of its own. */
async function openContext(browser, options) {
	const context = await browser.newContext({ viewport: DESKTOP, ...options });

	context.setDefaultTimeout(WAIT_MS);
	context.on('page', watch);
	return context;
}

/* Until proof no longer throws. */
async function eventually(proof) {
	const deadline = Date.now() + WAIT_MS;

	for (;;) {
		try {
			return await proof();
		} catch (problem) {
			if (Date.now() > deadline) {
				throw problem;
			}
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

/* What the page does by its own clock in a while, without waiting so long: page.clock is installed. */
async function soon(page, locator) {
	await eventually(async () => {
		await page.clock.fastForward(1000);
		await locator.waitFor({ timeout: 100 });
	});
}

/* Runs the story, then ends the browser and all else that it began, whatever happened. */
async function tell(story) {
	const browser = await chromium.launch(LAUNCH);
	let status = 0;

	try {
		await story(browser);
		await check('no page wrote an error or broke its policy', () => {
			assert.deepEqual(troubles, []);
		});
	} catch (problem) {
		console.error(problem, troubles);
		status = 1;
	}
	await browser.close();
	process.exit(status);
}

module.exports = { ask, assert, check, eventually, openContext, soon, tell };
