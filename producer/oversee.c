/* oversee.c - looks now and then whether somebody else wrote into the partitions. */
#include "producer/oversee.h"

#include "producer/ends.h"

#define OVERSEE_EVERY_MS 5000

static void note_expected(struct oversee *oversee)
{
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int i = 0; i < TAILS_PARTITIONS_MAX; i++) {
			oversee->expected[topic][i] =
			    publish_idle_offset(oversee->flow->publish, (enum tails_topic)topic, i);
		}
	}
}

/* Quiet before and after, and yet the partition grew.  After a change of leader it may seem shorter
 * for a moment. */
static bool has_grown(const struct oversee *oversee, enum tails_topic topic, int32_t partition)
{
	int64_t expected = oversee->expected[topic][partition];

	return expected >= 0 &&
	       expected == publish_idle_offset(oversee->flow->publish, topic, partition) &&
	       oversee->ends.ends[topic][partition].next_offset > expected;
}

static bool find_foreign(struct oversee *oversee)
{
	bool found = false;

	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int i = 0; i < oversee->flow->settings->partitions; i++) {
			if (has_grown(oversee, (enum tails_topic)topic, i)) {
				tails_note_foreign(&oversee->flow->tails, (enum tails_topic)topic,
						   i, oversee->expected[topic][i]);
				found = true;
			}
		}
	}
	return found;
}

static void on_work(uv_work_t *work)
{
	struct oversee *oversee = container_of(work, struct oversee, work);
	const struct ends_job job = {.rk = publish_client(oversee->flow->publish),
				     .settings = oversee->flow->settings,
				     .tails = &oversee->ends,
				     .fault = &oversee->fault};

	oversee->fault = (struct fault){0};
	(void)!ends_ask(&job);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct oversee *oversee = container_of(work, struct oversee, work);
	struct fault fault = {0};

	oversee->looking = false;
	if (!uv_is_active((const uv_handle_t *)&oversee->timer)) {
		oversee->ended(oversee, &fault);
		return;
	}
	/* a Kafka that does not answer is noticed where records go */
	if (status == 0 && oversee->fault.kind == FAULT_NONE && find_foreign(oversee)) {
		fault_retry(&fault, "somebody else wrote into the topic: looking what it is");
		oversee->ended(oversee, &fault);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct oversee *oversee = container_of(timer, struct oversee, timer);

	if (oversee->looking || oversee->flow->publish == NULL) {
		return;
	}
	note_expected(oversee);
	oversee->looking =
	    uv_queue_work(&oversee->loop->uv, &oversee->work, on_work, on_work_done) == 0;
}

void oversee_init(struct oversee *oversee, struct loop *loop, struct flow *flow)
{
	oversee->loop = loop;
	oversee->flow = flow;
	uv_timer_init(&loop->uv, &oversee->timer);
}

void oversee_start(struct oversee *oversee)
{
	uv_timer_start(&oversee->timer, on_timer, OVERSEE_EVERY_MS, OVERSEE_EVERY_MS);
}

bool oversee_stop(struct oversee *oversee)
{
	uv_timer_stop(&oversee->timer);
	return !oversee->looking;
}

void oversee_close(struct oversee *oversee)
{
	uv_close((uv_handle_t *)&oversee->timer, NULL);
}
