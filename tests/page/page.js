/* page.js - My Schedule as a person finds it: by role and name, never by markup. */
'use strict';

function parts(page) {
	return {
		/* When one may ask again: with its day, where that is tomorrow. */
		again: page.getByText(
			/Possible again at (\d+ \w+ \d{4}, )?\d+:\d+:\d+ \w+, in \d+ s/),
		alert: page.getByRole('alert'),
		/* The badge once it says so, whatever icon stands before the words. */
		badge: (words) => page.locator('[data-status]').filter(
			{ hasText: new RegExp(`^\\W*${words}\\s*$`) }),
		connect: page.getByRole('link', { name: /^Connect Outlook Calendar/ }),
		disconnect: page.getByRole('button', { name: 'Disconnect', exact: true }),
		keep: page.getByRole('radio', { name: /keep/i }),
		progress: page.getByRole('progressbar', { name: 'Assignments synchronised' }),
		reconnect: page.getByRole('link', { name: /^Reconnect Outlook Calendar/ }),
		remove: page.getByRole('radio', { name: /remove/i }),
		status: page.getByRole('status'),
		sync: page.getByRole('button', { name: 'Sync now', exact: true }),
	};
}

module.exports = { parts };
