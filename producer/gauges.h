/* gauges.h - the producer's metrics. */
#ifndef CALRELAY_PRODUCER_GAUGES_H
#define CALRELAY_PRODUCER_GAUGES_H

#include "common/metrics.h"
#include "producer/relay.h"

struct gauges {
	struct relay *relay;
	struct metric *slot_bytes;
	struct metric *behind;
	struct metric *in_flight;
	struct metric *standby;
	struct pg_request request;
	bool asking;
	int64_t current_us; /* all that was committed before is known to be in Kafka */
	uv_timer_t timer;
};

/* Registers them all, and gives the relay's parts theirs. */
void gauges_init(struct gauges *gauges, struct relay *relay, struct metrics *metrics);
void gauges_refresh(struct gauges *gauges); /* before a scrape */
void gauges_close(struct gauges *gauges);

#endif
