/* mend.c - the step that has late records' keys told again. */
#include "producer/mend.h"

#include "common/log.h"
#include "producer/ask.h"

#define MEND_TEXT_MAX_BYTES (LATE_KEYS_MAX * (SCOPE_TEXT_SIZE + 3))

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

void mend_begin(struct relay *relay)
{
	const struct late *late = &relay->topics.late;
	struct buf scopes;

	if (late_count(late) == 0) {
		relay_skip(relay);
		return;
	}
	log_warn(
	    "records of a producer that had lost the slot came late: their keys are told again",
	    LOG_NUMBER("keys", (int64_t)late_count(late)));
	buf_init(&scopes, MEND_TEXT_MAX_BYTES);
	write_scopes(&scopes, late);
	ask_sql(relay, MEND_SQL, 1, (const char *const[]){buf_string(&scopes)});
	buf_close(&scopes);
}

enum relay_step mend_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_CATALOG;
}
