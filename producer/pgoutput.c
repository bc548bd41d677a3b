/* pgoutput.c - decodes one message of PostgreSQL's pgoutput plugin. */
#include "producer/pgoutput.h"

#include <string.h>

#include "producer/bytes.h"

static void read_tuple(struct bytes *in, struct pgoutput_tuple *tuple)
{
	tuple->count = bytes_u16(in);
	if (tuple->count > PGOUTPUT_COLUMNS_MAX) {
		in->failed = true;
		tuple->count = 0;
	}
	for (uint16_t i = 0; i < tuple->count; i++) {
		struct pgoutput_value *value = &tuple->values[i];

		*value = (struct pgoutput_value){.kind = (char)bytes_u8(in), .text = ""};
		if (value->kind == 't') {
			value->length = bytes_u32(in);
			value->text = bytes_take(in, value->length);
		} else if (value->kind != 'n' && value->kind != 'u') {
			in->failed = true;
		}
		if (in->failed) {
			tuple->count = 0;
			return;
		}
	}
}

/* Refuses what is no time of a commit: its nanoseconds have to fit 64 bits. */
static int64_t read_time_us(struct bytes *in)
{
	int64_t time_us;

	if (__builtin_add_overflow((int64_t)bytes_u64(in), PGOUTPUT_EPOCH_US, &time_us) ||
	    time_us > INT64_MAX / 1000 || time_us < INT64_MIN / 1000) {
		in->failed = true;
		return 0;
	}
	return time_us;
}

static void read_begin(struct bytes *in, struct pgoutput_message *message)
{
	message->commit_lsn = bytes_u64(in);
	message->commit_time_us = read_time_us(in);
	message->xid = bytes_u32(in);
}

static void read_commit(struct bytes *in, struct pgoutput_message *message)
{
	bytes_u8(in);
	message->commit_lsn = bytes_u64(in);
	message->end_lsn = bytes_u64(in);
	message->commit_time_us = read_time_us(in);
}

static void read_relation(struct bytes *in, struct pgoutput_message *message)
{
	message->relation = bytes_u32(in);
	message->schema = bytes_cstr(in);
	message->table = bytes_cstr(in);
	message->identity = (char)bytes_u8(in);
	message->column_count = bytes_u16(in);
	if (message->column_count > PGOUTPUT_COLUMNS_MAX) {
		in->failed = true;
		message->column_count = 0;
	}
	for (uint16_t i = 0; i < message->column_count; i++) {
		struct pgoutput_column *column = &message->columns[i];

		column->is_key = (bytes_u8(in) & 1) != 0;
		column->name = bytes_cstr(in);
		column->type = bytes_u32(in);
		column->modifier = (int32_t)bytes_u32(in);
	}
}

static void read_new(struct bytes *in, struct pgoutput_message *message, char kind)
{
	if (kind != 'N') {
		in->failed = true;
	} else {
		read_tuple(in, &message->new_tuple);
	}
}

/* Reads an old tuple where there is one; returns the byte that follows it. */
static char read_old(struct bytes *in, struct pgoutput_message *message)
{
	char kind = (char)bytes_u8(in);

	if (kind != 'K' && kind != 'O') {
		return kind;
	}
	message->old_kind = kind;
	read_tuple(in, &message->old_tuple);
	kind = '\0';
	if (message->kind == PGOUTPUT_UPDATE) {
		kind = (char)bytes_u8(in);
	}
	return kind;
}

static void read_row(struct bytes *in, struct pgoutput_message *message)
{
	message->relation = bytes_u32(in);
	if (message->kind == PGOUTPUT_INSERT) {
		read_new(in, message, (char)bytes_u8(in));
	} else if (message->kind == PGOUTPUT_UPDATE) {
		read_new(in, message, read_old(in, message));
	} else {
		read_old(in, message);
		in->failed = in->failed || message->old_kind == '\0';
	}
}

static void read_truncate(struct bytes *in, struct pgoutput_message *message)
{
	message->truncated_count = bytes_u32(in);
	bytes_u8(in);
	for (uint32_t i = 0; i < message->truncated_count && !in->failed; i++) {
		uint32_t oid = bytes_u32(in);

		if (i < sizeof message->truncated / sizeof *message->truncated) {
			message->truncated[i] = oid;
		}
	}
}

static void read_logical(struct bytes *in, struct pgoutput_message *message)
{
	message->is_transactional = (bytes_u8(in) & 1) != 0;
	bytes_u64(in);
	message->prefix = bytes_cstr(in);
	message->content_length = bytes_u32(in);
	message->content = bytes_take(in, message->content_length);
}

static bool read_body(struct bytes *in, struct pgoutput_message *message)
{
	switch (message->kind) {
	case PGOUTPUT_BEGIN:
		read_begin(in, message);
		return true;
	case PGOUTPUT_COMMIT:
		read_commit(in, message);
		return true;
	case PGOUTPUT_RELATION:
		read_relation(in, message);
		return true;
	case PGOUTPUT_INSERT:
	case PGOUTPUT_UPDATE:
	case PGOUTPUT_DELETE:
		read_row(in, message);
		return true;
	case PGOUTPUT_TRUNCATE:
		read_truncate(in, message);
		return true;
	case PGOUTPUT_MESSAGE:
		read_logical(in, message);
		return true;
	case PGOUTPUT_ORIGIN:
		message->origin_lsn = bytes_u64(in);
		message->origin = bytes_cstr(in);
		return true;
	case PGOUTPUT_TYPE:
		bytes_u32(in);
		bytes_cstr(in);
		bytes_cstr(in);
		return true;
	}
	return false;
}

/* The arrays stay as they are: nothing of them counts. */
static void clear(struct pgoutput_message *message)
{
	message->old_kind = '\0';
	message->old_tuple.count = 0;
	message->new_tuple.count = 0;
	message->schema = "";
	message->table = "";
	message->column_count = 0;
	message->truncated_count = 0;
	message->is_transactional = false;
	message->prefix = "";
	message->content = "";
	message->content_length = 0;
}

static bool refuse(struct pgoutput_message *message, const char *why, struct fault *fault)
{
	clear(message);
	return fault_fatal(fault, "pgoutput message 0x%02x %s", (unsigned)message->kind & 0xff,
			   why);
}

bool pgoutput_decode(const void *data, size_t length, struct pgoutput_message *message,
		     struct fault *fault)
{
	struct bytes in = bytes_of(data, length);

	clear(message);
	message->kind = (enum pgoutput_kind)bytes_u8(&in);
	if (!read_body(&in, message)) {
		return refuse(message, "is of no kind we know", fault);
	}
	if (!bytes_ok(&in)) {
		return refuse(message, "is malformed or cut short", fault);
	}
	if (bytes_left(&in) > 0) {
		return refuse(message, "has bytes too many", fault);
	}
	return true;
}

bool pgoutput_same(const struct pgoutput_value *a, const struct pgoutput_value *b)
{
	if (a->kind == 'u' || b->kind == 'u') {
		return true;
	}
	return a->kind == b->kind && a->length == b->length &&
	       (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
}
