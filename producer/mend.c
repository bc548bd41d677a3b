/* mend.c - the steps that have keys told again whose last record is not true any more. */
#include "producer/mend.h"

#include "common/log.h"
#include "producer/ask.h"

static const char MEND_SQL[] = "SELECT pg_logical_emit_message(true, '" SCOPE_MESSAGE "', scope) "
			       "FROM unnest($1::text[]) AS scope";

/* A PostgreSQL array of scopes. */
static void write_scopes(struct buf *out, const struct late *late)
{
	const struct scope all = {.kind = SCOPE_ALL};
	char text[SCOPE_TEXT_SIZE];

	buf_char(out, '{');
	for (const struct late_key *key = late->keys; key != NULL && !late->overflowed;
	     key = key->hh.next) {
		scope_format(&key->scope, text);
		buf_format(out, "%s\"%s\"", key != late->keys ? "," : "", text);
	}
	if (late->overflowed) {
		scope_format(&all, text);
		buf_format(out, "\"%s\"", text);
	}
	buf_char(out, '}');
}

static void tell_again(struct relay *relay, const char *why)
{
	const struct late *late = &relay->topics.late;
	struct buf scopes;

	log_warn(why, LOG_NUMBER("keys", (int64_t)late_count(late)));
	buf_init(&scopes, (late_count(late) + 1) * (SCOPE_TEXT_SIZE + 3));
	write_scopes(&scopes, late);
	ask_sql(relay, MEND_SQL, 1, (const char *const[]){buf_string(&scopes)});
	buf_close(&scopes);
}

void mend_begin(struct relay *relay)
{
	if (late_is_empty(&relay->topics.late)) {
		relay_skip(relay);
		return;
	}
	tell_again(relay, "records of a producer that had lost the slot came late");
}

enum relay_step mend_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_CATALOG;
}

/* Those that did not fit can't be named, and telling all again names only what is there. */
void mend_vanished_begin(struct relay *relay)
{
	struct late *late = &relay->topics.late;

	if (late->overflowed) {
		late->overflowed = false;
		log_warn("more vanished than fit: file a full request for everybody");
	}
	if (late_count(late) == 0) {
		relay_skip(relay);
		return;
	}
	tell_again(relay, "assignments vanished before this epoch: their removal is told");
}

enum relay_step mend_vanished_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_FILLED;
}
