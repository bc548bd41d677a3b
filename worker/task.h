/* task.h - one assignment's part in a run: it asks the protocol, and keeps what that says. */
#ifndef CALRELAY_WORKER_TASK_H
#define CALRELAY_WORKER_TASK_H

#include "worker/lane.h"
#include "worker/outlook.h"
#include "worker/protocol.h"

enum task_stage {
	TASK_RECORD,  /* only the row has to learn */
	TASK_PLANNED, /* an operation without an intent yet */
	TASK_INTENDED,
	TASK_ENDED,  /* the operation is finished; its result isn't stored */
	TASK_PARKED, /* left to a later sync; what the log knew is not noted yet */
	TASK_AGAIN,  /* another one has written: whatever asked has to be looked at again */
	TASK_STORED, /* from here on there is nothing left to do */
	TASK_SKIPPED,
};

struct task {
	struct uuid assignment;
	enum task_stage stage;
	struct outlook_event event;
	struct protocol_input wish; /* RECORD or COMPARED; texts are the item's, the listing's */
	struct op *op;		    /* from the intent on, until its result is stored; owned */
	enum op_end end;	    /* how op ended */
	char intent_pos[POS_TEXT_SIZE]; /* of the intent that is written */
	bool is_extra;			/* not a wish of a sync: it doesn't count as examined */
	bool is_stray;			/* an event without a row: no intent, no result */
	bool is_buried;			/* its dead letter is in Kafka */
	struct item *item;		/* whose records are done with it; borrowed, or NULL */

	/* of the write under way: what the row is to say, and whether it does */
	struct row_values values; /* texts borrowed: from the row, the item, the listing, op */
	bool begins_quarantine;
	enum protocol_next then; /* once it is written */
	uint32_t version;	 /* of the row, written; 0: it was not as we knew it */
};

/* Sets the stage by the wish, given the row as it is known now (NULL: none). */
void task_plan(struct task *task, const struct row *row);

/* An operation on an event that has no row of ours: removes it, whatever its row says. */
bool task_plan_stray(struct task *task, const char *event_id) MUST_CHECK;

/* Asks what is to be written next, given the stage and the row as it is known now.  False with
 * nothing to write; then the stage says what is left. */
bool task_prepare(struct task *task, const struct row *row);

/* The task is left to a later sync: asks what of it is to be written all the same.  False with
 * nothing; either way there is nothing left to do once that is written. */
bool task_park(struct task *task, const struct row *row);

/* The values are written: sets the stage. */
void task_written(struct task *task);

/* One answer of Graph. */
enum op_scope task_answered(struct task *task, const struct op_answer *answer);

/* Named end. */
void task_close(struct task *task);

#endif
