/* faults.h - what goes wrong on request: which call it meets, how often, and how. */
#ifndef CALRELAY_FAKE_FAULTS_H
#define CALRELAY_FAKE_FAULTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/fake/kind.h"
#include "tests/fake/problem.h"

#define FAULTS_MAX	   1000
#define FAULTS_ANSWER_SIZE 1024

enum faults_deed {
	FAULTS_THROTTLE,    /* refused with 429 */
	FAULTS_ERROR,	    /* refused with status and code */
	FAULTS_LOSE_ANSWER, /* done, then the connection is cut */
	FAULTS_DELAY,	    /* done late, or done and answered late */
	FAULTS_TRUNCATE,    /* done, but the answer's JSON ends in the middle */
	FAULTS_GATEWAY,	    /* not done: something in between answers with a page of its own */
	FAULTS_CHALLENGE,   /* refused with 401 and claims that a newer token has to meet */
	FAULTS_AMEND,	    /* done, but the answer's JSON says something else */
};

struct faults_rule {
	int64_t id;
	char *account;	  /* lower case; NULL: everybody's */
	char *assignment; /* only operations on the event of this assignment; NULL: all */
	bool on_any;	  /* whole HTTP requests of every kind */
	enum kind on;
	enum faults_deed deed;
	int status;
	char code[64];
	char retry_after[64];		 /* the header's text; "" for none */
	char location[256];		 /* "" for none */
	char answer[FAULTS_ANSWER_SIZE]; /* amend: what replaces members; "" for none */
	int64_t ms;
	bool is_after; /* delay: between storing and answering */
	int64_t times; /* left */
	int64_t skip;  /* matches to let pass first */
	struct faults_rule *next;
	struct faults_rule *prev;
};

struct faults {
	struct faults_rule *rules;
	int64_t last_id;
	int count;
};

/* What a call is, to be matched. */
struct faults_call {
	const char *account;	/* NULL: not known (yet) */
	const char *assignment; /* or NULL */
	enum kind kind;
	bool is_whole; /* an HTTP request, not an item of a batch */
};

/* Whether it keeps the call from being executed. */
bool faults_refuses(const struct faults_rule *rule);

/* The new rule's id, or 0 with a refusal. */
int64_t faults_add(struct faults *faults, const cJSON *document, struct problem *problem);

/* The first rule that meets the call, counted down, copied into *out; false where none does.  The
 * copy's account and assignment are NULL. */
bool faults_take(struct faults *faults, const struct faults_call *call, struct faults_rule *out);

void faults_clear(struct faults *faults);

#endif
