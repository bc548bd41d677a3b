/* letter.h - a dead letter as it is read back: where it came from, whose it is, what can be done.
 *
 * Pure.  Anybody may have written into the topic: a header may be missing or hold anything. */
#ifndef CALRELAY_WORKER_LETTER_H
#define CALRELAY_WORKER_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/uuid.h"

#define LETTER_PREFIX	     "__connect.errors." /* of Kafka Connect's names */
#define LETTER_HEADER_SIZE   40			 /* of the longest name that is read */
#define LETTER_TOPIC_SIZE    250		 /* Kafka's longest name is 249 */
#define LETTER_KEY_MAX_BYTES 4096		 /* a longer key is read by nobody */
#define LETTER_REASON_SIZE   200		 /* what is longer is cut */

/* The headers that are read; LETTER_NAMES[i] behind LETTER_PREFIX. */
enum letter_header {
	LETTER_TOPIC,
	LETTER_PARTITION,
	LETTER_OFFSET,
	LETTER_STAGE,
	LETTER_REASON,
	LETTER_HEADERS
};
extern const char *const LETTER_NAMES[LETTER_HEADERS];

struct letter_bytes {
	const void *bytes; /* NULL: there are none */
	size_t length;
};

/* A message of the dead-letter topic; borrowed. */
struct letter_source {
	struct letter_bytes headers[LETTER_HEADERS];
	struct letter_bytes key;
};

/* Texts are printable ASCII, whatever the message held. */
struct letter {
	char topic[LETTER_TOPIC_SIZE];
	int32_t partition;
	int64_t offset; /* -1: a comparison with the folded log failed, not one record */
	char stage[16];
	char reason[LETTER_REASON_SIZE];
	char user[UUID_TEXT_SIZE]; /* "": the key names none */
	char id[UUID_TEXT_SIZE];   /* of the assignment, or of the sync request; the same */
};

enum letter_fate {
	LETTER_COMPARES, /* the user's calendar is compared with the plan */
	LETTER_FOREIGN,	 /* its topic is none of ours */
	LETTER_NOBODYS,	 /* nobody can say whose calendar it was about */
};

/* False with FAULT_INPUT where the message is no dead letter: a header is missing or malformed. */
bool letter_read(struct letter *letter, const struct letter_source *source,
		 struct fault *fault) MUST_CHECK;

/* What replaying it does.  topics: the assignments', the sync requests'. */
enum letter_fate letter_decide(const struct letter *letter, const char *const topics[2]);

/* A number of decimal digits, from 0 to most; anything else is false. */
bool letter_number(const char *text, size_t length, int64_t most, int64_t *number);

#endif
