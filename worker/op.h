/* op.h - one operation on one event: what to send next, and what an answer makes of it.
 *
 * Pure.  find ─▶ create | read ─▶ update | delete ─▶ finished.  An operation sends one request a
 * batch; an answer either finishes it, turns it into another request, or leaves it as it is for
 * later.
 *
 * An update replaces all categories of the event or, where ours is there already, mentions none. So
 * that the person's own survive, it replaces them only as they were seen: on condition that the
 * event has not changed since (If-Match).  Where nobody has seen them, or the event has changed, it
 * reads the event first.
 * Source of the table: Graph's error reference and the observations listed in docs/microsoft.md. */
#ifndef CALRELAY_WORKER_OP_H
#define CALRELAY_WORKER_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/uuid.h"
#include "worker/category.h"

#define OP_ID_SIZE    520 /* Graph's immutable ids have some 150 characters, and never 512 */
#define OP_CODE_SIZE  96
#define OP_ERROR_SIZE 160
#define OP_TRIES_MAX  5 /* conflicts and the like; throttling and time-outs don't count */
/* So often has the event changed between reading and writing it: then it is written regardless. */
#define OP_MATCHES_MAX 3

enum op_request { OP_CREATE, OP_UPDATE, OP_DELETE, OP_FIND, OP_READ, OP_REQUESTS };

enum op_end {
	OP_OPEN,     /* not finished */
	OP_SYNCED,   /* the event shows what is wanted */
	OP_REMOVED,  /* there is no event, as wanted */
	OP_HIDDEN,   /* the person deleted it, and is respected */
	OP_REJECTED, /* Graph will never accept this: see error */
};

/* What one answer means beyond its own operation. */
enum op_scope {
	OP_GOES_ON,   /* nothing: finished, or another request follows at once */
	OP_LATER,     /* this operation again, after a while */
	OP_THROTTLED, /* the whole mailbox waits retry_after_ms */
	OP_AUTH,      /* the access token was refused */
	OP_MAILBOX,   /* the mailbox itself is in trouble: park the user */
	OP_SCOPES
};

struct op {
	enum op_request request;
	enum op_end end;
	bool wants_event;
	bool respects_deletion; /* an event that turns out to be gone is not made anew */
	bool is_unsure;	    /* a request may have taken effect without an answer that says what */
	bool is_known_gone; /* an earlier incarnation's event is gone or its transactionId is spent
			     */
	bool keeps_categories;	/* of an update: it doesn't mention them */
	bool shows_ours;	/* once synced: the event carries the category that is wanted */
	bool shares_categories; /* once synced: and some of the person's own */
	int incarnation;
	int tries;
	char event_id[OP_ID_SIZE]; /* "" none */
	char change_key[OP_CODE_SIZE];
	char match[OP_CODE_SIZE];	 /* of an update: it holds for this changeKey; "" any */
	char theirs[CATEGORY_LIST_SIZE]; /* the person's own categories, beside ours */
	char error[OP_ERROR_SIZE];
};

struct op_answer {
	int status;		   /* the item's HTTP status; 0: unknown outcome */
	char code[OP_CODE_SIZE];   /* most specific error code; "" none */
	char event_id[OP_ID_SIZE]; /* of the event, the first found one, or the existing one */
	char change_key[OP_CODE_SIZE];
	int found;			     /* OP_FIND: how many */
	bool tells_categories;		     /* of that event */
	bool shows_ours;		     /* exactly the wanted one of ours is among them */
	char theirs[CATEGORY_LIST_SIZE + 1]; /* the others; full: more than we can carry */
	int64_t retry_after_ms;		     /* -1: not said */
};

const char *op_request_name(enum op_request request);

/* An operation that makes the calendar show (wants_event) or not show the assignment's event.
 * event_id NULL: none is known; then a removal begins by looking for it, else an update by reading
 * it. */
void op_init(struct op *op, bool wants_event, const char *event_id, int incarnation);

/* How the event's categories were seen: an update can begin at once.  theirs: a list, the person's
 * own. */
void op_see_categories(struct op *op, bool shows_ours, const char *theirs, const char *change_key);

enum op_scope op_answered(struct op *op, const struct op_answer *answer);

/* transactionId of a create: UUIDv5 of (connection, assignment, incarnation). */
struct uuid op_transaction_id(const struct uuid *connection, const struct uuid *assignment,
			      int incarnation);

#endif
