/* gauges.c - the producer's metrics. */
#include "producer/gauges.h"

#include "common/clock.h"
#include "common/log.h"

#define GAUGES_EVERY_MS 10000

static const char RETAINED_SQL[] =
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots "
    "WHERE slot_name = $1";

static const double ACK_BUCKETS[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,	1, 2.5,
				     5,	    10,	  30,	 60,   300, 1800, 3600, 0};

static void on_retained(struct pg_request *request)
{
	struct gauges *gauges = container_of(request, struct gauges, request);

	gauges->asking = false;
	if (request->fault.kind == FAULT_NONE && PQntuples(request->result) == 1) {
		metric_set(gauges->slot_bytes, NULL, (double)pg_integer(request->result, 0, 0, 0));
	} else if (request->fault.kind == FAULT_FATAL) {
		log_warn("the slot's size can't be read", LOG_TEXT("error", request->fault.what));
	}
}

/* Where nothing streams, what is committed meanwhile is not known to be anywhere. */
static void note_time(struct gauges *gauges, int64_t now_us)
{
	const struct ack_transaction *oldest = ack_oldest(&gauges->relay->flow.ack);
	char reason[128];

	if (oldest != NULL) {
		gauges->current_us = oldest->commit_time_us;
	} else if (relay_is_ready(gauges->relay, reason)) {
		gauges->current_us = now_us;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct gauges *gauges = container_of(timer, struct gauges, timer);

	note_time(gauges, clock_wall_us());
	if (!gauges->asking && pg_is_up(gauges->relay->pg)) {
		gauges->asking = true;
		gauges->request = (struct pg_request){.sql = RETAINED_SQL,
						      .params = {gauges->relay->settings->slot},
						      .param_count = 1,
						      .done = on_retained};
		pg_send(gauges->relay->pg, &gauges->request);
	}
}

void gauges_init(struct gauges *gauges, struct relay *relay, struct metrics *metrics)
{
	struct flow *flow = &relay->flow;

	*gauges = (struct gauges){.relay = relay, .current_us = clock_wall_us()};
	gauges->slot_bytes =
	    metric_new(metrics, METRIC_GAUGE, "calrelay_producer_slot_retained_bytes",
		       "WAL that the slot keeps the server from removing", "", NULL);
	gauges->behind =
	    metric_new(metrics, METRIC_GAUGE, "calrelay_producer_behind_seconds",
		       "age of the oldest commit that is not safely in Kafka", "", NULL);
	gauges->in_flight =
	    metric_new(metrics, METRIC_GAUGE, "calrelay_producer_in_flight_transactions",
		       "transactions decoded and not acknowledged", "", NULL);
	gauges->standby = metric_new(metrics, METRIC_GAUGE, "calrelay_producer_standby",
				     "1 while another producer has the slot", "", NULL);
	flow->emit.events = metric_new(metrics, METRIC_COUNTER, "calrelay_producer_events_total",
				       "records handed to Kafka", "op,cause", NULL);
	flow->commit_to_ack =
	    metric_new(metrics, METRIC_HISTOGRAM, "calrelay_producer_commit_to_ack_seconds",
		       "from the commit in PostgreSQL to Kafka's acknowledgement", "", ACK_BUCKETS);
	uv_timer_init(&relay->loop->uv, &gauges->timer);
	uv_timer_start(&gauges->timer, on_timer, 1000, GAUGES_EVERY_MS);
}

void gauges_refresh(struct gauges *gauges)
{
	const struct ack *ack = &gauges->relay->flow.ack;
	int64_t now_us = clock_wall_us();
	double behind;

	note_time(gauges, now_us);
	behind = (double)(now_us - gauges->current_us) / 1e6;
	metric_set(gauges->behind, NULL, behind > 0 ? behind : 0);
	metric_set(gauges->in_flight, NULL, (double)ack_count(ack));
	metric_set(gauges->standby, NULL, relay_stands_by(gauges->relay) ? 1 : 0);
}

void gauges_close(struct gauges *gauges)
{
	uv_close((uv_handle_t *)&gauges->timer, NULL);
}
