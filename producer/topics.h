/* topics.h - the two event topics: there, compacted, with as many partitions as configured; and how
 * far each partition goes.
 *
 * librdkafka's admin calls wait, so a job runs beside the loop; one at a time. */
#ifndef CALRELAY_PRODUCER_TOPICS_H
#define CALRELAY_PRODUCER_TOPICS_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "common/fault.h"
#include "common/loop.h"
#include "producer/late.h"
#include "producer/settings.h"
#include "producer/tails.h"

#define TOPICS_FINDING_SIZE 256
#define TOPICS_FINDINGS_MAX 4

enum topics_task {
	TOPICS_LOOK,  /* check what is there */
	TOPICS_MAKE,  /* and create what is missing */
	TOPICS_TAILS, /* and read the ends */
	TOPICS_OLD,   /* only find the keys that have no record of the epoch */
};

struct topics_job {
	const struct settings *settings;
	enum topics_task task;
	uint32_t epoch; /* TOPICS_OLD */
	void (*done)(struct topics_job *job);

	/* valid inside done and later */
	struct fault fault; /* FAULT_RETRY: no Kafka; FAULT_FATAL: a finding nobody here may mend */
	bool missing[TAILS_TOPICS]; /* TOPICS_LOOK only */
	int finding_count;
	char findings[TOPICS_FINDINGS_MAX][TOPICS_FINDING_SIZE]; /* each with the way out */
	struct tails tails; /* set it before, as struct ends_job says */
	struct late late;   /* named end: late_clear */

	uv_work_t work;
	atomic_bool stop; /* set it to have a job under way end early */
};

/* Calls job->done exactly once, from the loop.  Borrows job until then. */
void topics_start(struct loop *loop, struct topics_job *job);

#endif
