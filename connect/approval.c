/* approval.c - thanks an administrator, who may have no session here. */
#include "connect/approval.h"

#include "common/log.h"
#include "connect/app.h"
#include "connect/page.h"
#include "connect/reply.h"

void approval_answer(struct httpd_request *request)
{
	const struct app *app = httpd_context(request);
	bool is_refused = httpd_query(request, "error") != NULL;
	const char *result = is_refused ? words_of(TROUBLE_NOT_APPROVED)->code : "approved";
	struct buf page;

	metric_add(app->callbacks, (const char *const[]){result}, 1);
	log_info("an administrator came back", LOG_TEXT("result", result));
	if (is_refused) {
		reply_trouble(request, TROUBLE_NOT_APPROVED);
		return;
	}
	buf_init(&page, PAGE_MAX_BYTES);
	page_approved(&page);
	reply_page(request, 200, &page);
	buf_close(&page);
}
