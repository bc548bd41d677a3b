/* raw.h - a blocking client on a thread of its own, for what libcurl would not send. */
#ifndef CALRELAY_TESTS_UNIT_RAW_H
#define CALRELAY_TESTS_UNIT_RAW_H

#include "common/loop.h"

struct raw {
	uv_work_t work;
	const char *bytes;
	int port;
	char answer[4096]; /* all until the server closes */
	void *owner;
	void (*done)(struct raw *raw);
};

/* Sends bytes to that port of 127.0.0.1; done is called from the loop when the server has closed.
 */
void raw_begin(struct raw *raw, struct loop *loop, int port, const char *bytes);

#endif
