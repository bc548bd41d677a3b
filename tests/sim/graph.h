/* graph.h - the simulated mailboxes: what Graph's requests do to events, and what people do. */
#ifndef CALRELAY_TESTS_SIM_GRAPH_H
#define CALRELAY_TESTS_SIM_GRAPH_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/uuid.h"

#define GRAPH_URL      "http://127.0.0.1:1"
#define GRAPH_LOGIN    "http://127.0.0.1:2"
#define GRAPH_PROPERTY "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name AmiDashAssignment"

/* What Graph does with the transactionId of an event that was deleted. */
#define GRAPH_THEIRS "The person's own"

enum graph_memory { GRAPH_FORGETS, GRAPH_REFUSES, GRAPH_REFUSES_AND_NAMES, GRAPH_MEMORIES };

struct graph_event {
	char id[32];
	int change; /* its changeKey */
	char transaction[UUID_TEXT_SIZE];
	char *created_as; /* the content at first */
	char *content;	  /* the members that we write, as JSON */
	char assignment[UUID_TEXT_SIZE];
	bool is_marked;	 /* carries our property; else it is the person's own */
	bool has_theirs; /* the person has given it a category, which has to stay */
	bool is_gone;
};

struct mailbox {
	struct graph_event *events;
	size_t count;
	int64_t token_expires_ms[256];
	int tokens;
	int oldest_refresh; /* earlier ones are revoked */
};

void graph_begin(void);
void graph_end(void);

/* ---- people ---- */

void graph_person_adds(int user);
void graph_person_edits(int user);
void graph_person_categorises(int user);
void graph_person_deletes(int user);
void graph_person_revokes(int user);

/* A sign-in: texts of both tokens, each of size bytes at most. */
void graph_sign_in(int user, char *access, char *refresh, size_t size);
int64_t graph_token_life_ms(void);

/* ---- requests ---- */

/* Whether Graph takes a bearer text; *user: whose it is, -1 where it is nobody's. */
bool graph_takes(const char *bearer, int *user);

/* Executes one item of a $batch: the response without its id.  is_alone: nobody else's request can
 * have landed before, so that nothing may go back or be made twice. */
cJSON *graph_execute(int user, const cJSON *item, bool is_alone);

/* A page of the marked events from the given place on. */
cJSON *graph_list(int user, size_t from);

/* The token endpoint; *status is the answer's. */
cJSON *graph_refresh(const char *body, int *status);

const struct mailbox *graph_mailbox(int user);

/* The person's own events are as the person made them. */
bool graph_private_is_untouched(int user);

#endif
