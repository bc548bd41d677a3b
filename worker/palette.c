/* palette.c - makes our own categories in a mailbox that lets us, in their colours, before the
 * events that carry them.
 *
 * With a sync only, which lists the whole mailbox anyway.  No event waits for a colour: what fails
 * here is tried again by the next sync. */
#include "worker/palette.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/jsonw.h"
#include "common/log.h"
#include "worker/steps.h"
#include "worker/worker.h"

#define PALETTE_DEADLINE_MS 30000
#define PALETTE_BODY_BYTES  2048

static_assert(HOSTMAP_LOOKS_MAX < 64, "a bit for every look");

/* ---- the master list ---- */

static bool list_has(const cJSON *list, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		const char *known = json_text(item, "displayName");

		if (known != NULL && strcasecmp(known, name) == 0) {
			return true;
		}
	}
	return false;
}

static bool name_is_earlier(const struct hostmap *map, size_t index)
{
	const char *name = hostmap_look_at(map, index)->own_category;

	for (size_t i = 0; i < index; i++) {
		if (strcasecmp(hostmap_look_at(map, i)->own_category, name) == 0) {
			return true;
		}
	}
	return false;
}

static uint64_t looks_missing(const struct hostmap *map, const cJSON *list)
{
	const struct hostmap_look *look;
	uint64_t missing = 0;

	for (size_t i = 0; (look = hostmap_look_at(map, i)) != NULL; i++) {
		if (look->own_category[0] != '\0' && !name_is_earlier(map, i) &&
		    !list_has(list, look->own_category)) {
			missing |= UINT64_C(1) << i;
		}
	}
	return missing;
}

bool palette_read(const struct hostmap *map, const char *body, size_t length, uint64_t *missing)
{
	struct fault why;
	cJSON *root = json_parse(body, length, HTTP_REPLY_MAX_BYTES, &why);
	const cJSON *list = json_array(root, "value");

	*missing = list != NULL ? looks_missing(map, list) : 0;
	cJSON_Delete(root);
	return list != NULL;
}

void palette_write(struct buf *out, const struct hostmap_look *look)
{
	buf_char(out, '{');
	jsonw_member_text(out, "displayName", look->own_category);
	jsonw_member_text(out, "color", look->colour);
	buf_char(out, '}');
}

/* ---- the step ---- */

bool palette_is_wanted(const struct run *run)
{
	return run->connection.mailbox == SCOPE_MAILBOX_WRITE && run->mode == RUN_SYNC &&
	       run->worker->verify == NULL && !run->has_palette &&
	       looks_missing(&run->worker->map, NULL) != 0;
}

/* The first look whose category is to be made, as its bit's place. */
static size_t next_missing(const struct run *run)
{
	return (size_t)__builtin_ctzll(run->missing_own);
}

static void on_answered(struct http_request *request)
{
	struct run *run = container_of(request, struct run, http);

	run->fault = request->fault;
	graph_observe(run, "categories");
	if (run->fault.kind == FAULT_NONE && !run->has_palette && request->reply.status == 200 &&
	    !palette_read(&run->worker->map, buf_string(&request->reply.body),
			  request->reply.body.length, &run->missing_own)) {
		fault_retry(&run->fault, "the master list can't be read");
	}
	run_resume(run);
}

/* Reads the list, or makes the next category. */
void palette_start(struct run *run)
{
	const struct worker *worker = run->worker;
	bool makes = run->has_palette;

	if (run_is_held(run, &run->worker->graph)) {
		return;
	}
	buf_reset(&run->url);
	buf_reset(&run->body);
	buf_format(&run->url, "%s/v1.0/me/outlook/masterCategories", worker->config.graph_url);
	if (makes) {
		palette_write(&run->body, hostmap_look_at(&worker->map, next_missing(run)));
	}
	run->started_exchange_ms = clock_mono_ms();
	run->http = (struct http_request){.method = makes ? "POST" : "GET",
					  .url = buf_string(&run->url),
					  .content_type = makes ? "application/json" : NULL,
					  .authorization = run->bearer,
					  .body = makes ? buf_string(&run->body) : NULL,
					  .body_length = run->body.length,
					  .done = on_answered,
					  .may_send = run_may_call};
	http_send(worker->http, &run->http, PALETTE_DEADLINE_MS);
}

/* Somebody else may have made it since: 409. */
static bool palette_is_answered(const struct run *run)
{
	int status = run->http.reply.status;

	return run->fault.kind == FAULT_NONE &&
	       (run->has_palette ? status == 201 || status == 409 : status == 200);
}

/* Without colours, then; but a mailbox waits as long as it asks for. */
static enum run_step palette_gives_up(struct run *run)
{
	const struct http_reply *reply = &run->http.reply;

	log_warn("our categories are not made in a mailbox: their events have no colour",
		 LOG_TEXT("user.id", run->lane->user_text),
		 LOG_NUMBER("http.response.status_code", reply->status),
		 LOG_TEXT("error", run->fault.what), LOG_TEXT("request.id", reply->request_id));
	run->missing_own = 0;
	run->has_palette = true;
	if (reply->retry_after_ms > RUN_WAIT_MOST_MS) {
		return run_park(run, "throttled", clock_wall_ms() + reply->retry_after_ms, false);
	}
	run->delay_ms = reply->retry_after_ms > 0 ? reply->retry_after_ms : 0;
	return sync_compare(run);
}

enum run_step palette_finish(struct run *run)
{
	if (!palette_is_answered(run)) {
		return palette_gives_up(run);
	}
	run_served(run, &run->worker->graph);
	if (run->has_palette) {
		run->missing_own &= run->missing_own - 1;
	}
	run->has_palette = true;
	return run->missing_own != 0 ? run_with_token(run, RUN_PALETTE) : sync_compare(run);
}
