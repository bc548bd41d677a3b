/* lookup.c - the projects that events show. */
#include "producer/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/debezium.h"
#include "producer/keyset.h"
#include "producer/publish.h"

#define LOOKUP_AGAIN_FIRST_MS 2
#define LOOKUP_AGAIN_MOST_MS  200
#define LOOKUP_ENTRY_BYTES    200

/* ---- entries ---- */

static void entry_set(struct lookup *lookup, struct lookup_entry *entry, const char *json,
		      struct visible *seen)
{
	lookup->bytes -= entry->json_length;
	free(entry->json);
	visible_let_go(entry->seen);
	entry->json = strdup(json);
	if (entry->json == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	entry->json_length = strlen(json);
	entry->seen = seen;
	lookup->bytes += entry->json_length;
}

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static void entry_free(struct lookup *lookup, struct lookup_entry *entry)
{
	HASH_DEL(lookup->entries, entry);
	lookup->bytes -= entry->json_length + LOOKUP_ENTRY_BYTES;
	free(entry->json);
	visible_let_go(entry->seen);
	free(entry);
}

/* Drops entries that nobody waits for and that were not used since it last came by; the others go
 * to the end, and have a second chance.  So using one moves nothing. */
static void evict(struct lookup *lookup)
{
	struct lookup_entry *entry;
	struct lookup_entry *next;

	HASH_ITER(hh, lookup->entries, entry, next)
	{
		if (lookup->bytes <= LOOKUP_MAX_BYTES &&
		    HASH_COUNT(lookup->entries) <= LOOKUP_ENTRIES_MAX) {
			return;
		}
		if (entry->references > 0 || entry->asked) {
			continue;
		}
		if (entry->used) {
			entry->used = false;
			HASH_DEL(lookup->entries, entry);
			HASH_ADD(hh, lookup->entries, id, sizeof entry->id, entry);
		} else {
			entry_free(lookup, entry);
		}
	}
}

static struct lookup_entry *entry_find(struct lookup *lookup, const struct uuid *id)
{
	struct lookup_entry *entry;

	HASH_FIND(hh, lookup->entries, id, sizeof *id, entry);
	return entry;
}

static void want(struct lookup *lookup, struct lookup_entry *entry)
{
	entry->asked = true;
	entry->next_wanted = NULL;
	*lookup->last_wanted = entry;
	lookup->last_wanted = &entry->next_wanted;
}

struct lookup_entry *lookup_hold(struct lookup *lookup, const struct uuid *id)
{
	struct lookup_entry *entry = entry_find(lookup, id);

	if (entry == NULL) {
		evict(lookup);
		entry = calloc(1, sizeof *entry);
		if (entry == NULL) {
			return NULL;
		}
		entry->id = *id;
		lookup->bytes += LOOKUP_ENTRY_BYTES;
		HASH_ADD(hh, lookup->entries, id, sizeof entry->id, entry);
	}
	entry->used = true;
	entry->references++;
	if (entry->json == NULL && !entry->asked) {
		want(lookup, entry);
	}
	return entry;
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

void lookup_let_go(struct lookup *lookup, struct lookup_entry *entry)
{
	(void)lookup;
	entry->references--;
}

void lookup_learn(struct lookup *lookup, const struct uuid *id, const char *json, uint32_t xid)
{
	struct lookup_entry *entry = entry_find(lookup, id);

	if (entry == NULL || entry->json == NULL || visible_has_finished(entry->seen, xid)) {
		return; /* not kept; or asked for and not answered, so the answer will have it */
	}
	entry_set(lookup, entry, json, entry->seen != NULL ? visible_hold(entry->seen) : NULL);
}

/* ---- asking ---- */

static bool take_row(struct lookup *lookup, const PGresult *result, int row, struct visible *seen,
		     struct fault *fault)
{
	const struct relation *shown = lookup->catalog->shown;
	struct pgoutput_value values[5];
	struct debezium_row project = {.values = values, .count = 5};
	struct lookup_entry *entry;
	struct uuid id;
	struct buf json;
	bool ok;

	for (int i = 0; i < 5; i++) {
		const char *text = pg_text(result, row, 1 + i);

		values[i] = (struct pgoutput_value){.kind = text != NULL ? 't' : 'n',
						    .text = text != NULL ? text : ""};
		values[i].length = text != NULL ? (uint32_t)PQgetlength(result, row, 1 + i) : 0;
	}
	if (!keyset_read_id(&values[0], &id)) {
		return true; /* an empty answer still has its snapshot */
	}
	entry = entry_find(lookup, &id);
	if (entry == NULL || entry->json != NULL) {
		return true;
	}
	buf_init(&json, PUBLISH_RECORD_MAX_BYTES);
	debezium_write_project(&json, shown, &project);
	ok = !json.failed;
	if (ok) {
		entry_set(lookup, entry, buf_string(&json), visible_hold(seen));
	}
	buf_close(&json);
	return ok || fault_fatal(fault, "a project's row is larger than %d bytes",
				 PUBLISH_RECORD_MAX_BYTES);
}

static bool take_answer(struct lookup *lookup, const PGresult *result, struct visible *seen,
			struct fault *fault)
{
	for (int i = 0; i < PQntuples(result); i++) {
		if (!take_row(lookup, result, i, seen, fault)) {
			return false;
		}
	}
	for (int i = 0; i < lookup->batch_count; i++) {
		struct lookup_entry *entry = lookup->batch[i];

		if (entry->json == NULL) {
			entry_set(lookup, entry, "null", visible_hold(seen));
		}
		entry->asked = false;
	}
	lookup->batch_count = 0;
	lookup->again_ms = LOOKUP_AGAIN_FIRST_MS;
	return true;
}

static void send_batch(struct lookup *lookup);

static void on_again(uv_timer_t *timer)
{
	send_batch(container_of(timer, struct lookup, again));
}

static void ask_again(struct lookup *lookup)
{
	uv_timer_start(&lookup->again, on_again, (uint64_t)lookup->again_ms, 0);
	lookup->again_ms = lookup->again_ms * 2 < LOOKUP_AGAIN_MOST_MS ? lookup->again_ms * 2
								       : LOOKUP_AGAIN_MOST_MS;
}

static void on_answer(struct pg_request *request)
{
	struct lookup *lookup = container_of(request, struct lookup, request);
	struct fault fault = request->fault;
	struct visible *seen = NULL;

	lookup->asking = false;
	if (lookup->batch_count == 0) {
		lookup_ask(lookup); /* cleared meanwhile; others may be wanted by now */
		return;
	}
	if (fault.kind == FAULT_NONE) {
		seen = visible_read(pg_text(request->result, 0, 0), &fault);
	}
	if (seen != NULL && !ack_see(lookup->ack, seen, lookup->asked_before)) {
		ask_again(lookup); /* something that was decoded is not visible yet */
		visible_let_go(seen);
		return;
	}
	if (seen != NULL) {
		(void)!take_answer(lookup, request->result, seen, &fault);
		visible_let_go(seen);
	}
	lookup->answered(lookup, &fault);
}

static void send_batch(struct lookup *lookup)
{
	lookup->asking = true;
	lookup->asked_before = lookup->ack->next;
	lookup->request = (struct pg_request){.sql = lookup->catalog->lookup_sql,
					      .params = {buf_string(&lookup->batch_text)},
					      .param_count = 1,
					      .patience_ms = LOOKUP_PATIENCE_MS,
					      .done = on_answer};
	pg_send(lookup->pg, &lookup->request);
}

void lookup_ask(struct lookup *lookup)
{
	char text[UUID_TEXT_SIZE];

	if (lookup->asking || lookup->batch_count > 0 || lookup->first_wanted == NULL) {
		return;
	}
	buf_reset(&lookup->batch_text);
	buf_char(&lookup->batch_text, '{');
	while (lookup->first_wanted != NULL && lookup->batch_count < LOOKUP_BATCH) {
		struct lookup_entry *entry = lookup->first_wanted;

		lookup->first_wanted = entry->next_wanted;
		lookup->batch[lookup->batch_count++] = entry;
		uuid_format(&entry->id, text);
		buf_format(&lookup->batch_text, "%s%s", lookup->batch_count > 1 ? "," : "", text);
	}
	if (lookup->first_wanted == NULL) {
		lookup->last_wanted = &lookup->first_wanted;
	}
	buf_char(&lookup->batch_text, '}');
	send_batch(lookup);
}

/* ---- life ---- */

void lookup_init(struct lookup *lookup, struct loop *loop, struct pg *pg, struct catalog *catalog,
		 struct ack *ack)
{
	*lookup = (struct lookup){.loop = loop,
				  .pg = pg,
				  .catalog = catalog,
				  .ack = ack,
				  .again_ms = LOOKUP_AGAIN_FIRST_MS};
	lookup->last_wanted = &lookup->first_wanted;
	buf_init(&lookup->batch_text, LOOKUP_BATCH * UUID_TEXT_SIZE + 16);
	uv_timer_init(&loop->uv, &lookup->again);
}

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
void lookup_clear(struct lookup *lookup)
{
	struct lookup_entry *entry;
	struct lookup_entry *next;

	lookup->batch_count = 0;
	lookup->first_wanted = NULL;
	lookup->last_wanted = &lookup->first_wanted;
	lookup->again_ms = LOOKUP_AGAIN_FIRST_MS;
	uv_timer_stop(&lookup->again);
	HASH_ITER(hh, lookup->entries, entry, next)
	{
		entry_free(lookup, entry);
	}
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

void lookup_close(struct lookup *lookup)
{
	lookup_clear(lookup);
	buf_close(&lookup->batch_text);
	uv_close((uv_handle_t *)&lookup->again, NULL);
}
