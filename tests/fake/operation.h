/* operation.h - one Graph request, alone or as a batch's item: read, run, answered.
 *
 * Pure but for the world it changes: no socket, time comes in. */
#ifndef CALRELAY_FAKE_OPERATION_H
#define CALRELAY_FAKE_OPERATION_H

#include "tests/fake/challenge.h"
#include "tests/fake/prefer.h"
#include "tests/fake/query.h"
#include "tests/fake/world.h"

#define OPERATION_ANSWER_MAX_BYTES (16u << 20)

struct operation {
	/* asked */
	const char *method;
	char *path; /* decoded, behind /v1.0 */
	struct query query;
	const char *content_type; /* NULL where absent */
	const char *prefer_header;
	const char *if_match;
	const cJSON *body; /* NULL where absent */
	const char *base_url;
	bool is_malformed; /* the URL could not be decoded */

	/* understood */
	enum kind kind;
	struct prefer prefer;
	const char *id; /* the event's, behind /me/events/; or NULL */

	/* answered */
	int status;	   /* 0 before */
	struct buf answer; /* JSON, or nothing */
	char etag[EVENT_ETAG_SIZE];
	char retry_after[64];
	char www_authenticate[CHALLENGE_SIZE];
	char location[256];
	char amendment[FAULTS_ANSWER_SIZE]; /* of the answer; "" for none */
	char event_id[EVENT_ID_SIZE];	    /* immutable; "" where none */
	char *assignment;
};

/* path and query are the operation's from here on; end: operation_close. */
void operation_init(struct operation *operation, const char *method, char *path);
void operation_close(struct operation *operation);

/* Notes which event and which assignment are meant, for faults and records, before it runs. */
void operation_look(struct operation *operation, const struct world *world,
		    struct account *account);

/* Runs it: changes the world, fills the answer. */
void operation_run(struct operation *operation, struct world *world, struct account *account,
		   uint32_t scopes, int64_t now_ms);

/* Makes problem the answer. */
void operation_refuse(struct operation *operation, const struct problem *problem, int64_t now_ms);

#endif
