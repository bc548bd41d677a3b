/* style.c - the style sheet of the pages that people see. */
#include "tests/fake/style.h"

#include "common/html.h"

static const char CSS[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--dim:#5c6670;--line:#dfe3e8;--back:#f4f6f8;"
    "--card:#fff;--accent:#0f5fc2}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--dim:#9aa4af;--line:#343b43;"
    "--back:#15181c;--card:#1e2329;--accent:#6cabf7}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);"
    "font:15px/1.45 'Segoe UI',system-ui,-apple-system,Roboto,sans-serif}"
    "a{color:var(--accent)}h1{font-size:1.4rem;font-weight:600;margin:0}";

void style_open_page(struct buf *page, const char *title, const char *css)
{
	buf_text(page,
		 "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
	html_escape(page, title);
	buf_text(page, "</title><style>");
	buf_text(page, CSS);
	buf_text(page, css);
	buf_text(page, "</style></head><body>\n");
}

void style_close_page(struct buf *page)
{
	buf_text(page, "</body></html>\n");
}
