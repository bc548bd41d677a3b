/* record.h - reads a Kafka record of the assignments topic into a change. */
#ifndef CALRELAY_WORKER_RECORD_H
#define CALRELAY_WORKER_RECORD_H

#include <stddef.h>

#include "common/fault.h"
#include "common/json.h"
#include "common/hostmap.h"
#include "worker/change.h"

#define RECORD_VALUE_MAX_BYTES (4u << 20)

/* What a message holds; borrowed.  value NULL is a tombstone; pos NULL: no calrelay.pos header. */
struct record {
	const char *key;
	size_t key_length;
	const char *value;
	size_t value_length;
	const char *pos;
	size_t pos_length;
	struct json_arena *arena; /* what key and value are read in */
};

/* The change (free it), or NULL with FAULT_INPUT saying what is wrong: that record goes to the
 * dead-letter topic.  A tombstone and an op d are both is_gone.  Ops c, u, r carry the assignment:
 * the row's columns by the mapping's names out of `after`, the project's out of `project` (member
 * names there are always id, client_name, start_date, end_date, notes).  Key and value may each
 * stand beside a Kafka Connect schema ({"schema":...,"payload":...}).  Unknown members are ignored,
 * unless a required one is missing.  Key, `after` and user must agree. */
struct change *record_decode(const struct record *record, const struct hostmap *map,
			     struct fault *fault) MUST_CHECK;

#endif
