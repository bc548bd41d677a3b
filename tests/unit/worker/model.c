/* model.c - the world around the workers: producer, log, partition, Graph, person; and what must
 * hold in it. */
#include "tests/unit/worker/model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/op.h"
#include "worker/row.h"

#define NAMES_MAX	16 /* events and keys that are mentioned at once */
#define INCARNATION_MAX 7

static_assert(sizeof(struct model_state) <= (size_t)2 * MODEL_PACKED_SIZE, "two members a byte");

const char *model_event_text(int event)
{
	static const char TEXTS[NAMES_MAX][3] = {"",   "e1", "e2", "e3", "e4", "e5", "e6", "e7",
						 "e8", "e9", "ea", "eb", "ec", "ed", "ee", "ef"};

	return event > 0 ? TEXTS[event] : NULL;
}

const char *model_key_text(int key)
{
	static const char TEXTS[NAMES_MAX][3] = {"",   "k1", "k2", "k3", "k4", "k5", "k6", "k7",
						 "k8", "k9", "ka", "kb", "kc", "kd", "ke", "kf"};

	return key > 0 ? TEXTS[key] : NULL;
}

char model_letter(const struct model_config *config, int version)
{
	if (version == 0) {
		return '-';
	}
	if (version == MODEL_HAND) {
		return 'x';
	}
	return config->history[version - 1];
}

bool model_lacks(const struct model_config *config, unsigned without)
{
	return (config->without & without) != 0;
}

static int last_version(const struct model_config *config)
{
	return (int)strlen(config->history);
}

/* ---- what stands in a state under which name ---- */

static int list_events(struct model_state *state, uint8_t *names[NAMES_MAX])
{
	int count = 0;

	names[count++] = &state->row.event;
	for (int i = 0; i < MODEL_EVENTS_MAX; i++) {
		names[count++] = &state->events[i].id;
	}
	for (int i = 0; i < 2; i++) {
		names[count++] = &state->workers[i].stray;
		names[count++] = &state->workers[i].listed_event;
		names[count++] = &state->workers[i].op.event;
		names[count++] = &state->workers[i].copy.event;
	}
	for (int i = 0; i < MODEL_GHOSTS_MAX; i++) {
		names[count++] = &state->ghosts[i].event;
	}
	return count;
}

static int list_keys(struct model_state *state, uint8_t *names[NAMES_MAX])
{
	int count = 0;

	names[count++] = &state->row.key;
	for (int i = 0; i < MODEL_EVENTS_MAX; i++) {
		names[count++] = &state->events[i].key;
	}
	for (int i = 0; i < 2; i++) {
		names[count++] = &state->workers[i].listed_key;
		names[count++] = &state->workers[i].op.key;
		names[count++] = &state->workers[i].op.match;
		names[count++] = &state->workers[i].copy.key;
	}
	for (int i = 0; i < MODEL_GHOSTS_MAX; i++) {
		names[count++] = &state->ghosts[i].match;
	}
	return count;
}

static uint8_t name_unused(uint8_t *const names[], int count)
{
	uint8_t name = 1;

	for (int i = 0; i < count; i++) {
		if (*names[i] >= name) {
			name = (uint8_t)(*names[i] + 1);
		}
	}
	return name;
}

uint8_t model_new_event(struct model_state *state)
{
	uint8_t *names[NAMES_MAX];
	int count = list_events(state, names);

	return name_unused(names, count);
}

uint8_t model_new_key(struct model_state *state)
{
	uint8_t *names[NAMES_MAX];
	int count = list_keys(state, names);

	return name_unused(names, count);
}

/* By first mention: the same situation gets the same names, however it came about. */
static void rename_all(uint8_t *const names[], int count)
{
	uint8_t renamed[NAMES_MAX] = {0};
	uint8_t used = 0;

	for (int i = 0; i < count; i++) {
		if (*names[i] != 0 && renamed[*names[i]] == 0) {
			renamed[*names[i]] = ++used;
		}
		*names[i] = renamed[*names[i]];
	}
}

/* ---- normal form: what can make no difference is zero ---- */

static bool request_can_matter(const struct model_config *config, struct model_state *state,
			       const struct model_request *request)
{
	if (request->kind != 1 + OP_CREATE) {
		const struct model_event *event = model_event_by_id(state, request->event);

		return event != NULL && (request->match == 0 || request->match == event->key);
	}
	return config->forgets_transactions || model_lacks(config, WITHOUT_TRANSACTION_ID) ||
	       (state->spent[request->incarnation / 4] & (1 << request->incarnation % 4)) == 0;
}

static int compare_ghosts(const void *a, const void *b)
{
	return -memcmp(a, b, sizeof(struct model_request));
}

static void normalise_ghosts(const struct model_config *config, struct model_state *state)
{
	for (int i = 0; i < MODEL_GHOSTS_MAX; i++) {
		struct model_request *ghost = &state->ghosts[i];

		if (ghost->kind != 0 && !request_can_matter(config, state, ghost)) {
			*ghost = (struct model_request){0};
		}
		ghost->covered &= state->row.dirty;
	}
	qsort(state->ghosts, MODEL_GHOSTS_MAX, sizeof *state->ghosts, compare_ghosts);
}

static void normalise_events(struct model_state *state)
{
	struct model_event *events = state->events;

	for (int i = 0; i < MODEL_EVENTS_MAX; i++) {
		if (events[i].id == 0) {
			events[i] = (struct model_event){0};
		}
	}
	if (events[1].id != 0 &&
	    (events[0].id == 0 || events[0].incarnation > events[1].incarnation)) {
		struct model_event first = events[1];

		events[1] = events[0];
		events[0] = first;
	}
}

static bool worker_is_fenced(const struct model_config *config, const struct model_worker *worker)
{
	if (worker->held || worker->phase == WORKER_CALLS || worker->phase == WORKER_REMOVES) {
		return false; /* it notices when it next writes */
	}
	if (worker->phase == WORKER_DONE) {
		return worker->task != FOR_SYNC || !model_lacks(config, WITHOUT_FENCED_FINISH);
	}
	return !model_lacks(config, WITHOUT_FENCE);
}

static void normalise_worker(const struct model_config *config, struct model_state *state, int who)
{
	struct model_worker *worker = &state->workers[who];
	bool has_op = worker->phase == WORKER_CALLS || worker->phase == WORKER_ENDED ||
		      worker->phase == WORKER_GIVES_UP;

	if (worker->phase == WORKER_IDLE || worker_is_fenced(config, worker)) {
		*worker = (struct model_worker){0};
		has_op = false;
	}
	if (!has_op) {
		worker->op = (struct model_op){0};
		worker->pos = 0;
	}
	if (!has_op && state->row.attempt == who + 1) {
		state->row.attempt = 0;
	}
	if (worker->phase != WORKER_READY && worker->phase != WORKER_REMOVES) {
		worker->listed_event = worker->listed_key = worker->listed_version = 0;
		worker->listed_category = worker->listed_theirs = 0;
		worker->stray = 0;
	}
	if (worker->phase != WORKER_READY && worker->phase != WORKER_REMOVES &&
	    worker->phase != WORKER_LOADED) {
		worker->current = worker->settleable = 0;
	}
	if (!model_lacks(config, WITHOUT_COMPARE_AND_SET)) {
		worker->copy = (struct model_row){0};
	}
	worker->covered &=
	    state->row.dirty && (worker->phase == WORKER_CALLS || worker->phase == WORKER_REMOVES);
}

/* Records that are done are of no interest, where nobody can go back to them. */
static void normalise_log(struct model_state *state)
{
	uint8_t done = state->done;

	if (state->budget[RESETS] > 0 || state->replay_to > 0 || done == 0) {
		return;
	}
	state->log_length -= done;
	memmove(state->log, state->log + done, state->log_length);
	memset(state->log + state->log_length, 0, done);
	state->done = 0;
	for (int i = 0; i < 2; i++) {
		struct model_worker *worker = &state->workers[i];

		worker->until = worker->held && worker->until > done ? worker->until - done : 0;
	}
}

static void normalise(const struct model_config *config, struct model_state *state)
{
	uint8_t *names[NAMES_MAX];
	int count;

	if (state->row.pending == 0) {
		state->row.attempt = 0;
	}
	normalise_events(state);
	for (int i = 0; i < 2; i++) {
		normalise_worker(config, state, i);
	}
	normalise_log(state);
	normalise_ghosts(config, state);
	count = list_events(state, names);
	rename_all(names, count);
	count = list_keys(state, names);
	rename_all(names, count);
}

/* What is interrupted is done again, and then nobody knows any more who deleted the event. */
static bool is_fault(const struct model_state *from, const struct model_state *next)
{
	return memcmp(from->budget, next->budget, sizeof from->budget) != 0 &&
	       from->budget[SYNCS] == next->budget[SYNCS];
}

void model_emit_request(struct model_sink *sink, struct model_state *next,
			const struct model_label *label)
{
	if (sink->from->away && is_fault(sink->from, next)) {
		next->away = 0;
	}
	for (int i = 0; i < 2; i++) {
		if (next->row.incarnation > INCARNATION_MAX ||
		    next->workers[i].op.incarnation > INCARNATION_MAX) {
			next->bad = BAD_CAPACITY;
			next->row.incarnation = next->workers[i].op.incarnation = INCARNATION_MAX;
		}
	}
	normalise(sink->config, next);
	sink->emit(sink, next, label);
}

void model_emit(struct model_sink *sink, struct model_state *next, const char *text, int worker,
		int number)
{
	model_emit_request(sink, next, &(struct model_label){text, worker, number, NULL});
}

/* The row's quarantine is over: what was under way when it began has landed or is lost. */
bool model_is_settleable(const struct model_state *state, const struct model_config *config)
{
	if (!state->row.dirty) {
		return false;
	}
	if (model_lacks(config, WITHOUT_QUARANTINE)) {
		return true;
	}
	for (int i = 0; i < MODEL_GHOSTS_MAX; i++) {
		if (state->ghosts[i].covered) {
			return false;
		}
	}
	return !state->workers[0].covered && !state->workers[1].covered;
}

/* ---- what was never answered ---- */

static void expand_ghosts(struct model_sink *sink)
{
	for (int i = 0; i < MODEL_GHOSTS_MAX; i++) {
		struct model_request ghost = sink->from->ghosts[i];
		struct model_state next = *sink->from;
		struct op_answer answer;
		struct model_label label = {"nothing ever comes of the unanswered", -1, -1, &ghost};

		if (ghost.kind == 0) {
			continue;
		}
		next.ghosts[i] = (struct model_request){0};
		model_emit_request(sink, &next, &label);
		next = *sink->from;
		next.ghosts[i] = (struct model_request){0};
		model_land(sink->config, &next, &ghost, false, &answer);
		label.text = "late lands the unanswered";
		model_emit_request(sink, &next, &label);
	}
}

/* ---- the producer ---- */

static void produce(struct model_sink *sink, int version, const char *text)
{
	struct model_state next = *sink->from;

	if (next.log_length == MODEL_LOG_MAX) {
		next.bad = BAD_CAPACITY;
	} else {
		next.log[next.log_length++] = (uint8_t)version;
		next.sent = version > next.sent ? (uint8_t)version : next.sent;
		next.budget[LATE_APPENDS] -= version <= sink->from->sent;
	}
	model_emit(sink, &next, text, -1, version);
}

static void expand_producer(struct model_sink *sink)
{
	const struct model_state *from = sink->from;
	struct model_state next = *from;

	if (from->db < last_version(sink->config)) {
		next.db++;
		model_emit(sink, &next, "the plan becomes version", -1, next.db);
	}
	if (from->sent < from->db) {
		produce(sink, from->sent + 1, "the producer appends version");
	}
	if (from->sent >= 2 && from->budget[LATE_APPENDS] > 0) {
		produce(sink, 1, "a frozen producer appends version");
	}
	if (from->slot < from->sent) {
		next = *from;
		next.slot = next.sent;
		model_emit(sink, &next, "the slot is acknowledged to version", -1, next.slot);
	}
	if (from->slot < from->sent && from->budget[PRODUCER_CRASHES] > 0) {
		next = *from;
		next.sent = next.slot;
		next.budget[PRODUCER_CRASHES]--;
		model_emit(sink, &next, "the producer dies and goes on behind version", -1,
			   next.sent);
	}
}

/* ---- the partition ---- */

static void swap_attempt(struct model_row *row)
{
	if (row->attempt != 0) {
		row->attempt = (uint8_t)(3 - row->attempt);
	}
}

static bool nothing_is_under_way(const struct model_state *state)
{
	return state->workers[0].phase == WORKER_IDLE && state->workers[1].phase == WORKER_IDLE &&
	       state->ghosts[0].kind == 0;
}

static void expand_partition(struct model_sink *sink)
{
	struct model_state next = *sink->from;

	if (next.budget[TAKEOVERS] > 0) {
		next.budget[TAKEOVERS]--;
		next.workers[0] = sink->from->workers[1];
		next.workers[1] = sink->from->workers[0];
		next.workers[0].held = next.workers[1].held = 0;
		swap_attempt(&next.row);
		swap_attempt(&next.workers[0].copy);
		swap_attempt(&next.workers[1].copy);
		model_emit(sink, &next, "the partition moves to the other worker", -1, -1);
	}
	next = *sink->from;
	if (next.budget[RESETS] > 0 && next.done > 0 &&
	    (!sink->config->forbids_step_back || nothing_is_under_way(&next))) {
		next.budget[RESETS]--;
		next.workers[0].held = next.workers[1].held = 0;
		next.done = 0;
		next.replay_to = next.log_length;
		model_emit(sink, &next, "the group is reset", -1, -1);
	}
}

/* ---- the person ---- */

static bool row_shows_event(const struct model_state *state)
{
	return state->row.exists && state->row.event == state->events[0].id &&
	       state->row.state == ROW_SYNCED && state->row.pending == 0 && !state->row.dirty;
}

/* A person's word about one event is not about the one that the plan makes later. */
static bool plan_comes_back(const struct model_config *config)
{
	const char *removal = strchr(config->history, '-');

	return removal != NULL && removal[1] != '\0';
}

static void expand_hand(struct model_sink *sink, int place)
{
	const struct model_state *from = sink->from;
	struct model_state next = *from;

	if (from->events[place].id == 0) {
		return;
	}
	if (from->budget[HAND_EDITS] > 0) {
		next.budget[HAND_EDITS]--;
		next.events[place].version = MODEL_HAND;
		next.events[place].category = 0;
		next.events[place].key = model_new_key(&next);
		next.touched = 1;
		model_emit(sink, &next, "the person edits the event", -1, -1);
	}
	if (from->budget[HAND_CATEGORIES] > 0) {
		next = *from;
		next.budget[HAND_CATEGORIES]--;
		next.events[place].theirs = 1;
		next.events[place].key = model_new_key(&next);
		model_emit(sink, &next, "the person gives the event a category", -1, -1);
	}
	if (from->budget[HAND_DELETIONS] > 0) {
		next = *from;
		next.budget[HAND_DELETIONS]--;
		next.touched = 1;
		next.away = sink->config->respects_deletion && row_shows_event(from) &&
			    nothing_is_under_way(from) && !plan_comes_back(sink->config);
		next.events[place].id = 0;
		model_emit(sink, &next, "the person deletes the event", -1, -1);
	}
}

static void expand_person(struct model_sink *sink)
{
	struct model_state next = *sink->from;

	if (next.budget[SYNCS] > 0 && !next.asked) {
		next.budget[SYNCS]--;
		next.asked = 1;
		model_emit(sink, &next, "the person asks for a sync", -1, -1);
	}
	for (int i = 0; i < MODEL_EVENTS_MAX; i++) {
		expand_hand(sink, i);
	}
}

/* ---- all of it ---- */

void model_init(struct model_state *state, const struct model_config *config)
{
	*state = (struct model_state){0};
	memcpy(state->budget, config->budget, sizeof state->budget);
}

void model_expand(struct model_sink *sink)
{
	expand_producer(sink);
	expand_partition(sink);
	expand_person(sink);
	expand_ghosts(sink);
	model_expand_worker(sink, 0);
	model_expand_worker(sink, 1);
}

bool model_is_quiescent(const struct model_state *state, const struct model_config *config)
{
	bool is_told = state->db == last_version(config) && state->slot == state->db &&
		       state->sent == state->db && state->done == state->log_length;
	bool is_clean = model_lacks(config, WITHOUT_REASSERT) ||
			(!state->row.dirty && !state->due && state->row.pending == 0);

	return is_told && is_clean && !state->asked && state->replay_to == 0 &&
	       nothing_is_under_way(state);
}

static const char *quiescent_violation(const struct model_state *state,
				       const struct model_config *config)
{
	char wanted = model_letter(config, last_version(config));
	const struct model_event *event = &state->events[0];

	if (state->events[1].id != 0) {
		return "at rest, there are two events";
	}
	if (wanted == '-') {
		return event->id != 0 ? "at rest, an event is left that nobody wants" : NULL;
	}
	if (state->touched) {
		return NULL; /* since then nobody had a reason to look */
	}
	if (config->respects_deletion && state->row.state == ROW_HIDDEN &&
	    state->budget[HAND_DELETIONS] < config->budget[HAND_DELETIONS]) {
		return event->id != 0 ? "at rest, an event is shown that its row hides" : NULL;
	}
	if (event->id == 0) {
		return "at rest, the event is missing";
	}
	if (model_letter(config, event->version) != wanted) {
		return "at rest, the event is not the last version";
	}
	return event->category != model_category(config, last_version(config))
		   ? "at rest, the event carries another category of ours"
		   : NULL;
}

const char *model_violation(const struct model_state *state, const struct model_config *config)
{
	static const char *const TEXTS[] = {[BAD_DUPLICATE] = "two events of one assignment",
					    [BAD_STEP_BACK] = "an older version is shown again",
					    [BAD_LOSS] = "a category of the person's is lost",
					    [BAD_CAPACITY] =
						"the model is too small for this configuration"};

	if (state->bad != BAD_NOTHING) {
		return TEXTS[state->bad];
	}
	if (state->away && state->events[0].id != 0) {
		return "an event comes back that the person deleted, and is respected";
	}
	return model_is_quiescent(state, config) ? quiescent_violation(state, config) : NULL;
}

void model_pack(const struct model_state *state, uint8_t packed[MODEL_PACKED_SIZE])
{
	uint8_t bytes[2 * MODEL_PACKED_SIZE] = {0};
	uint8_t all = 0;

	memcpy(bytes, state, sizeof *state);
	for (size_t i = 0; i < MODEL_PACKED_SIZE; i++) {
		all |= bytes[2 * i] | bytes[2 * i + 1];
		packed[i] = (uint8_t)(bytes[2 * i] << 4 | bytes[2 * i + 1]);
	}
	assert(all < 16);
}

void model_unpack(const uint8_t packed[MODEL_PACKED_SIZE], struct model_state *state)
{
	uint8_t bytes[2 * MODEL_PACKED_SIZE];

	for (size_t i = 0; i < MODEL_PACKED_SIZE; i++) {
		bytes[2 * i] = packed[i] >> 4;
		bytes[2 * i + 1] = packed[i] & 15;
	}
	memcpy(state, bytes, sizeof *state);
}
