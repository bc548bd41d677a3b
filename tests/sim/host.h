/* host.h - the simulated host application and the producer: tables, transactions, the log of them.
 */
#ifndef CALRELAY_TESTS_SIM_HOST_H
#define CALRELAY_TESTS_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/uuid.h"
#include "worker/change.h"

#define HOST_USERS	 3
#define HOST_ASSIGNMENTS 10
#define HOST_PROJECTS	 3

struct host_assignment {
	struct uuid id;
	bool exists;
	int user;
	int project;
	int serial; /* of the newest content; stands in the notes */
	const char *status;
	bool is_locked; /* by a transaction that has not committed */
};

struct host_project {
	int serial;
	int32_t first_day;
	int32_t last_day;
	bool has_days;
};

struct host_texts {
	char client[32];
	char notes[32];
	char project_notes[32];
};

void host_begin(void);
void host_end(void);

const char *host_user_text(int user);
int host_user(const char *text); /* -1: none */

const struct host_assignment *host_assignment(int index);

/* What an assignment is in the tables now; the texts are written into texts. */
void host_describe(const struct host_assignment *assignment, struct host_texts *texts,
		   struct assignment *out);

/* pg_current_snapshot()::text. */
void host_snapshot(char *text, size_t size);

/* One random transaction: begins now, commits a little later, is published later still. */
void host_changes(void);

/* A project's data changes: a fan-out of all its assignments. */
void host_edits_project(void);

/* Every assignment is told again, as at a topic that was made anew. */
void host_resnapshots(void);

/* A record that was sent before lands once more; its key is told again behind it. */
void host_lands_late(void);

/* The requests' topic learns that a row was inserted. */
void host_request_inserted(int user);

bool host_is_mending(void);   /* a key that landed late is not told again yet */
bool host_is_published(void); /* the log has all that is committed */
bool host_is_quiet(void);     /* nothing is left to commit or to publish */

/* Whether rows were ever told again: such a record shows what the tables said when it was
 * published, which may be ahead of the records behind it. */
bool host_tells_again(void);

#endif
