/* problem.c - a refusal in Graph's shape. */
#include "tests/fake/problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/jsonw.h"
#include "common/uuid.h"
#include "tests/fake/datetime.h"

bool problem_set(struct problem *problem, int status, const char *code, const char *format, ...)
{
	va_list args;

	problem->status = status;
	problem->existing_id[0] = '\0';
	snprintf(problem->code, sizeof problem->code, "%s", code);
	va_start(args, format);
	vsnprintf(problem->message, sizeof problem->message, format, args);
	va_end(args);
	return false;
}

void problem_write(const struct problem *problem, int64_t now_ms, struct buf *out)
{
	char date[DATETIME_STAMP_SIZE];
	char request_id[UUID_TEXT_SIZE];
	struct uuid uuid = uuid_random();

	uuid_format(&uuid, request_id);
	datetime_stamp(now_ms, date);
	date[19] = '\0'; /* innerError.date carries neither fraction nor Z */
	buf_text(out, "{\"error\":{");
	jsonw_member_text(out, "code", problem->code);
	jsonw_member_text(out, "message", problem->message);
	if (problem->existing_id[0] != '\0') {
		jsonw_member_text(out, "@event.existingEventId", problem->existing_id);
	}
	jsonw_key(out, "innerError");
	buf_char(out, '{');
	jsonw_member_text(out, "date", date);
	jsonw_member_text(out, "request-id", request_id);
	jsonw_member_text(out, "client-request-id", request_id);
	buf_text(out, "}}}");
}
