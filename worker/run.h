/* run.h - one pass over one user's lane: load, plan, intent, send, persist, release.
 *
 * A run is a chain of steps (STEPS in chain.c).  A step's start answers exactly once, through
 * run_resume, and never before it returns; finish says what comes next.  Here stands what every
 * step needs; nothing here calls a step. */
#ifndef CALRELAY_WORKER_RUN_H
#define CALRELAY_WORKER_RUN_H

#include "common/fault.h"
#include "common/http.h"
#include "common/oauth.h"
#include "common/pg.h"
#include "worker/batch.h"
#include "worker/breaker.h"
#include "worker/lane.h"
#include "worker/listing.h"
#include "worker/row.h"
#include "worker/task.h"

#define RUN_REQUESTS_MAX 8 /* sync requests of one user served by one run */
/* A mailbox that has to wait longer than this parks: no offset waits for it. */
#define RUN_WAIT_MOST_MS 10000
/* Nor for one where nothing has come out of any call for so long, while others are served. */
#define RUN_STUCK_MOST_MS 60000
/* Where nobody said how long: parked so long before it is looked at again. */
#define RUN_PARK_MS INT64_C(30000)

#define RUN_RECORDS_MAX 200 /* rows that a single statement of one run may write */

struct worker;

enum run_step {
	RUN_LOAD,
	RUN_LEASE,   /* take the right to refresh */
	RUN_REFRESH, /* new tokens from Microsoft */
	RUN_RENEW,   /* store them, before they are used */
	RUN_READ,    /* the user's assignments from the host's tables */
	RUN_LIST,    /* the mailbox's marked events, page by page */
	RUN_PALETTE, /* our own categories, where the mailbox lets us make them */
	RUN_INTENT,  /* tx1 */
	RUN_SEND,
	RUN_DEAD,   /* dead letters, before their records count as done */
	RUN_RESULT, /* tx2 */
	RUN_REREAD, /* rows that were not as we knew them */
	RUN_PROGRESS,
	RUN_FINISH, /* a sync request's end */
	RUN_PARK,   /* the user waits for time or for a person */
	RUN_WAIT,
	RUN_END,
	RUN_STEPS,

	/* no steps, but what chain.c makes one of */
	RUN_NEXT,  /* whatever is left to be done */
	RUN_TOKEN, /* a live access token, then run->after_token */
};

enum run_mode {
	RUN_CHANGES, /* the lane's items, by the position guard */
	RUN_SYNC,    /* the host's tables against the mailbox */
	RUN_REPLAY,  /* the lane's fold against the mailbox */
	RUN_REMOVE,  /* a disconnect */
};

enum connection_status { CONNECTION_ACTIVE, CONNECTION_NEEDS_RECONNECT, CONNECTION_DISCONNECTING };

struct connection {
	bool exists;
	struct uuid id;
	char id_text[UUID_TEXT_SIZE];
	enum connection_status status;
	char *access_sealed;
	char *refresh_sealed;
	int64_t issued_ms; /* wall clock */
	bool is_idle;	   /* the refresh token has not been used for long */
	int64_t expires_ms;
	int64_t token_version;
	int64_t not_before_ms;
	bool is_behind;	   /* it lacks a change that was parked, */
	int64_t behind_ms; /* since then, monotonic */
	char time_zone[64];
	enum scope_mailbox mailbox; /* granted */
	bool is_adopted;
	char *snapshot; /* pg_snapshot of the last sync's read, or NULL */
};

struct run {
	struct worker *worker;
	void (*go)(struct run *run); /* chain.c's: the step under way has ended */
	struct lane *lane;
	struct part *part;
	enum run_step step;
	enum run_step after_wait;
	enum run_mode mode;
	int64_t epoch; /* of the partition when the run began */
	int64_t started_ms;
	int64_t entered_ms;   /* the step under way, monotonic */
	int64_t resume_at_ms; /* while waiting */
	int waits;	      /* in a row, for back-off */
	bool everything;      /* load all rows and the due requests, not just the items' */
	bool is_fenced;
	bool has_sent;	  /* a batch, at least */
	bool is_held;	  /* the step under way may not begin yet */
	int64_t stuck_ms; /* since when nothing came out of any call, monotonic; 0: it did */
	bool was_refused; /* the access token was refused once already */
	bool must_refresh;

	struct item *items; /* taken from the lane */
	struct connection connection;
	struct row *rows; /* by assignment */
	char request_ids[RUN_REQUESTS_MAX][UUID_TEXT_SIZE];
	int request_count;
	bool removes_events; /* of a disconnect */
	bool removal_is_old; /* asked for a day ago: it is tried no longer than this once more */
	bool may_remove;     /* of a sync: orphans go, however many they are */
	char *bearer;	     /* "Bearer ..." ; cleansed at the end */
	enum run_step after_token;
	struct oauth_tokens tokens; /* new ones, until they are stored */
	int64_t started_exchange_ms;
	int64_t delay_ms; /* to wait before the next batch */

	struct task *tasks;
	size_t task_count;
	size_t task_capacity;
	struct task *chunk[BATCH_ITEMS_MAX];
	int chunk_count;
	struct task *wrote[RUN_RECORDS_MAX]; /* whose rows are written, or read again */
	int wrote_count;

	struct change **wanted; /* of a sync: from the tables; owned */
	size_t wanted_count;
	char *read_snapshot;
	struct listing listing;
	uint64_t missing_own; /* looks whose own category is to be made, by palette.h */
	bool has_palette;     /* the master list is read */
	size_t left_count;    /* events that a removal had to leave */
	size_t kept_count;    /* events that a disconnect leaves as it was asked to */
	char error[256];      /* of a request, in words */

	/* why the user parks */
	const char *park_reason; /* metric and status_reason */
	bool park_needs_person;
	int64_t park_until_ms; /* wall clock */

	struct fault fault; /* how the step under way ended */
	struct loop_call resume;
	struct pg_request pg;
	struct http_request http;
	struct buf url;
	struct buf body;
	int dead_open;	  /* dead letters not acknowledged yet */
	struct run *next; /* in a store group, or among the waiting */
	int index;	  /* in a store group's statement */
	struct run *next_alive;
	struct run *previous_alive;
};

/* The step under way ended as run->fault says.  Never call it from within its start. */
void run_resume(struct run *run);

/* The same, from the loop's next turn: for answers that are known at once. */
void run_resume_later(struct run *run);

/* ---- for the files that hold the steps ---- */

struct row *run_row(const struct run *run, const struct uuid *assignment);
struct task *run_add_task(struct run *run, const struct uuid *assignment); /* NULL: no memory */

/* Takes row over, in the place of the one of the same assignment. */
void run_set_row(struct run *run, struct row *row);
void run_drop_row(struct run *run, const struct uuid *assignment);

/* Waits, then goes on with step: after_ms, or backing off up to 30 s where after_ms is 0. */
enum run_step run_wait(struct run *run, int64_t after_ms, enum run_step step);

/* Whether a call to the service may not be made now, because membership is in doubt or the service
 * is out of order: then the step begins again later, and its start has to return. */
bool run_is_held(struct run *run, struct breaker *breaker);

/* For http_request.may_send of a call to Graph: the same once more when it is about to be written,
 * which after a connection that had to be made, or a freeze, is later. */
bool run_may_call(struct http_request *request);

/* Since when (wall clock) the oldest change waits that this run is about; 0: it has none. */
int64_t run_waits_since(const struct run *run);

/* The service answered; it failed as a whole. */
void run_served(struct run *run, struct breaker *breaker);
void run_unserved(struct run *run, struct breaker *breaker);

/* Rows whose event the calendar shows. */
size_t run_shown_count(const struct run *run);

/* In the request's words: how many events a removal had to leave, and why; none: says nothing. */
void run_say_left(struct run *run, size_t left, const char *why);

/* Nothing came out of a call: it is made again later (run_wait), or the user parks because that has
 * gone on for too long, and is not everybody's trouble. */
enum run_step run_stuck(struct run *run, const char *reason, int64_t after_ms, enum run_step again);

/* Parks the user until wall-clock until_ms, or (needs_person) until they reconnect. */
enum run_step run_park(struct run *run, const char *reason, int64_t until_ms, bool needs_person);

/* A live access token first, then step. */
enum run_step run_with_token(struct run *run, enum run_step step);

/* Tries a step again that ended with a fault; says so in the log. */
enum run_step run_after_fault(struct run *run, enum run_step again);

/* The access token was refused by Graph: one refresh and then again, or a person. */
enum run_step run_refused_token(struct run *run, enum run_step again);

#endif
