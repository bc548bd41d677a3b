/* topic.h - the simulated topics: partitions with gaps, offsets of the group, who is a member. */
#ifndef CALRELAY_TESTS_SIM_TOPIC_H
#define CALRELAY_TESTS_SIM_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/pos.h"
#include "common/uuid.h"

#define TOPIC_PARTITIONS_MAX 4

struct topic_record {
	int64_t offset;
	int user;
	struct uuid id;
	char pos[POS_TEXT_SIZE];
	uint32_t xid; /* of the transaction at that position; 0: not told */
	char *value;  /* NULL: a tombstone */
};

struct topic_partition {
	struct topic_record *records;
	size_t count;
	int64_t low;
	int64_t high;
	int64_t committed;    /* the group's; -1: none */
	int64_t committed_by; /* the reader that did so last */
};

/* requests: the topic of the sync requests; else of the assignments. */
struct topic_partition *topic_partition(bool requests, int number);
int topic_partition_count(void);
int topic_partition_of(int user);

void topic_begin(void);
void topic_end(void);

void topic_append(bool requests, const struct topic_record *record); /* copies value */

/* Records whose key came again vanish, but for the newest few. */
void topic_compact(void);
void topic_make_anew(void);	/* both topics: empty, without offsets of the group */
void topic_reset_offsets(void); /* the group's, of the assignments; nobody may be a member */
bool topic_is_committed(void);	/* everything, of both topics */

#endif
