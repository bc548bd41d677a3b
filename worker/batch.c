/* batch.c - writes and reads $batch bodies. */
#include "worker/batch.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/http.h"
#include "common/json.h"
#include "common/jsonw.h"
#include "common/text.h"
#include "worker/listing.h"

static const char *const METHODS[] = {[OP_CREATE] = "POST",
				      [OP_UPDATE] = "PATCH",
				      [OP_DELETE] = "DELETE",
				      [OP_FIND] = "GET",
				      [OP_READ] = "GET"};

static void write_url(struct buf *out, const struct batch_item *item, const char *property)
{
	struct buf url;

	buf_init(&url, (size_t)4 * OP_ID_SIZE);
	switch (item->op->request) {
	case OP_CREATE:
		buf_text(&url, "/me/events");
		break;
	case OP_FIND:
		listing_find_path(&url, property, &item->assignment);
		break;
	default:
		listing_event_path(&url, item->op->event_id, item->op->request == OP_READ);
		break;
	}
	out->failed = out->failed || url.failed;
	jsonw_member_text(out, "url", buf_string(&url));
	buf_close(&url);
}

static void write_identity(struct buf *out, const struct batch_item *item,
			   const struct uuid *connection, const char *property)
{
	struct uuid transaction =
	    op_transaction_id(connection, &item->assignment, item->op->incarnation);
	char text[UUID_TEXT_SIZE];

	uuid_format(&transaction, text);
	jsonw_member_text(out, "transactionId", text);
	jsonw_key(out, "singleValueExtendedProperties");
	buf_text(out, "[{");
	jsonw_member_text(out, "id", property);
	uuid_format(&item->assignment, text);
	jsonw_member_text(out, "value", text);
	buf_text(out, "}]");
}

static void write_headers(struct buf *out, const struct op *op, bool has_body)
{
	jsonw_key(out, "headers");
	buf_char(out, '{');
	jsonw_member_text(out, "Prefer", "IdType=\"ImmutableId\"");
	if (op->request == OP_UPDATE && op->match[0] != '\0') {
		char etag[OP_CODE_SIZE + 8];

		snprintf(etag, sizeof etag, "W/\"%s\"", op->match);
		jsonw_member_text(out, "If-Match", etag);
	}
	if (has_body) {
		jsonw_member_text(out, "Content-Type", "application/json");
	}
	buf_char(out, '}');
}

static void write_item(struct buf *out, const struct batch_item *item, int id,
		       const struct uuid *connection, const char *property)
{
	bool has_body = item->op->request == OP_CREATE || item->op->request == OP_UPDATE;
	char number[12];

	snprintf(number, sizeof number, "%d", id);
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_text(out, "id", number);
	jsonw_member_text(out, "method", METHODS[item->op->request]);
	write_url(out, item, property);
	write_headers(out, item->op, has_body);
	if (has_body) {
		jsonw_key(out, "body");
		buf_char(out, '{');
		outlook_write_members(out, item->event,
				      item->op->keeps_categories ? NULL : item->op->theirs);
		if (item->op->request == OP_CREATE) {
			write_identity(out, item, connection, property);
		}
		buf_char(out, '}');
	}
	buf_char(out, '}');
}

void batch_write(struct buf *out, const struct batch *batch, const struct uuid *connection,
		 const char *property)
{
	buf_text(out, "{\"requests\":[");
	for (int i = 0; i < batch->count; i++) {
		write_item(out, &batch->items[i], i + 1, connection, property);
	}
	buf_text(out, "]}");
}

/* ---- answers ---- */

/* Error codes nest: the innermost is the most specific. */
static void read_error(struct op_answer *answer, const cJSON *body)
{
	const cJSON *error = json_object(body, "error");
	const char *existing = json_text(error, "@event.existingEventId");

	text_copy(answer->event_id, sizeof answer->event_id, existing);
	while (error != NULL) {
		const char *code = json_text(error, "code");
		const cJSON *inner = json_object(error, "innerError");

		if (code != NULL && *code != '\0') {
			text_copy(answer->code, sizeof answer->code, code);
		}
		error = inner != NULL ? inner : json_object(error, "innererror");
	}
}

static void read_categories(const struct batch *batch, const struct batch_item *item,
			    const cJSON *event, struct op_answer *answer)
{
	struct category_names names = {.map = batch->map, .written = item->written};
	const cJSON *categories = json_array(event, "categories");
	struct buf list;

	if (categories == NULL || !item->op->wants_event) {
		return;
	}
	names.wanted = item->event->category;
	buf_init(&list, HTTP_REPLY_MAX_BYTES);
	category_list_add(&list, categories);
	if (!list.failed) {
		answer->tells_categories = true;
		answer->shows_ours = category_take_ours(list.data, &names);
		text_copy(answer->theirs, sizeof answer->theirs, list.data);
	}
	buf_close(&list);
}

static void read_success(const struct batch *batch, struct batch_item *item, const cJSON *body)
{
	struct op_answer *answer = &item->answer;
	const cJSON *list = json_array(body, "value");
	const cJSON *event = list != NULL ? cJSON_GetArrayItem(list, 0) : body;

	read_categories(batch, item, event, answer);
	answer->found = list != NULL ? cJSON_GetArraySize(list) : 0;
	text_copy(answer->event_id, sizeof answer->event_id, json_text(event, "id"));
	text_copy(answer->change_key, sizeof answer->change_key, json_text(event, "changeKey"));
}

static int64_t read_retry_after(const cJSON *headers, int64_t wall_ms)
{
	const cJSON *header;

	cJSON_ArrayForEach(header, headers)
	{
		if (header->string != NULL && strcasecmp(header->string, "retry-after") == 0 &&
		    cJSON_IsString(header)) {
			return http_retry_after_ms(header->valuestring, wall_ms);
		}
	}
	return -1;
}

/* A list whose first event, if any, can be named. */
static bool is_list(const cJSON *body)
{
	const cJSON *list = json_array(body, "value");
	const char *id = json_text(cJSON_GetArrayItem(list, 0), "id");

	return list != NULL && (cJSON_GetArraySize(list) == 0 || (id != NULL && *id != '\0'));
}

static void read_answer(const struct batch *batch, struct batch_item *item, const cJSON *response,
			int64_t wall_ms)
{
	struct op_answer *answer = &item->answer;
	const cJSON *body = json_object(response, "body");
	int64_t status = 0;

	if (!json_integer(response, "status", &status) || status < 100 || status > 599) {
		return;
	}
	answer->retry_after_ms = read_retry_after(json_object(response, "headers"), wall_ms);
	if (status >= 400) {
		read_error(answer, body);
	} else if (item->op->request == OP_FIND && !is_list(body)) {
		return; /* a failed read is never an empty result */
	} else {
		read_success(batch, item, body);
		if (item->op->request == OP_READ && !answer->tells_categories) {
			return;
		}
	}
	answer->status = (int)status;
}

/* The item that a response is for, by exactly the id that was sent; -1: none. */
static int find_item(const struct batch *batch, const char *id)
{
	for (int i = 0; id != NULL && i < batch->count; i++) {
		char number[12];

		snprintf(number, sizeof number, "%d", i + 1);
		if (strcmp(number, id) == 0) {
			return i;
		}
	}
	return -1;
}

void batch_read(struct batch *batch, const char *body, size_t length, int64_t wall_ms)
{
	struct fault why;
	cJSON *root = json_parse(body, length, HTTP_REPLY_MAX_BYTES, &why);
	bool seen[BATCH_ITEMS_MAX] = {false};
	const cJSON *response;

	for (int i = 0; i < batch->count; i++) {
		batch->items[i].answer = (struct op_answer){.retry_after_ms = -1};
	}
	cJSON_ArrayForEach(response, json_array(root, "responses"))
	{
		int index = find_item(batch, json_text(response, "id"));

		if (index < 0) {
			continue;
		}
		if (seen[index]) {
			batch->items[index].answer = (struct op_answer){.retry_after_ms = -1};
			continue;
		}
		seen[index] = true;
		read_answer(batch, &batch->items[index], response, wall_ms);
	}
	cJSON_Delete(root);
}
