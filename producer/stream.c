/* stream.c - the replication connection once it streams.
 *
 * Frames (all numbers big-endian):
 *   w  u64 start lsn, u64 server's end, u64 time, pgoutput message    the server sends
 *   k  u64 server's end, u64 time, u8 answer at once                  the server sends
 *   r  u64 written, u64 flushed, u64 applied, u64 time, u8 answer     we send */
#include "producer/stream.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "producer/bytes.h"

#define STREAM_FRAMES_BUDGET 512 /* per turn of the loop */
#define STREAM_TICK_MS	     250
#define STREAM_STATUS_MS     1000  /* at the latest; see SLOT_SENDER_TIMEOUT_MS */
#define STREAM_ASK_MS	     10000 /* nothing heard: ask for an answer */
#define STREAM_SILENT_MAX_MS 40000 /* nothing heard: the connection is dead */

static void stream_pump(struct stream *stream);

static void stream_fail(struct stream *stream, const struct fault *fault)
{
	stream->reading = false;
	stream->failed(stream, fault);
}

static bool stream_has_room(const struct stream *stream)
{
	return feed_has_room(stream->feed) && !ack_is_full(stream->ack);
}

/* ---- status ---- */

static void put_u64(char *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof value);
}

static bool send_status(struct stream *stream, bool ask, struct fault *fault)
{
	char frame[34] = {'r'};
	uint64_t lsn = stream->ack->flushed_lsn;

	put_u64(frame + 1, lsn);
	put_u64(frame + 9, lsn);
	put_u64(frame + 17, lsn);
	put_u64(frame + 25, (uint64_t)(clock_wall_us() - PGOUTPUT_EPOCH_US));
	frame[33] = ask ? 1 : 0;
	stream->told_lsn = lsn;
	stream->told_ms = clock_mono_ms();
	return session_put(stream->session, frame, sizeof frame, fault);
}

void stream_tell(struct stream *stream)
{
	struct fault fault;

	if (stream->session != NULL && !send_status(stream, false, &fault)) {
		stream_fail(stream, &fault);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct stream *stream = container_of(timer, struct stream, tick);
	int64_t now_ms = clock_mono_ms();
	bool moved = stream->ack->flushed_lsn != stream->told_lsn;
	struct fault fault;
	int64_t silent_ms;

	if (!stream->reading || !stream_has_room(stream)) {
		stream->heard_ms = now_ms; /* we do not listen, so we can't hear */
	}
	silent_ms = now_ms - stream->heard_ms;
	if (silent_ms > STREAM_SILENT_MAX_MS) {
		fault_retry(&fault, "the replication connection is silent");
		stream_fail(stream, &fault);
		return;
	}
	if ((moved || now_ms - stream->told_ms >= STREAM_STATUS_MS) &&
	    !send_status(stream, silent_ms > STREAM_ASK_MS, &fault)) {
		stream_fail(stream, &fault);
	}
}

/* ---- messages ---- */

/* Everything up to lsn was sent by now.  False where what Kafka has was not among it. */
static bool is_as_expected(struct stream *stream, uint64_t lsn, struct fault *fault)
{
	if (stream->expected_lsn == 0 || lsn <= stream->expected_lsn) {
		return true;
	}
	stream->is_other = true;
	return fault_retry(fault, "the server's log is not the one that the topic was written "
				  "from: it was set back to an older state");
}

struct stream_origin {
	struct stream_origin *next;
	char name[];
};

/* Kept until stream_close: a server has few. */
static bool take_origin(struct stream *stream, struct fault *fault)
{
	const char *name = stream->message.origin;
	struct stream_origin *origin = stream->origins;

	while (origin != NULL && strcmp(origin->name, name) != 0) {
		origin = origin->next;
	}
	if (origin == NULL) {
		origin = malloc(sizeof *origin + strlen(name) + 1);
		if (origin == NULL) {
			return fault_fatal(fault, "out of memory");
		}
		memcpy(origin->name, name, strlen(name) + 1);
		origin->next = stream->origins;
		stream->origins = origin;
	}
	stream->place.origin = origin->name;
	stream->place.origin_lsn = stream->message.origin_lsn;
	return true;
}

static void forget_origins(struct stream *stream)
{
	while (stream->origins != NULL) {
		struct stream_origin *origin = stream->origins;

		stream->origins = origin->next;
		free(origin);
	}
}

static bool begin_transaction(struct stream *stream, struct fault *fault)
{
	const struct pgoutput_message *message = &stream->message;

	if (!is_as_expected(stream, message->commit_lsn, fault)) {
		return false;
	}
	if (message->commit_lsn == stream->expected_lsn) {
		stream->expected_lsn = 0;
	}
	stream->in_transaction = true;
	stream->place = (struct feed_place){
	    .number = ack_begin(stream->ack, message->xid, message->commit_time_us),
	    .commit_lsn = message->commit_lsn,
	    .commit_time_us = message->commit_time_us,
	    .xid = message->xid,
	    .last_commit_lsn = stream->last_commit_lsn};
	return true;
}

static bool commit_transaction(struct stream *stream, struct fault *fault)
{
	stream->in_transaction = false;
	stream->last_commit_lsn = stream->message.end_lsn;
	return feed_take_commit(stream->feed, stream->place.number, stream->message.end_lsn, fault);
}

/* A type of the host's own that the catalog did not have when it was read: read it again, once. */
static bool explain_types(struct stream *stream, struct relation *relation, struct fault *fault)
{
	if (relation->role == RELATION_OTHER ||
	    (relation->typed && !stream->catalog->settings->schemas_enable)) {
		return true;
	}
	if (catalog_explain(stream->catalog, relation)) {
		if (stream->unexplained_type == relation->oid) {
			stream->unexplained_type = 0; /* the next one has its own chance */
		}
		return true;
	}
	if (stream->unexplained_type == relation->oid) {
		catalog_settle(stream->catalog, relation);
		return true;
	}
	stream->unexplained_type = relation->oid;
	return fault_retry(fault, "table %s is not as the catalog has it: reading it anew",
			   relation->table);
}

static bool learn_relation(struct stream *stream, struct fault *fault)
{
	struct relation *relation;

	if (!relations_learn(&stream->relations, &stream->message, fault)) {
		return false;
	}
	relation = relations_find(&stream->relations, stream->message.relation, fault);
	return relation != NULL && explain_types(stream, relation, fault);
}

/* Counts what stood in the transaction, published or not. */
static bool next_row(struct stream *stream, struct fault *fault)
{
	if (stream->place.row >= ASSEMBLE_ROWS_MAX) {
		return fault_fatal(fault, "a transaction has too many rows");
	}
	stream->place.row++;
	return true;
}

static void warn_of_truncate(const struct stream *stream)
{
	const struct pgoutput_message *message = &stream->message;

	for (uint32_t i = 0; i < message->truncated_count && i < 16; i++) {
		struct relation *relation;
		struct fault fault;

		relation = relations_find(&stream->relations, message->truncated[i], &fault);
		if (relation != NULL && relation->role != RELATION_OTHER) {
			log_warn("a table was truncated: which rows went is not in the log, so "
				 "no removal is published",
				 LOG_TEXT("table", relation->table));
		}
	}
}

/* A message of ours takes the place of a row; anybody may write one, so nonsense stops nothing. */
static bool take_logical(struct stream *stream, struct fault *fault)
{
	const struct pgoutput_message *message = &stream->message;
	struct scope scope;

	stream->place.messages += stream->in_transaction;
	if (!message->is_transactional || !stream->in_transaction ||
	    strcmp(message->prefix, SCOPE_MESSAGE) != 0) {
		return true;
	}
	if (!scope_parse(message->content, message->content_length, &scope)) {
		log_warn("a message that asks for a snapshot of what nobody knows",
			 LOG_TEXT("prefix", SCOPE_MESSAGE));
		return true;
	}
	return feed_take_scope(stream->feed, &scope, &stream->place, fault) &&
	       next_row(stream, fault);
}

/* Hands a row to the feed, which takes over the frame. */
static bool take_row(struct stream *stream, char **frame, size_t length, uint64_t lsn,
		     struct fault *fault)
{
	struct relation *relation =
	    relations_find(&stream->relations, stream->message.relation, fault);
	struct feed_frame taken = {.bytes = *frame, .length = length, .message = &stream->message};

	if (relation == NULL || !relation_fits(relation, &stream->message, fault)) {
		return false;
	}
	stream->place.lsn = lsn;
	if (relation->role != RELATION_OTHER) {
		*frame = NULL;
		if (!feed_take_row(stream->feed, &taken, relation, &stream->place, fault)) {
			return false;
		}
	}
	return next_row(stream, fault);
}

static bool take_message(struct stream *stream, char **frame, size_t length, uint64_t lsn,
			 struct fault *fault)
{
	switch (stream->message.kind) {
	case PGOUTPUT_BEGIN:
		return begin_transaction(stream, fault);
	case PGOUTPUT_COMMIT:
		return commit_transaction(stream, fault);
	case PGOUTPUT_RELATION:
		return learn_relation(stream, fault);
	case PGOUTPUT_INSERT:
	case PGOUTPUT_UPDATE:
	case PGOUTPUT_DELETE:
		return take_row(stream, frame, length, lsn, fault);
	case PGOUTPUT_TRUNCATE:
		warn_of_truncate(stream);
		return true;
	case PGOUTPUT_MESSAGE:
		return take_logical(stream, fault);
	case PGOUTPUT_ORIGIN:
		return take_origin(stream, fault);
	case PGOUTPUT_TYPE:
		return true;
	}
	return true;
}

/* ---- frames ---- */

static bool take_frame(struct stream *stream, char **frame, size_t length, struct fault *fault)
{
	struct bytes in = bytes_of(*frame, length);
	char kind = (char)bytes_u8(&in);
	uint64_t first = bytes_u64(&in);
	size_t left;

	if (kind == 'k') {
		bytes_u64(&in);
		if (!is_as_expected(stream, first, fault)) {
			return false;
		}
		ack_keepalive(stream->ack, first);
		return bytes_u8(&in) == 0 || send_status(stream, false, fault);
	}
	bytes_u64(&in);
	bytes_u64(&in);
	left = bytes_left(&in);
	if (kind != 'w' || !bytes_ok(&in)) {
		return fault_fatal(fault, "a replication frame of unknown kind 0x%02x",
				   (unsigned)kind & 0xff);
	}
	return pgoutput_decode(in.at, left, &stream->message, fault) &&
	       take_message(stream, frame, length, first, fault);
}

static void on_more(struct loop_call *call)
{
	struct stream *stream = container_of(call, struct stream, more);

	stream->more_due = false;
	stream_pump(stream);
}

static void pump_later(struct stream *stream)
{
	if (!stream->more_due) {
		stream->more_due = true;
		loop_defer(stream->loop, &stream->more, on_more);
	}
}

/* Takes frames while there are any and there is room.  False with the fault that ends it. */
static bool take_frames(struct stream *stream, struct fault *fault)
{
	for (int i = 0; i < STREAM_FRAMES_BUDGET; i++) {
		char *frame = NULL;
		int length;
		bool ok;

		if (!stream_has_room(stream)) {
			stream->is_full = true;
			session_read(stream->session, false);
			return true;
		}
		length = session_frame(stream->session, &frame, fault);
		if (length <= 0) {
			session_read(stream->session, true);
			return length == 0;
		}
		if (i == 0) {
			stream->heard_ms = clock_mono_ms();
		}
		ok = take_frame(stream, &frame, (size_t)length, fault);
		PQfreemem(frame);
		if (!ok) {
			return false;
		}
	}
	pump_later(stream);
	return true;
}

static void stream_pump(struct stream *stream)
{
	struct fault fault = {0};

	if (!stream->reading || stream->session == NULL) {
		return;
	}
	if (!take_frames(stream, &fault)) {
		stream_fail(stream, &fault);
		return;
	}
	feed_pump(stream->feed);
}

static void on_readable(void *context)
{
	stream_pump(context);
}

/* ---- life ---- */

void stream_init(struct stream *stream, struct loop *loop, const struct hostmap *map)
{
	*stream = (struct stream){.loop = loop};
	relations_init(&stream->relations, map);
	uv_timer_init(&loop->uv, &stream->tick);
}

void stream_close(struct stream *stream)
{
	stream_drop(stream);
	forget_origins(stream);
	uv_close((uv_handle_t *)&stream->tick, NULL);
}

void stream_open(struct stream *stream, struct session *session)
{
	stream->session = session;
	stream->reading = false;
	stream->is_full = false;
	stream->in_transaction = false;
	stream->told_lsn = 0;
	stream->told_ms = clock_mono_ms();
	stream->heard_ms = stream->told_ms;
	session_on_readable(session, on_readable, stream);
	session_read(session, false);
	uv_timer_start(&stream->tick, on_tick, STREAM_TICK_MS, STREAM_TICK_MS);
}

void stream_read(struct stream *stream)
{
	stream->reading = true;
	stream->last_commit_lsn = stream->ack->done_lsn;
	stream->heard_ms = clock_mono_ms();
	session_read(stream->session, true);
	pump_later(stream);
}

/* Frames may wait inside libpq, so it is not enough to watch the socket again. */
void stream_resume(struct stream *stream)
{
	if (stream->reading && stream->is_full && stream_has_room(stream)) {
		stream->is_full = false;
		pump_later(stream);
	}
}

void stream_stop_reading(struct stream *stream)
{
	stream->reading = false;
	if (stream->session != NULL) {
		session_read(stream->session, false);
	}
}

void stream_drop(struct stream *stream)
{
	stream->reading = false;
	uv_timer_stop(&stream->tick);
	session_free(stream->session);
	stream->session = NULL;
	relations_clear(&stream->relations);
}
