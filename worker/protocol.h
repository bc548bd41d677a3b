/* protocol.h - what one mapping row does about one input: step(row, input) -> effects.
 *
 * Pure, and the whole of it: the position guard, intents, attempts, dirty rows, tombstones,
 * incarnations, and what an answer of Graph means.  A record's way:
 *
 *   RECORD ─▶ write the intent (tx1) ─▶ call ─▶ ANSWER … ─▶ ENDED ─▶ write the result (tx2) ─▶ done
 *
 * The shell writes what the effects say only where the row is still the one that was given (a
 * compare-and-set under the partition's fence); where it isn't, it reads the row again and asks
 * again.  It calls only behind a written intent, and counts a record as done only behind the write.
 *
 * A request that got no answer may still land until the quarantine is over.  Whoever finds an
 * intent that is not his own marks the row dirty, which begins the quarantine anew; behind it the
 * row is compared with a complete listing, and only that makes it clean again.
 * Source: the crash points in docs/protocol.md; tests/unit/worker/explore.c tries every order. */
#ifndef CALRELAY_WORKER_PROTOCOL_H
#define CALRELAY_WORKER_PROTOCOL_H

#include "worker/op.h"
#include "worker/row.h"

enum protocol_kind {
	PROTOCOL_RECORD,   /* a record of the log wants something: its position is the guard */
	PROTOCOL_COMPARED, /* tables or fold want something, and a complete listing shows what is:
			    * the mailbox decides, not the position */
	PROTOCOL_ANSWER,   /* Graph has answered op's request */
	PROTOCOL_ENDED,	   /* op has ended: its result is to be stored */
	PROTOCOL_PARKED,   /* a record is left to a later sync: what it knew to be gone is noted */
	PROTOCOL_RELEASED, /* op's call was given up: its intent goes where nothing can have
			      happened */
};

struct protocol_input {
	enum protocol_kind kind;

	/* what is wanted: of RECORD, COMPARED, PARKED and ENDED */
	bool wants_event;
	const char *hash;     /* of what the event is to show */
	const char *category; /* that is among it */
	const char *reason;   /* why there is to be none, for the row; NULL: it was removed */
	const char *pos;      /* of the record; NULL: not from the log.  ENDED: the intent's */
	struct uuid attempt; /* RECORD, COMPARED: a new unique one; ENDED, RELEASED: the intent's */

	/* RECORD */
	bool is_unnamed; /* it names no transaction: nobody knows whether a sync has seen it */
	bool was_synced; /* a sync has read the tables at or behind the record's transaction */

	/* RECORD, COMPARED */
	bool respects_deletion; /* an event that the person deleted stays away */

	/* COMPARED */
	const char *listed_id;	   /* the assignment's event in the mailbox; NULL: there is none */
	const char *listed_key;	   /* its changeKey */
	bool listed_matches;	   /* it shows what is wanted */
	bool listed_shows_ours;	   /* it carries category, and no other one of ours */
	const char *listed_theirs; /* its other categories, a list of category.h's */

	/* ANSWER, ENDED, RELEASED */
	const struct op *op;		/* not effects' own */
	const struct op_answer *answer; /* ANSWER */
};

enum protocol_next {
	PROTOCOL_DONE,	/* nothing more: whatever asked is done */
	PROTOCOL_CALL,	/* send op's request; behind the write, if there is one */
	PROTOCOL_STORE, /* op has ended: ask again with PROTOCOL_ENDED */
	PROTOCOL_AGAIN, /* the intent is not ours any more: what asked must be looked at again */
};

struct protocol_effects {
	enum protocol_next next;
	bool writes;		  /* values first */
	bool begins_quarantine;	  /* with the write: from now on, a lost request may land so long */
	struct row_values values; /* texts borrowed from the row, the input or its op */
	struct op op;		  /* of CALL and STORE */
	enum op_scope scope;	  /* ANSWER: what it means beyond this operation */
};

/* Whether a record at pos changes nothing, whatever it wants: what protocol_step would say, for
 * those who needn't find out what it wants.  row NULL: there is none. */
bool protocol_has_passed(const struct row *row, const char *pos);

/* row NULL: there is none.  effects is wholly overwritten. */
void protocol_step(const struct row *row, const struct protocol_input *input,
		   struct protocol_effects *effects);

#endif
