/* microsoft.js - what a person clicks at the fake Microsoft. */
'use strict';

async function consent(page, email) {
	await page.getByRole('link', { name: email }).click();
}

async function deny(page) {
	await page.getByRole('link', { name: 'Deny' }).click();
}

module.exports = { consent, deny };
