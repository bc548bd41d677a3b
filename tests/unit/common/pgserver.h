/* pgserver.h - a server for tests that speaks just enough of PostgreSQL's protocol.
 *
 * Every statement answers one row with one column: the first parameter. */
#ifndef CALRELAY_TESTS_UNIT_PGSERVER_H
#define CALRELAY_TESTS_UNIT_PGSERVER_H

#include <stdbool.h>

#include "common/loop.h"

#define PGSERVER_PEERS_MAX 32

enum pgserver_mood {
	SERVES,
	SILENT,	       /* accepts and never answers */
	SLAMS,	       /* accepts and closes */
	DIES_RUNNING,  /* closes when a statement is executed, once; then serves */
	HANGS_RUNNING, /* never answers a statement */
};

struct pgserver {
	uv_tcp_t tcp; /* closed by loop_close, or by the test */
	char url[128];
	enum pgserver_mood mood;
	const char *error;	 /* SQLSTATE that Execute answers with, or NULL */
	const char *parse_error; /* the same for Parse */
	struct peer *peers[PGSERVER_PEERS_MAX];
	int peer_count;
	int parses;
};

void pgserver_init(struct pgserver *server, struct loop *loop);
void pgserver_hang_up(struct pgserver *server, int number);
void pgserver_free(struct pgserver *server); /* after loop_close */

#endif
