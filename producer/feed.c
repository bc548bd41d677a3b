/* feed.c - decoded changes wait here, in stream order, until what they need is known. */
#include "producer/feed.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "producer/debezium.h"
#include "producer/keyset.h"

enum feed_kind { FEED_ASSIGNMENT, FEED_PROJECT, FEED_REQUEST, FEED_SCOPE, FEED_COMMIT };

/* Points into the message it came with, until it is kept: then it has taken over the frame and
 * holds the relation. */
struct feed_item {
	struct feed_item *next;
	enum feed_kind kind;
	struct feed_place place;
	uint64_t end_lsn;   /* commit */
	struct scope scope; /* scope */
	struct assemble_change change;
	struct lookup_entry *project; /* held; NULL: this change needs none */
	struct relation *relation;    /* held */
	char *frame;
	size_t bytes;
	struct pgoutput_value values[]; /* old, then new; their text is in frame */
};

/* ---- items ---- */

static void let_go_of_project(struct feed *feed, const struct feed_item *item)
{
	if (item->project != NULL) {
		lookup_let_go(feed->lookup, item->project);
	}
}

static void item_free(struct feed *feed, struct feed_item *item)
{
	let_go_of_project(feed, item);
	relation_let_go(item->relation);
	PQfreemem(item->frame);
	free(item);
}

static void append(struct feed *feed, struct feed_item *item)
{
	item->bytes += sizeof *item;
	*feed->last = item;
	feed->last = &item->next;
	feed->count++;
	feed->bytes += item->bytes;
}

static struct feed_item *take_first(struct feed *feed)
{
	struct feed_item *item = feed->first;

	feed->first = item->next;
	if (feed->first == NULL) {
		feed->last = &feed->first;
	}
	feed->count--;
	feed->bytes -= item->bytes;
	return item;
}

static enum feed_kind kind_of(const struct relation *relation)
{
	switch (relation->role) {
	case RELATION_ASSIGNMENTS:
		return FEED_ASSIGNMENT;
	case RELATION_PROJECTS:
		return FEED_PROJECT;
	default:
		return FEED_REQUEST;
	}
}

/* ---- letting out ---- */

static struct pos pos_of(const struct feed_place *place, uint32_t ordinal)
{
	return (struct pos){.commit_lsn = place->commit_lsn, .ordinal = ordinal};
}

/* As Debezium counts them where it captures the same tables. */
static struct debezium_order count_event(struct feed *feed, const struct feed_item *item)
{
	struct feed_count *events = &feed->events;

	if (events->number != item->place.number) {
		*events = (struct feed_count){.number = item->place.number};
	}
	events->of_role[item->change.relation->role]++;
	events->total++;
	if (!feed->tells_transaction) {
		return (struct debezium_order){0};
	}
	return (struct debezium_order){.total = events->total + item->place.messages,
				       .of_table = events->of_role[item->change.relation->role]};
}

static bool emit_one(struct feed *feed, const struct feed_item *item,
		     const struct assemble_record *record, struct fault *fault)
{
	const struct feed_place *place = &item->place;
	const struct assemble_change *change = &item->change;
	bool is_request = item->kind == FEED_REQUEST;
	struct debezium_row before = {.values = change->old_values, .count = change->old_count};
	struct debezium_row after = {.values = change->new_values,
				     .count = change->new_count,
				     .fallback = change->old_values,
				     .fallback_count = change->old_count};
	bool shows_before = change->old_values != NULL && (record->op == 'u' || record->op == 'd');
	bool shows_after = record->op == 'u' || record->op == 'c';
	struct debezium_event event = {.source = {.snapshot = "false",
						  .time_us = place->commit_time_us,
						  .has_place = true,
						  .lsn = place->lsn,
						  .xid = place->xid,
						  .last_commit_lsn = place->last_commit_lsn,
						  .origin = place->origin,
						  .origin_lsn = place->origin_lsn},
				       .relation = change->relation,
				       .before = shows_before ? &before : NULL,
				       .after = shows_after ? &after : NULL};
	struct emit_record out = {.topic = is_request ? TAILS_REQUESTS : TAILS_ASSIGNMENTS,
				  .pos = pos_of(place, record->ordinal),
				  .cause = is_request ? "request" : "row",
				  .relation = change->relation,
				  .record = record,
				  .event = record->op != '\0' ? &event : NULL,
				  .number = place->number};
	bool sent = false;

	if (record->op != '\0') {
		event.order = count_event(feed, item);
	}
	if (!is_request) {
		event.project = shows_after && item->project != NULL ? item->project->json : "null";
	}
	if (!emit_send(feed->emit, &out, &sent, fault)) {
		return false;
	}
	if (sent) {
		ack_sent(feed->ack, place->number);
	}
	return true;
}

static bool let_out_row(struct feed *feed, const struct feed_item *item, struct fault *fault)
{
	struct assemble_record records[ASSEMBLE_RECORDS_MAX];
	int count = assemble_records(&item->change, records);

	for (int i = 0; i < count; i++) {
		if (!emit_one(feed, item, &records[i], fault)) {
			return false;
		}
	}
	return true;
}

/* Keeps the project we know true to the stream. */
static bool learn_project(struct feed *feed, const struct feed_item *item, struct fault *fault)
{
	const struct assemble_change *change = &item->change;
	int at = change->relation->at.id;
	struct debezium_row row = {.values = change->new_values,
				   .count = change->new_count,
				   .fallback = change->old_values,
				   .fallback_count = change->old_count};
	struct uuid id;
	struct buf json;
	bool ok;

	if (change->old_values != NULL && at < change->old_count &&
	    keyset_read_id(&change->old_values[at], &id) &&
	    (change->new_values == NULL ||
	     !pgoutput_same(&change->old_values[at], &change->new_values[at]))) {
		lookup_learn(feed->lookup, &id, "null", item->place.xid);
	}
	if (change->new_values == NULL || at >= change->new_count ||
	    !keyset_read_id(assemble_new_value(change, at), &id)) {
		return true;
	}
	buf_init(&json, PUBLISH_RECORD_MAX_BYTES);
	debezium_write_project(&json, change->relation, &row);
	ok = !json.failed;
	if (ok) {
		lookup_learn(feed->lookup, &id, buf_string(&json), item->place.xid);
	}
	buf_close(&json);
	return ok || fault_fatal(fault, "a project's row is larger than %d bytes",
				 PUBLISH_RECORD_MAX_BYTES);
}

static void let_out_scope(struct feed *feed, const struct feed_item *item,
			  const struct scope *scope, const char *cause)
{
	struct fanout_place place = {.pos = pos_of(&item->place, assemble_ordinal(item->place.row)),
				     .commit_time_us = item->place.commit_time_us,
				     .number = item->place.number};

	fanout_start(feed->fanout, scope, cause, &place);
}

/* A project that gets another id is two events: one goes, one comes. */
static void count_project(struct feed *feed, const struct feed_item *item)
{
	const struct assemble_change *change = &item->change;
	int at = change->relation->at.id;

	(void)count_event(feed, item);
	if (change->kind == 'U' && change->old_values != NULL && at < change->old_count &&
	    at < change->new_count &&
	    !pgoutput_same(&change->old_values[at], &change->new_values[at])) {
		(void)count_event(feed, item);
	}
}

static bool let_out_project(struct feed *feed, const struct feed_item *item, struct fault *fault)
{
	const struct assemble_change *change = &item->change;
	struct scope scope = {.kind = SCOPE_PROJECT};

	count_project(feed, item);
	if (!learn_project(feed, item, fault)) {
		return false;
	}
	if (assemble_project_shows(change) &&
	    keyset_read_id(assemble_new_value(change, change->relation->at.id), &scope.id)) {
		let_out_scope(feed, item, &scope, "project");
	}
	return true;
}

static bool let_out(struct feed *feed, const struct feed_item *item, struct fault *fault)
{
	switch (item->kind) {
	case FEED_ASSIGNMENT:
	case FEED_REQUEST:
		return let_out_row(feed, item, fault);
	case FEED_PROJECT:
		return let_out_project(feed, item, fault);
	case FEED_SCOPE:
		let_out_scope(feed, item, &item->scope, "snapshot");
		return true;
	case FEED_COMMIT:
		ack_commit(feed->ack, item->place.number, item->end_lsn);
		return true;
	}
	return false;
}

static bool may_leave(const struct feed *feed, const struct feed_item *item)
{
	return !feed->stopped && !feed->fanout->active && publish_has_room(feed->emit->publish) &&
	       (item->project == NULL || item->project->json != NULL);
}

/* ---- taking ---- */

/* The new row's project, asked for as soon as it is known to be needed. */
static bool hold_project(struct feed *feed, struct feed_item *item, struct fault *fault)
{
	const struct assemble_change *change = &item->change;
	int place = change->relation->at.project_id;
	struct uuid id;

	if (item->kind != FEED_ASSIGNMENT || change->new_values == NULL ||
	    place >= change->new_count || !keyset_read_id(assemble_new_value(change, place), &id)) {
		return true;
	}
	item->project = lookup_hold(feed->lookup, &id);
	return item->project != NULL || fault_fatal(fault, "out of memory");
}

/* The item as one that can wait; takes over what it holds, and the frame.  NULL without memory. */
static struct feed_item *keep(const struct feed_item *item, const struct feed_frame *frame,
			      struct relation *relation)
{
	const struct assemble_change *change = &item->change;
	size_t values = (size_t)change->old_count + change->new_count;
	struct feed_item *kept = malloc(sizeof *kept + values * sizeof *kept->values);
	struct pgoutput_value *new_values;

	if (kept == NULL) {
		return NULL;
	}
	*kept = *item;
	kept->relation = relation_hold(relation);
	kept->frame = frame->bytes;
	kept->bytes = frame->length + values * sizeof *kept->values;
	new_values = kept->values + change->old_count;
	if (change->old_values != NULL) {
		memcpy(kept->values, change->old_values, change->old_count * sizeof *kept->values);
		kept->change.old_values = kept->values;
	}
	if (change->new_values != NULL) {
		memcpy(new_values, change->new_values, change->new_count * sizeof *kept->values);
		kept->change.new_values = new_values;
	}
	return kept;
}

static struct feed_item item_of(const struct pgoutput_message *message,
				const struct relation *relation, const struct feed_place *place)
{
	struct feed_item item = {
	    .kind = kind_of(relation),
	    .place = *place,
	    .change = {.relation = relation, .kind = (char)message->kind, .row = place->row}};

	if (message->old_kind != '\0') {
		item.change.old_values = message->old_tuple.values;
		item.change.old_count = message->old_tuple.count;
	}
	if (message->kind != PGOUTPUT_DELETE) {
		item.change.new_values = message->new_tuple.values;
		item.change.new_count = message->new_tuple.count;
	}
	return item;
}

bool feed_take_row(struct feed *feed, const struct feed_frame *frame, struct relation *relation,
		   const struct feed_place *place, struct fault *fault)
{
	struct feed_item item = item_of(frame->message, relation, place);
	struct feed_item *kept;
	bool ok;

	if (!hold_project(feed, &item, fault)) {
		PQfreemem(frame->bytes);
		return false;
	}
	if (feed->first == NULL && may_leave(feed, &item)) {
		ok = let_out(feed, &item, fault);
		let_go_of_project(feed, &item);
		PQfreemem(frame->bytes);
		return ok;
	}
	kept = keep(&item, frame, relation);
	if (kept == NULL) {
		let_go_of_project(feed, &item);
		PQfreemem(frame->bytes);
		return fault_fatal(fault, "out of memory");
	}
	append(feed, kept);
	return true;
}

/* What holds nothing but itself. */
static bool take(struct feed *feed, const struct feed_item *item, struct fault *fault)
{
	struct feed_item *kept;

	if (feed->first == NULL && may_leave(feed, item)) {
		return let_out(feed, item, fault);
	}
	kept = malloc(sizeof *kept);
	if (kept == NULL) {
		return fault_fatal(fault, "out of memory");
	}
	*kept = *item;
	append(feed, kept);
	return true;
}

bool feed_take_scope(struct feed *feed, const struct scope *scope, const struct feed_place *place,
		     struct fault *fault)
{
	return take(feed, &(struct feed_item){.kind = FEED_SCOPE, .place = *place, .scope = *scope},
		    fault);
}

bool feed_take_commit(struct feed *feed, uint64_t number, uint64_t end_lsn, struct fault *fault)
{
	return take(feed,
		    &(struct feed_item){
			.kind = FEED_COMMIT, .place = {.number = number}, .end_lsn = end_lsn},
		    fault);
}

bool feed_has_room(const struct feed *feed)
{
	return feed->count < FEED_ITEMS_MAX && feed->bytes < FEED_MAX_BYTES &&
	       publish_has_room(feed->emit->publish);
}

/* ---- what waits ---- */

void feed_pump(struct feed *feed)
{
	struct fault fault = {0};
	bool ok = true;

	if (feed->pumping || feed->stopped) {
		return;
	}
	feed->pumping = true;
	while (ok && feed->first != NULL && may_leave(feed, feed->first)) {
		struct feed_item *item = take_first(feed);

		ok = let_out(feed, item, &fault);
		item_free(feed, item);
	}
	lookup_ask(feed->lookup);
	feed->pumping = false;
	if (!ok) {
		feed->stopped = true;
		feed->failed(feed, &fault);
		return;
	}
	feed->moved(feed);
}

void feed_init(struct feed *feed)
{
	*feed = (struct feed){0};
	feed->last = &feed->first;
}

void feed_clear(struct feed *feed)
{
	while (feed->first != NULL) {
		item_free(feed, take_first(feed));
	}
	feed->stopped = false;
	feed->events = (struct feed_count){0};
}
