/* explore.c - breadth-first search through every state of the model. */
#include "tests/unit/worker/explore.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/op.h"

#define TABLE_LEAST 1024 /* a power of two, as all sizes of the table are */

struct search {
	struct model_sink sink;
	uint8_t (*states)[MODEL_PACKED_SIZE]; /* in the order they were found */
	uint32_t *parents;
	size_t count;
	size_t capacity;
	uint32_t *table; /* 1 + index of a state, by its hash; 0 empty */
	size_t table_size;
	uint32_t *targets; /* of every transition, by source */
	size_t *first;	   /* of a state's transitions; one more at the end */
	size_t target_count;
	size_t target_capacity;
	size_t from; /* the state that is being expanded */
	const char *violation;
};

/* A test without memory has no result. */
static void *grown(void *memory, size_t size)
{
	void *more = realloc(memory, size);

	if (more == NULL) {
		fprintf(stderr, "explore: no memory\n");
		abort();
	}
	return more;
}

static uint64_t hash_packed(const uint8_t packed[MODEL_PACKED_SIZE])
{
	uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < MODEL_PACKED_SIZE; i += sizeof hash) {
		uint64_t word;

		memcpy(&word, packed + i, sizeof word);
		hash = (hash ^ word) * UINT64_C(0xd6e8feb86659fd93);
		hash ^= hash >> 32;
	}
	return hash;
}

/* ---- the set of states ---- */

static size_t table_slot(const struct search *search, const uint8_t packed[MODEL_PACKED_SIZE])
{
	size_t slot = hash_packed(packed) & (search->table_size - 1);

	while (search->table[slot] != 0 &&
	       memcmp(search->states[search->table[slot] - 1], packed, MODEL_PACKED_SIZE) != 0) {
		slot = (slot + 1) & (search->table_size - 1);
	}
	return slot;
}

static void table_grow(struct search *search)
{
	search->table_size = search->table_size > 0 ? 2 * search->table_size : TABLE_LEAST;
	search->table = grown(search->table, search->table_size * sizeof *search->table);
	memset(search->table, 0, search->table_size * sizeof *search->table);
	for (size_t i = 0; i < search->count; i++) {
		search->table[table_slot(search, search->states[i])] = (uint32_t)i + 1;
	}
}

static void states_grow(struct search *search)
{
	search->capacity = search->capacity > 0 ? 2 * search->capacity : TABLE_LEAST;
	search->states = grown(search->states, search->capacity * sizeof *search->states);
	search->parents = grown(search->parents, search->capacity * sizeof *search->parents);
	search->first = grown(search->first, (search->capacity + 1) * sizeof *search->first);
}

/* The index of a state, found before or new. */
static uint32_t search_add(struct search *search, const struct model_state *state)
{
	uint8_t packed[MODEL_PACKED_SIZE];
	size_t slot;

	if (2 * search->count >= search->table_size) {
		table_grow(search);
	}
	model_pack(state, packed);
	slot = table_slot(search, packed);
	if (search->table[slot] == 0) {
		if (search->count == search->capacity) {
			states_grow(search);
		}
		memcpy(search->states[search->count], packed, MODEL_PACKED_SIZE);
		search->parents[search->count] = (uint32_t)search->from;
		search->table[slot] = (uint32_t)++search->count;
	}
	return search->table[slot] - 1;
}

static void on_successor(struct model_sink *sink, const struct model_state *next,
			 const struct model_label *label)
{
	struct search *search = (struct search *)sink;

	(void)label;
	if (search->target_count == search->target_capacity) {
		search->target_capacity = 2 * search->target_capacity + TABLE_LEAST;
		search->targets =
		    grown(search->targets, search->target_capacity * sizeof *search->targets);
	}
	search->targets[search->target_count++] = search_add(search, next);
}

/* ---- the way to a state ---- */

struct retelling {
	struct model_sink sink;
	const uint8_t *wanted;
	bool is_told;
};

static void print_request(const struct model_request *request)
{
	printf(" %s", op_request_name((enum op_request)(request->kind - 1)));
	if (request->version == MODEL_HAND) {
		return;
	}
	printf(" of version %d, incarnation %d", request->version, request->incarnation);
	if (request->kind == 1 + OP_UPDATE) {
		printf(request->keeps	    ? ", categories as they are"
		       : request->match > 0 ? ", if it is as it was seen"
					    : ", whatever it is");
	}
}

static void on_retold(struct model_sink *sink, const struct model_state *next,
		      const struct model_label *label)
{
	static const char *const WORKERS[] = {"the owner ", "the other worker "};
	struct retelling *retelling = (struct retelling *)sink;
	uint8_t packed[MODEL_PACKED_SIZE];

	model_pack(next, packed);
	if (retelling->is_told || memcmp(packed, retelling->wanted, MODEL_PACKED_SIZE) != 0) {
		return;
	}
	retelling->is_told = true;
	printf("    %s%s", label->worker >= 0 ? WORKERS[label->worker] : "", label->text);
	if (label->number >= 0) {
		printf(" %d", label->number);
	}
	if (label->request != NULL) {
		print_request(label->request);
	}
	printf("\n");
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the shortest way is long */
static void print_trace(const struct search *search, uint32_t index)
{
	struct model_state from;
	struct retelling retelling = {.sink = {search->sink.config, &from, on_retold}};

	if (index == 0) {
		return;
	}
	print_trace(search, search->parents[index]);
	model_unpack(search->states[search->parents[index]], &from);
	retelling.wanted = search->states[index];
	model_expand(&retelling.sink);
}

/* ---- whether every state can come to rest ---- */

struct backwards {
	size_t *first; /* of a state's sources */
	uint32_t *sources;
	uint32_t *queue;
	uint8_t *can_rest;
	size_t queued;
};

static void backwards_turn(const struct search *search, struct backwards *backwards)
{
	size_t count = search->count;

	memset(backwards->first, 0, (count + 2) * sizeof *backwards->first);
	for (size_t i = 0; i < search->target_count; i++) {
		backwards->first[search->targets[i] + 2]++;
	}
	for (size_t i = 2; i < count + 2; i++) {
		backwards->first[i] += backwards->first[i - 1];
	}
	for (size_t from = 0; from < count; from++) {
		for (size_t i = search->first[from]; i < search->first[from + 1]; i++) {
			backwards->sources[backwards->first[search->targets[i] + 1]++] =
			    (uint32_t)from;
		}
	}
}

static size_t backwards_begin(const struct search *search, struct backwards *backwards)
{
	struct model_state state;

	for (size_t i = 0; i < search->count; i++) {
		model_unpack(search->states[i], &state);
		backwards->can_rest[i] = model_is_quiescent(&state, search->sink.config);
		if (backwards->can_rest[i]) {
			backwards->queue[backwards->queued++] = (uint32_t)i;
		}
	}
	return backwards->queued;
}

static void backwards_spread(struct backwards *backwards)
{
	for (size_t next = 0; next < backwards->queued; next++) {
		uint32_t state = backwards->queue[next];

		for (size_t i = backwards->first[state]; i < backwards->first[state + 1]; i++) {
			uint32_t source = backwards->sources[i];

			if (!backwards->can_rest[source]) {
				backwards->can_rest[source] = 1;
				backwards->queue[backwards->queued++] = source;
			}
		}
	}
}

/* The first state that nothing leads to rest from; the count: every one can. */
static size_t search_restless(const struct search *search, size_t *resting)
{
	struct backwards backwards = {
	    .first = grown(NULL, (search->count + 2) * sizeof *backwards.first),
	    .sources = grown(NULL, (search->target_count + 1) * sizeof *backwards.sources),
	    .queue = grown(NULL, search->count * sizeof *backwards.queue),
	    .can_rest = grown(NULL, search->count)};
	size_t found = 0;

	backwards_turn(search, &backwards);
	*resting = backwards_begin(search, &backwards);
	backwards_spread(&backwards);
	while (found < search->count && backwards.can_rest[found]) {
		found++;
	}
	free(backwards.first);
	free(backwards.sources);
	free(backwards.queue);
	free(backwards.can_rest);
	return found;
}

/* ---- all of it ---- */

/* Leaves search->from at the state that is wrong, or at the count. */
static void search_run(struct search *search)
{
	struct model_state state;

	search->sink.from = &state;
	for (search->from = 0; search->from < search->count; search->from++) {
		model_unpack(search->states[search->from], &state);
		search->first[search->from] = search->target_count;
		search->violation = model_violation(&state, search->sink.config);
		if (search->count > EXPLORE_STATES_MAX) {
			search->violation = "more states than may be explored";
		}
		if (search->violation != NULL) {
			search->sink.from = NULL;
			return;
		}
		model_expand(&search->sink);
	}
	search->sink.from = NULL;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): made with the search */
	search->first[search->count] = search->target_count;
}

static void search_close(struct search *search)
{
	free(search->states);
	free(search->parents);
	free(search->table);
	free(search->targets);
	free(search->first);
}

struct explore_result explore(const struct model_config *config)
{
	struct search search = {.sink = {.config = config, .emit = on_successor}};
	struct explore_result result;
	struct model_state state;
	size_t resting = 0;
	size_t wrong;

	model_init(&state, config);
	search_add(&search, &state);
	search_run(&search);
	wrong = search.from;
	if (search.violation == NULL) {
		wrong = search_restless(&search, &resting);
		search.violation = wrong < search.count ? "from here, nothing comes to rest" : NULL;
	}
	result =
	    (struct explore_result){search.violation, search.count, search.target_count, resting};
	printf("%s: %zu states, %zu transitions, %zu at rest: %s\n", config->name, result.states,
	       result.transitions, result.resting,
	       result.violation != NULL ? result.violation : "holds");
	if (result.violation != NULL) {
		print_trace(&search, (uint32_t)wrong);
	}
	fflush(stdout);
	search_close(&search);
	return result;
}
