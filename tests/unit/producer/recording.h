/* recording.h - a recorded pgoutput stream: tests/fixtures/pgoutput.stream. */
#ifndef CALRELAY_TESTS_PRODUCER_RECORDING_H
#define CALRELAY_TESTS_PRODUCER_RECORDING_H

#include <stddef.h>

#define RECORDING_MESSAGES_MAX 1024

struct recording_message {
	char *bytes; /* a block of just its length, so that the sanitizer sees every step beyond */
	size_t length;
};

struct recording {
	size_t count;
	struct recording_message messages[RECORDING_MESSAGES_MAX];
	int inserts, updates, deletes, truncates; /* rows and statements, as the host counted */
};

/* Named end: recording_close.  Fails the test where the file is not what record.py writes. */
void recording_load(struct recording *recording);
void recording_close(struct recording *recording);

#endif
