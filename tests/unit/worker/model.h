/* model.h - a small world around one assignment, for explore.c to try every order of events in.
 *
 * Producer, log, partition and its owner, two workers, the mapping row, Graph, the person.  The
 * workers ask the production code, protocol_step, for every decision; all else is simplified to
 * what another part can see.  Workers are named by what they are: [0] owns the partition, [1] does
 * not, and when the partition moves they change places. */
#ifndef CALRELAY_TESTS_UNIT_WORKER_MODEL_H
#define CALRELAY_TESTS_UNIT_WORKER_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_LOG_MAX	  8
#define MODEL_GHOSTS_MAX  3
#define MODEL_HAND	  14 /* the version of an event that a person has edited */
#define MODEL_EVENTS_MAX  2
#define MODEL_PACKED_SIZE 88

/* What may go wrong, or be done by a person, and how often. */
enum model_budget {
	PRODUCER_CRASHES,
	LATE_APPENDS, /* an older producer's first record lands behind newer ones */
	WORKER_CRASHES,
	TAKEOVERS,
	LOST_ANSWERS, /* of Graph; the request has landed, or will, or won't */
	LOST_WRITES,  /* the row is written, and its writer does not hear of it */
	THROTTLES,
	SYNCS,
	HAND_DELETIONS,
	HAND_EDITS,
	HAND_CATEGORIES, /* the person gives the event one of his own, which has to stay */
	RESETS,		 /* of the group's offsets: a replay */
	MODEL_BUDGETS
};

/* Negative controls: what the world withholds from the production code. */
enum model_without {
	WITHOUT_INTENT = 1 << 0,	  /* calls, with nothing written before */
	WITHOUT_UNIQUE_ATTEMPTS = 1 << 1, /* every attempt has the same name */
	WITHOUT_TRANSACTION_ID = 1 << 2,  /* every create makes an event */
	WITHOUT_GUARD = 1 << 3,		  /* rows keep their positions to themselves */
	WITHOUT_REASSERT = 1 << 4,	  /* nobody comes back for a dirty row */
	WITHOUT_QUARANTINE = 1 << 5,	  /* every dirty row is said to be settleable */
	WITHOUT_FENCE = 1 << 6,		  /* a worker may write that owns the partition no more */
	WITHOUT_COMPARE_AND_SET = 1 << 7, /* what a row was when read decides what is written */
	WITHOUT_TOMBSTONE = 1 << 8,	  /* the row of a removed event goes, too */
	WITHOUT_INCARNATIONS = 1 << 9,	  /* it is always the first */
	WITHOUT_FOLD = 1 << 10,		  /* a replay is records like any others */
	WITHOUT_RESULT = 1 << 11,	  /* a record is done when its call begins */
	WITHOUT_READ_FIRST = 1 << 12,	  /* a row read again is settled by an older listing */
	WITHOUT_DOUBT = 1 << 13,	  /* an unanswered request counts as never sent */
	WITHOUT_FENCED_FINISH = 1 << 14,  /* a former owner may say what its sync has read */
	WITHOUT_MATCH = 1 << 15,	  /* updates hold whatever has become of the event */
};

struct model_config {
	const char *name;
	const char *history; /* a letter per version: what the event shows; '-': none is wanted */
	uint8_t budget[MODEL_BUDGETS];
	bool forgets_transactions; /* Graph, with the deletion of an event */
	bool respects_deletion;
	bool names_events;	/* Graph, in every answer to a create */
	bool forbids_step_back; /* nothing here excuses showing an older version again */
	unsigned without;
};

/* Members of all that follows are small numbers below 16: two of them are packed into a byte. */

struct model_event {
	uint8_t id; /* 0 none */
	uint8_t key, version, incarnation;
	uint8_t category; /* of ours; 0 none */
	uint8_t theirs;	  /* the person's own is there */
};

struct model_row {
	uint8_t exists, state, incarnation;
	uint8_t event, key, letter; /* 0 none */
	uint8_t category, shares;
	uint8_t applied, pending; /* positions: 0 none, 1 CHANGE_POS_FLOOR, 1 + version */
	uint8_t attempt;	  /* 1 + the worker whose intent it is, 0 somebody gone */
	uint8_t dirty;
};

struct model_request {
	uint8_t kind; /* 1 + enum op_request, 0 none */
	uint8_t event, version, incarnation;
	uint8_t keeps, match, theirs; /* of an update's categories: see op.h */
	uint8_t forced;	 /* by too many conflicts: the one update that may lose theirs */
	uint8_t covered; /* by the row's quarantine: can't land any more when that is over */
};

struct model_op {
	uint8_t request, end, unsure, known_gone, respects, incarnation, tries, event, key;
	uint8_t keeps, match, theirs, ours, shares;
};

enum model_phase {
	WORKER_IDLE,
	WORKER_LOADED, /* row (and tables) read; a listing follows */
	WORKER_READY,  /* to ask, and to write what the row is to learn */
	WORKER_CALLS,  /* op's request is under way, or about to be */
	WORKER_ENDED,  /* op's result is to be stored */
	WORKER_GIVES_UP,
	WORKER_PARKS,
	WORKER_REMOVES, /* the stray's deletion is under way, or about to be */
	WORKER_DONE,	/* a record's offset, a request's end are to be stored */
};

enum model_task { FOR_RECORD, FOR_SYNC, FOR_REPLAY };

struct model_worker {
	uint8_t phase, task;
	uint8_t held;	    /* the epoch it claimed is still the partition's */
	uint8_t current;    /* the row is as it read it */
	uint8_t settleable; /* what it read said so */
	uint8_t covered;    /* as of a request: its call is one of before the quarantine */
	uint8_t wish;	    /* version */
	uint8_t until;	    /* offset behind the records that hang on it */
	uint8_t pos;	    /* of its intent */
	uint8_t old;	    /* a sync has read the tables behind the record */
	uint8_t parked;
	uint8_t listed_event, listed_key, listed_version, listed_category, listed_theirs;
	uint8_t stray; /* listed beside it */
	struct model_op op;
	struct model_row copy; /* of the row, WITHOUT_COMPARE_AND_SET only */
};

enum model_bad { BAD_NOTHING, BAD_DUPLICATE, BAD_STEP_BACK, BAD_LOSS, BAD_CAPACITY };

struct model_state {
	uint8_t db, sent, slot;
	uint8_t log_length, done, replay_to;
	uint8_t log[MODEL_LOG_MAX];
	uint8_t budget[MODEL_BUDGETS];
	uint8_t due, asked; /* sync requests: filed for later, to be done now */
	uint8_t synced;	    /* version that the last sync read in the tables */
	uint8_t touched;    /* the person has been at the event, nobody has looked since */
	uint8_t away;	    /* the person deleted a settled event, and is respected */
	uint8_t bad;	    /* enum model_bad */
	struct model_event events[MODEL_EVENTS_MAX]; /* alive, by incarnation */
	uint8_t spent[2]; /* bits: incarnations whose transactionId Graph knows */
	struct model_row row;
	struct model_request ghosts[MODEL_GHOSTS_MAX];
	struct model_worker workers[2];
};

/* What leads from one state to the next, as a trace tells it. */
struct model_label {
	const char *text;
	int worker; /* -1 nobody */
	int number; /* -1 none */
	const struct model_request *request;
};

struct model_sink {
	const struct model_config *config;
	const struct model_state *from;
	void (*emit)(struct model_sink *sink, const struct model_state *next,
		     const struct model_label *label);
};

void model_init(struct model_state *state, const struct model_config *config);

/* Emits every state that one event leads to, normalised. */
void model_expand(struct model_sink *sink);

/* Nothing is under way and nothing is left to do, but for what a person or a fault may still do. */
bool model_is_quiescent(const struct model_state *state, const struct model_config *config);

/* What is wrong with this state; NULL: nothing. */
const char *model_violation(const struct model_state *state, const struct model_config *config);

void model_pack(const struct model_state *state, uint8_t packed[MODEL_PACKED_SIZE]);
void model_unpack(const uint8_t packed[MODEL_PACKED_SIZE], struct model_state *state);

/* ---- between the model's files ---- */

/* Normalises next and emits it. */
void model_emit(struct model_sink *sink, struct model_state *next, const char *text, int worker,
		int number);

/* The same, of a request. */
void model_emit_request(struct model_sink *sink, struct model_state *next,
			const struct model_label *label);

/* A name that nobody mentions yet. */
uint8_t model_new_event(struct model_state *state);
uint8_t model_new_key(struct model_state *state);

struct model_event *model_event_by_id(struct model_state *state, int id); /* NULL: not alive */

struct op_answer;

/* What Graph makes of a request.  is_kind: its answer to a create names the event; that to a find
 * begins with the first. */
void model_land(const struct model_config *config, struct model_state *state,
		const struct model_request *request, bool is_kind, struct op_answer *answer);

/* The worker's request is under way without it from now on. */
void model_add_ghost(struct model_state *state, const struct model_worker *worker);

struct model_request model_request_of(const struct model_worker *worker);
bool model_is_settleable(const struct model_state *state, const struct model_config *config);
bool model_lacks(const struct model_config *config, unsigned without);
char model_letter(const struct model_config *config, int version); /* '-': no event is wanted */
uint8_t model_category(const struct model_config *config, int version); /* of ours */
const char *model_theirs_text(int theirs);
const char *model_event_text(int event); /* NULL: 0 */
const char *model_key_text(int key);
void model_expand_worker(struct model_sink *sink, int worker);

#endif
