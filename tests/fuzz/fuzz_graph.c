/* fuzz_graph.c - any bytes to what the worker reads from Kafka and from Microsoft: refused, or
 * whole and within its bounds.
 *
 * Input: which reader, then the text. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "common/hostmap.h"
#include "worker/batch.h"
#include "worker/listing.h"
#include "worker/record.h"

#define KEY                                                                                        \
	"{\"user_id\":\"22222222-2222-4222-8222-222222222222\","                                   \
	"\"id\":\"33333333-3333-4333-8333-333333333333\"}"
#define POS	 "00000001:00000000000000aa:00000001"
#define PROPERTY "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name AmiDashAssignment"
#define GRAPH	 "http://127.0.0.1:9400"

static struct json_arena arena;

/* As key, as value, and as position of an otherwise good record. */
static void read_record(const char *text, size_t length)
{
	struct record records[] = {
	    {KEY, strlen(KEY), text, length, POS, strlen(POS), &arena},
	    {text, length, NULL, 0, POS, strlen(POS), &arena},
	    {KEY, strlen(KEY), NULL, 0, text, length, &arena},
	};
	static struct hostmap map;
	struct fault fault = {0};

	if (map.schema[0] == '\0') {
		check_that(hostmap_load(&map, NULL, &fault), "the shipped mapping loads");
	}
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		struct change *change = record_decode(&records[i], &map, &fault);
		struct pos pos;

		check_that(change != NULL || fault.kind == FAULT_INPUT, "a refusal says why");
		if (change != NULL) {
			check_that(pos_parse(change->pos, strlen(change->pos), &pos),
				   "a change has a position");
			check_that(change->is_gone || records[i].value != NULL,
				   "only a value says what is");
		}
		free(change);
	}
}

static void read_batch(const char *text, size_t length)
{
	static const struct hostmap MAP = {.other = {.category = "Purple category"}};
	struct outlook_event event = {.verdict = OUTLOOK_EVENT, .category = "Purple category"};
	struct batch batch = {.map = &MAP, .count = 3};
	struct op ops[3];

	for (int i = 0; i < batch.count; i++) {
		op_init(&ops[i], i == 0, i == 2 ? "AAMk=" : NULL, 1);
		batch.items[i] = (struct batch_item){.op = &ops[i], .event = &event};
	}
	batch_read(&batch, text, length, 0);
	for (int i = 0; i < batch.count; i++) {
		const struct op_answer *answer = &batch.items[i].answer;
		enum op_scope scope;

		check_that(answer->status == 0 || (answer->status >= 100 && answer->status < 1000),
			   "a status has three digits");
		check_that(memchr(answer->event_id, '\0', sizeof answer->event_id) != NULL &&
			       memchr(answer->code, '\0', sizeof answer->code) != NULL,
			   "texts end");
		check_that(memchr(answer->theirs, '\0', sizeof answer->theirs) != NULL,
			   "categories end");
		check_that(answer->retry_after_ms >= -1, "nobody waits backwards");
		scope = op_answered(&ops[i], answer);
		check_that(scope == OP_GOES_ON || ops[i].end == OP_OPEN,
			   "what has ended goes on with nothing");
	}
}

static void read_listing(const char *text, size_t length)
{
	struct outlook_event wanted = {
	    .verdict = OUTLOOK_EVENT, .subject = (char[]){"Acme"}, .body = (char[]){"confirmed"}};
	struct hostmap_look look = {0};
	struct listing listing = {0};
	struct fault fault = {0};

	wanted.look = &look;
	if (listing_add_page(&listing, text, length, PROPERTY, GRAPH, &fault)) {
		check_that(listing.next_url == NULL ||
			       strncmp(listing.next_url, GRAPH, strlen(GRAPH)) == 0,
			   "the next page is Graph's");
		for (size_t i = 0; i < listing.count; i++) {
			check_that(listing.events[i].id[0] != '\0', "a listed event has an id");
			(void)listed_matches(&listing.events[i], &wanted);
		}
	} else {
		check_that(fault.kind == FAULT_RETRY, "half a page is none, for now");
	}
	listing_close(&listing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void (*const readers[])(const char *, size_t) = {read_record, read_batch, read_listing};
	char *text;

	if (size == 0) {
		return 0;
	}
	text = check_copy(data + 1, size - 1);
	readers[data[0] % (sizeof readers / sizeof *readers)](text, size - 1);
	free(text);
	json_arena_close(&arena);
	return 0;
}
