/* asks.h - rows to ask the protocol about, and what it says. */
#ifndef CALRELAY_TESTS_UNIT_WORKER_ASKS_H
#define CALRELAY_TESTS_UNIT_WORKER_ASKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/change.h"
#include "worker/protocol.h"

#define OLDER "00000001:00000000000000AA:00000001"
#define POS   "00000001:00000000000000BB:00000001"
#define NEWER "00000001:00000000000000CC:00000001"

static const struct uuid MINE = {{1}};
static const struct uuid OTHERS = {{2}};

/* A row whose event shows "shown". */
static inline struct row shown(void)
{
	return (struct row){.is = {.state = ROW_SYNCED,
				   .incarnation = 4,
				   .event_id = "AAMk=",
				   .change_key = "ck1",
				   .hash = "shown",
				   .category = "Green category",
				   .applied_pos = OLDER}};
}

/* A row with an intent under way. */
static inline struct row pending(const char *pos)
{
	struct row row = shown();

	row.is.pending_pos = pos;
	row.is.attempt = OTHERS;
	return row;
}

static struct protocol_effects effects;

static inline const struct protocol_effects *ask(const struct row *row, struct protocol_input input)
{
	protocol_step(row, &input, &effects);
	return &effects;
}

static inline void assert_nothing(const struct row *row, struct protocol_input input)
{
	ask(row, input);
	assert_int_equal(effects.next, PROTOCOL_DONE);
	assert_false(effects.writes);
}

/* The row learns this position, and no request is sent. */
static inline void assert_learns(const struct row *row, struct protocol_input input,
				 const char *pos)
{
	ask(row, input);
	assert_int_equal(effects.next, PROTOCOL_DONE);
	assert_true(effects.writes);
	assert_string_equal(effects.values.applied_pos, pos);
	assert_null(effects.values.pending_pos);
}

#endif
