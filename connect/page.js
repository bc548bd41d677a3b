// page.js - My Schedule without reloading: asks for the page as it is now, takes over what differs.
//
// Every word is the server's.  Elements stay the same ones, and with them the focus, a choice that
// was made and the region that screen readers listen to.

const isEmbedded = document.documentElement.dataset.embedded !== undefined;
const PAGE = isEmbedded ? "/my-schedule?embedded=1" : "/my-schedule";
const SYNC = "/api/calendar/sync";
const QUICK_MS = 2000; // after a change, and while something runs that changes
const BUSY_MOST_MS = 5000; // between two looks while something runs
const CALM_MOST_MS = 30000;
const EAGER_MS = 5 * 60000; // after somebody went to connect in another tab
const IDLE_MS = 30 * 60000; // nobody touched the page: it stops asking

const main = document.querySelector("main");
let timer;
let delay = QUICK_MS;
let isAsking = false;
let isOver = false; // signed out: nothing more to be seen from here
let touchedAt = Date.now();
let eagerUntil = 0;
let countdownEnd = 0;

// ---- taking over a newer page ----

const isWord = (node) => node.nodeType === Node.ELEMENT_NODE || node.nodeValue.trim() !== "";

const isSame = (a, b) => a.nodeName === b.nodeName && a.id === b.id
	&& a.getAttribute?.("action") === b.getAttribute?.("action");

function takeAttributes(old, next) {
	for (const { name } of [...old.attributes]) {
		if (!next.hasAttribute(name)) old.removeAttribute(name);
	}
	for (const { name, value } of next.attributes) {
		if (old.getAttribute(name) !== value) old.setAttribute(name, value);
	}
}

function take(old, next) {
	if (old.nodeName === "NOSCRIPT" || old.isEqualNode(next)) return;
	if (old.nodeType === Node.TEXT_NODE) {
		old.nodeValue = next.nodeValue;
		return;
	}
	takeAttributes(old, next);
	const left = [...old.childNodes].filter(isWord);
	for (const child of [...next.childNodes].filter(isWord)) {
		const at = left.findIndex((node) => isSame(node, child));
		if (at < 0) {
			old.insertBefore(document.importNode(child, true), left[0] ?? null);
			continue;
		}
		for (const gone of left.splice(0, at)) gone.remove();
		take(left.shift(), child);
	}
	for (const gone of left) gone.remove();
}

const alerts = (root) => root.querySelector("#alerts");
const status = (root) => root.querySelector("#badge")?.dataset.status;
const words = (selector) => main.querySelector(selector)?.textContent;
const meaning = () => words("#badge") + words("#news");

function startCountdown() {
	const countdown = main.querySelector("[data-countdown]");
	countdownEnd = countdown ? Date.now() + countdown.textContent * 1000 : 0;
}

// What a person was told stays until the connection is in another state, or until they ask again.
function show(page) {
	const before = meaning();
	if (status(main) === status(page) && alerts(page).childElementCount === 0) {
		alerts(page).replaceWith(alerts(main).cloneNode(true));
	}
	take(main, page.querySelector("main"));
	document.title = page.title;
	if (meaning() !== before) delay = QUICK_MS;
	startCountdown();
}

// ---- asking ----

const isBusy = () => main.dataset.busy !== undefined;

function plan() {
	const isIdle = Date.now() - touchedAt > IDLE_MS;
	const most = isBusy() || Date.now() < eagerUntil ? BUSY_MOST_MS : CALM_MOST_MS;
	clearTimeout(timer);
	if (isOver || document.hidden || isIdle) return;
	timer = setTimeout(look, Math.min(delay, most));
	delay = Math.min(delay * 1.5, CALM_MOST_MS);
}

const parse = (html) => new DOMParser().parseFromString(html, "text/html");

// The page as it is now; null where the server, or something before it, has none.
async function ask() {
	try {
		const answer = await fetch(PAGE, { cache: "no-store" });
		const page = answer.status < 500 ? parse(await answer.text()) : null;
		if (!page || !alerts(page)) return null;
		isOver = !answer.ok;
		return page;
	} catch {
		return null;
	}
}

async function look() {
	if (isAsking || isOver) return;
	isAsking = true;
	clearTimeout(timer);
	const page = await ask();
	if (page) {
		show(page);
	} else {
		main.querySelector("#unreachable").hidden = false;
	}
	isAsking = false;
	plan();
}

function lookSoon() {
	delay = QUICK_MS;
	if (!document.hidden) look();
}

// ---- what people do ----

async function sync(form) {
	const button = form.querySelector("button");
	const fields = new URLSearchParams(new FormData(form));
	button.setAttribute("aria-disabled", "true");
	try {
		const answer = await fetch(SYNC, { method: "POST", body: fields });
		take(alerts(main), alerts(parse(await answer.text())));
	} catch {
		form.submit(); // the browser's own page says what is wrong
		return;
	}
	lookSoon();
}

document.addEventListener("submit", (event) => {
	const form = event.target;
	if (form.getAttribute("action") !== SYNC) return;
	event.preventDefault();
	if (form.querySelector("button[aria-disabled]") === null) sync(form);
});

document.addEventListener("click", (event) => {
	if (event.target.closest("a[target=_blank]")) {
		eagerUntil = Date.now() + EAGER_MS;
		delay = QUICK_MS;
		plan();
	}
});

for (const kind of ["pointerdown", "keydown"]) {
	document.addEventListener(kind, () => {
		const wasIdle = Date.now() - touchedAt > IDLE_MS;
		touchedAt = Date.now();
		if (wasIdle) lookSoon();
	}, { passive: true });
}
document.addEventListener("visibilitychange", () => {
	if (document.hidden) {
		clearTimeout(timer);
	} else {
		touchedAt = Date.now();
		lookSoon();
	}
});
window.addEventListener("focus", lookSoon);
window.addEventListener("pageshow", (event) => event.persisted && lookSoon());

setInterval(() => {
	const countdown = main.querySelector("[data-countdown]");
	if (!countdown || countdownEnd === 0 || document.hidden) return;
	countdown.textContent = Math.max(0, Math.ceil((countdownEnd - Date.now()) / 1000));
	if (Date.now() >= countdownEnd) {
		countdownEnd = 0;
		lookSoon();
	}
}, 1000);

startCountdown();
plan();
