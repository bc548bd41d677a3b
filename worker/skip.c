/* skip.c - pages through the connected users and files what a skip makes necessary. */
#include "worker/skip.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/worker.h"

#define SKIP_PAGE	 1000 /* as PAGE_SQL says */
#define SKIP_NOBODY	 "00000000-0000-0000-0000-000000000000"
#define SKIP_USERS_BYTES (SKIP_PAGE * (UUID_TEXT_SIZE + 1) + 2)

/* Somebody who has to reconnect, or connects just now, gets a full sync by that. */
static const char PAGE_SQL[] =
    "SELECT user_id FROM public.calendar_connections"
    " WHERE provider = 'microsoft' AND status = 'active' AND user_id > $1::uuid"
    " ORDER BY user_id LIMIT 1000";

/* Not left out where another one waits: a run that is under way may have read the tables already.
 */
static const char FILE_SQL[] = "INSERT INTO public.calendar_sync_requests (user_id, kind)"
			       " SELECT user_id, 'full' FROM public.calendar_connections"
			       "  WHERE provider = 'microsoft' AND user_id = ANY ($1::uuid[])";

static void page_send(struct intake *intake);

static bool skip_concerns(const struct intake *intake, const char *user)
{
	int32_t partition = kafka_user_partition(user, intake->guard.cluster.partition_counts[0]);

	for (int i = 0; i < intake->part_count; i++) {
		const struct part *part = intake->parts[i];

		if (part->was_skipped && part->partition == partition) {
			return true;
		}
	}
	return false;
}

static void skip_end(struct intake *intake)
{
	log_info("full syncs are filed for what was skipped",
		 LOG_NUMBER("users", intake->skip.filed));
	skip_forget(&intake->skip);
	for (int i = 0; i < intake->part_count; i++) {
		intake->parts[i]->was_skipped = false;
	}
	intake_claimed(intake);
}

/* Whether the answer is of use.  The claim is made again after a failure, and comes back here. */
static bool skip_answered(struct intake *intake)
{
	struct skip *skip = &intake->skip;

	skip->is_busy = false;
	if (skip->is_stale) {
		skip->is_stale = false;
		if (intake->state == INTAKE_CLAIMING) {
			intake->claim_again_ms = clock_mono_ms();
		}
		return false;
	}
	if (skip->request.fault.kind != FAULT_NONE) {
		log_warn("can't file full syncs for what was skipped: trying again",
			 LOG_TEXT("error", skip->request.fault.what));
		intake->claim_again_ms = clock_mono_ms() + INTAKE_AGAIN_MS;
		return false;
	}
	return true;
}

static void skip_send(struct intake *intake, const char *sql, const char *param,
		      void (*done)(struct pg_request *request))
{
	struct pg_request *request = &intake->skip.request;

	intake->skip.is_busy = true;
	request->sql = sql;
	request->params[0] = param;
	request->param_count = 1;
	request->done = done;
	pg_send(intake->worker->pg, request);
}

static void page_end(struct intake *intake)
{
	struct skip *skip = &intake->skip;

	memcpy(skip->after, skip->last, sizeof skip->after);
	page_send(intake);
}

static void on_filed(struct pg_request *request)
{
	struct intake *intake = container_of(request, struct intake, skip.request);

	if (skip_answered(intake)) {
		page_end(intake);
	}
}

/* The users of a page that are concerned, as the text of an array. */
static int page_write(const struct intake *intake, const PGresult *page, struct buf *users)
{
	int count = 0;

	buf_char(users, '{');
	for (int i = 0; i < PQntuples(page); i++) {
		const char *user = pg_text(page, i, 0);

		if (skip_concerns(intake, user)) {
			buf_format(users, "%s%s", count > 0 ? "," : "", user);
			count++;
		}
	}
	buf_char(users, '}');
	return count;
}

static void on_page(struct pg_request *request)
{
	struct intake *intake = container_of(request, struct intake, skip.request);
	struct skip *skip = &intake->skip;
	struct buf users;
	int rows;
	int count;

	if (!skip_answered(intake)) {
		return;
	}
	rows = PQntuples(request->result);
	if (rows == 0) {
		skip_end(intake);
		return;
	}
	buf_init(&users, SKIP_USERS_BYTES);
	count = page_write(intake, request->result, &users);
	skip->filed += count;
	snprintf(skip->last, sizeof skip->last, "%s", pg_text(request->result, rows - 1, 0));
	if (count > 0) {
		skip_send(intake, FILE_SQL, buf_string(&users), on_filed);
	} else {
		page_end(intake);
	}
	buf_close(&users);
}

static void page_send(struct intake *intake)
{
	const char *after = intake->skip.after;

	skip_send(intake, PAGE_SQL, after[0] != '\0' ? after : SKIP_NOBODY, on_page);
}

void skip_begin(struct intake *intake)
{
	for (int i = 0; i < intake->part_count; i++) {
		if (intake->parts[i]->was_skipped) {
			if (!intake->skip.is_busy) {
				page_send(intake);
			} /* else its answer, of parts that are gone, has the claim made again */
			return;
		}
	}
	intake_claimed(intake);
}

void skip_forget(struct skip *skip)
{
	skip->is_stale = skip->is_busy;
	skip->after[0] = '\0';
	skip->filed = 0;
}
