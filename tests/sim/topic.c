/* topic.c - the simulated topics: what stands in their partitions, and what the group has
 * committed.
 */
#include "tests/sim/topic.h"

#include <stdlib.h>
#include <string.h>

#include "common/kafka.h"
#include "tests/sim/host.h"
#include "tests/sim/sim.h"

#define TOPIC_KEPT 4 /* the newest records of a partition are never compacted */

static struct {
	int count;
	struct topic_partition partitions[2][TOPIC_PARTITIONS_MAX];
} topics;

struct topic_partition *topic_partition(bool requests, int number)
{
	return &topics.partitions[requests][number];
}

int topic_partition_count(void)
{
	return topics.count;
}

int topic_partition_of(int user)
{
	return kafka_user_partition(host_user_text(user), topics.count);
}

void topic_append(bool requests, const struct topic_record *record)
{
	struct topic_partition *partition =
	    topic_partition(requests, topic_partition_of(record->user));
	struct topic_record *copy;

	partition->records =
	    sim_grow(partition->records, partition->count, sizeof *partition->records);
	copy = &partition->records[partition->count++];
	*copy = *record;
	copy->value = sim_copy(record->value);
	partition->high += sim_chance(50) ? sim_between(1, 4) : 0; /* transaction markers */
	copy->offset = partition->high++;
}

static bool key_comes_again(const struct topic_partition *partition, size_t index)
{
	const struct topic_record *record = &partition->records[index];

	for (size_t i = index + 1; i < partition->count; i++) {
		if (partition->records[i].user == record->user &&
		    uuid_compare(&partition->records[i].id, &record->id) == 0) {
			return true;
		}
	}
	return false;
}

void topic_compact(void)
{
	for (int i = 0; i < topics.count && !host_is_mending(); i++) {
		struct topic_partition *partition = topic_partition(false, i);
		size_t kept = 0;

		for (size_t k = 0; k < partition->count; k++) {
			if (k + TOPIC_KEPT < partition->count && key_comes_again(partition, k)) {
				free(partition->records[k].value);
			} else {
				partition->records[kept++] = partition->records[k];
			}
		}
		partition->count = kept;
	}
	sim_trace("log: compacted");
}

static void partition_empty(struct topic_partition *partition)
{
	for (size_t i = 0; i < partition->count; i++) {
		free(partition->records[i].value);
	}
	free(partition->records);
	*partition = (struct topic_partition){.committed = -1};
}

void topic_make_anew(void)
{
	for (int i = 0; i < topics.count; i++) {
		partition_empty(topic_partition(false, i));
		partition_empty(topic_partition(true, i));
	}
	sim_trace("log: the topics are made anew");
}

void topic_reset_offsets(void)
{
	for (int i = 0; i < topics.count; i++) {
		struct topic_partition *partition = topic_partition(false, i);

		if (partition->committed > 0) {
			partition->committed = sim_chance(800) ? 0 : sim_below(partition->high + 1);
			sim_trace("log: offsets of %d are reset to %d", i,
				  (int)partition->committed);
		}
	}
}

bool topic_is_committed(void)
{
	for (int i = 0; i < topics.count; i++) {
		for (int requests = 0; requests < 2; requests++) {
			const struct topic_partition *partition = topic_partition(requests, i);
			const struct topic_record *last =
			    partition->count > 0 ? &partition->records[partition->count - 1] : NULL;

			if (last != NULL && partition->committed <= last->offset) {
				return false;
			}
		}
	}
	return true;
}

void topic_begin(void)
{
	memset(&topics, 0, sizeof topics);
	topics.count = (int)sim_between(1, TOPIC_PARTITIONS_MAX);
	for (int i = 0; i < TOPIC_PARTITIONS_MAX; i++) {
		topics.partitions[0][i].committed = -1;
		topics.partitions[1][i].committed = -1;
	}
}

void topic_end(void)
{
	for (int i = 0; i < TOPIC_PARTITIONS_MAX; i++) {
		partition_empty(&topics.partitions[0][i]);
		partition_empty(&topics.partitions[1][i]);
	}
}
