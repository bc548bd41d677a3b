/* server.c - what all handlers need: the origin, answers, records. */
#include "tests/fake/server.h"

#include <stdio.h>
#include <string.h>

#define POLICY "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

void server_base_url(const struct httpd_request *request, char base[SERVER_BASE_SIZE])
{
	const char *host = httpd_header(request, "Host");
	const char *proto = httpd_header(request, "X-Forwarded-Proto");
	bool is_tls = proto != NULL && strcmp(proto, "https") == 0;

	if (host == NULL || strlen(host) > 255 || strpbrk(host, "/<>\"'\\ ") != NULL) {
		host = "localhost";
	}
	snprintf(base, SERVER_BASE_SIZE, "%s://%s", is_tls ? "https" : "http", host);
}

void server_reply_json(struct httpd_request *request, int status, struct buf *document)
{
	if (document->failed) {
		httpd_reply_text(request, 500, "the answer is too large\n");
	} else {
		httpd_reply(request, status, "application/json; charset=utf-8",
			    buf_string(document), document->length);
	}
	buf_close(document);
}

void server_reply_page(struct httpd_request *request, int status, struct buf *page)
{
	httpd_reply_header(request, "Content-Security-Policy", POLICY);
	httpd_reply_header(request, "Cache-Control", "no-store");
	if (page->failed) {
		httpd_reply_text(request, 500, "the page is too large\n");
	} else {
		httpd_reply(request, status, "text/html; charset=utf-8", buf_string(page),
			    page->length);
	}
	buf_close(page);
}

void server_note(struct server *server, const struct journal_record *record)
{
	char status[8];

	journal_add(&server->world.journal, record);
	snprintf(status, sizeof status, "%d", record->status);
	metric_add(server->requests_total, (const char *const[]){kind_name(record->kind), status},
		   1);
}
