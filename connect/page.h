/* page.h - My Schedule as HTML: values in, a document out, everything from outside escaped. */
#ifndef CALRELAY_CONNECT_PAGE_H
#define CALRELAY_CONNECT_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "connect/view.h"
#include "connect/words.h"

#define PAGE_MAX_BYTES 65536
#define PAGE_PATH      "/my-schedule"
#define PAGE_CSS_PATH  "/my-schedule.css"
#define PAGE_JS_PATH   "/my-schedule.js"

/* Set for the ten minutes after another mailbox took the place of the one before. */
#define PAGE_REPLACED_COOKIE "calrelay_replaced"
#define PAGE_REPLACED                                                                              \
	PAGE_REPLACED_COOKIE "=1; Path=" PAGE_PATH "; Max-Age=600; HttpOnly; SameSite=Lax"

struct page {
	const struct view *view;
	const char *csrf; /* stands in every form */
	int64_t now_s;
	enum trouble trouble;	 /* shown with role="alert"; TROUBLE_NONE: nothing went wrong */
	bool has_just_connected; /* ?connected=1 */
	bool has_replaced;	 /* PAGE_REPLACED_COOKIE: another mailbox was connected before */
	const char *admin_url;	 /* where an administrator approves us; NULL where nobody can */
	bool is_embedded; /* in a frame of the host's page, which Microsoft's sign-in refuses */
};

void page_schedule(struct buf *out, const struct page *page);

/* A page that holds nothing but what went wrong and a way on. */
void page_trouble(struct buf *out, enum trouble trouble);

/* What an administrator sees who has approved us. */
void page_approved(struct buf *out);

extern const char page_css[]; /* page.css and page.js, compiled in */
extern const char page_js[];

#endif
