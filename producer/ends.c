/* ends.c - the ends of the partitions. */
#include "producer/ends.h"

#include "producer/topic.h"

#define ENDS_RECORDS 200 /* read that many from each partition's end */
#define ENDS_MORE    20000
#define ENDS_WAIT_MS 5000
#define ENDS_ASK_MS  2000

static const char READING[] = "reading a partition's end";

struct tail_reader {
	const struct ends_job *job;
	rd_kafka_queue_t *queue;
	rd_kafka_topic_t *topics[TAILS_TOPICS];
	int64_t from[TAILS_TOPICS][TAILS_PARTITIONS_MAX]; /* RD_KAFKA_OFFSET_TAIL or BEGINNING */
	bool seen[TAILS_TOPICS][TAILS_PARTITIONS_MAX];
	int open;
};

static bool start_tail(struct tail_reader *reader, int topic, int partition, int64_t from)
{
	reader->from[topic][partition] = from;
	if (rd_kafka_consume_start_queue(reader->topics[topic], partition, from, reader->queue) !=
	    0) {
		return topic_error(reader->job->fault, READING, rd_kafka_last_error());
	}
	return true;
}

static void take_position(struct tail_reader *reader, int topic, const rd_kafka_message_t *message)
{
	const struct tails_end *end = &reader->job->tails->ends[topic][message->partition];
	struct pos pos;

	reader->seen[topic][message->partition] = true;
	if (!topic_read_pos(message, &pos)) {
		return;
	}
	if (topic == TAILS_ASSIGNMENTS) { /* a request has one record only */
		late_take(reader->job->late, message->key, message->key_len, &pos,
			  end->known ? &end->newest : NULL);
	}
	tails_note(reader->job->tails, (enum tails_topic)topic, message->partition, &pos);
}

/* At the end of a partition.  Where compaction left nothing of the last records, further back. */
static bool take_end(struct tail_reader *reader, int topic, const rd_kafka_message_t *message)
{
	int32_t partition = message->partition;
	int64_t from = reader->from[topic][partition];

	rd_kafka_consume_stop(reader->topics[topic], partition);
	reader->job->tails->ends[topic][partition].next_offset = message->offset;
	if (reader->seen[topic][partition] || from == RD_KAFKA_OFFSET_BEGINNING) {
		reader->open--;
		return true;
	}
	return start_tail(reader, topic, partition,
			  from == RD_KAFKA_OFFSET_TAIL(ENDS_RECORDS)
			      ? RD_KAFKA_OFFSET_TAIL(ENDS_MORE)
			      : RD_KAFKA_OFFSET_BEGINNING);
}

static bool take_message(struct tail_reader *reader, const rd_kafka_message_t *message)
{
	int topic =
	    message->rkt == reader->topics[TAILS_REQUESTS] ? TAILS_REQUESTS : TAILS_ASSIGNMENTS;

	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		return take_end(reader, topic, message);
	}
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		return topic_error(reader->job->fault, READING, message->err);
	}
	take_position(reader, topic, message);
	return true;
}

static bool drain_tails(struct tail_reader *reader)
{
	int idle = 0;

	while (reader->open > 0) {
		rd_kafka_message_t *message = rd_kafka_consume_queue(reader->queue, 500);
		bool ok;

		if (message == NULL) {
			if (++idle == 20 || atomic_load(reader->job->stop)) {
				return fault_retry(reader->job->fault,
						   "Kafka does not give the partitions' ends");
			}
			continue;
		}
		idle = 0;
		ok = take_message(reader, message);
		rd_kafka_message_destroy(message);
		if (!ok) {
			return false;
		}
	}
	return true;
}

/* Before what somebody else wrote, or a few records before the end. */
static int64_t tail_start(const struct tails_end *end)
{
	if (!end->has_foreign) {
		return RD_KAFKA_OFFSET_TAIL(ENDS_RECORDS);
	}
	return end->foreign_offset > ENDS_RECORDS ? end->foreign_offset - ENDS_RECORDS
						  : RD_KAFKA_OFFSET_BEGINNING;
}

bool ends_read(const struct ends_job *job)
{
	static struct tail_reader reader; /* large; jobs run one at a time */
	char name[TOPIC_NAME_SIZE];
	bool ok = true;

	reader = (struct tail_reader){.job = job, .queue = rd_kafka_queue_new(job->rk)};
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		topic_name(job->settings, (enum tails_topic)topic, name);
		reader.topics[topic] = rd_kafka_topic_new(job->rk, name, NULL);
		for (int i = 0; ok && i < job->settings->partitions; i++) {
			ok = start_tail(&reader, topic, i, tail_start(&job->tails->ends[topic][i]));
			reader.open++;
		}
	}
	ok = ok && drain_tails(&reader);
	rd_kafka_queue_destroy(reader.queue);
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		rd_kafka_topic_destroy(reader.topics[topic]);
	}
	return ok;
}

static void take_old(const struct ends_job *job, const rd_kafka_message_t *message)
{
	struct pos pos;

	if (topic_read_pos(message, &pos)) {
		late_take_old(job->late, message->key, message->key_len, &pos,
			      message->payload == NULL, job->epoch);
	}
}

/* Takes one message; *ended at the partition's end. */
static bool take_next_old(const struct ends_job *job, rd_kafka_topic_t *topic, int32_t partition,
			  bool *ended)
{
	rd_kafka_message_t *message = rd_kafka_consume(topic, partition, ENDS_WAIT_MS);
	bool ok = true;

	if (message == NULL || atomic_load(job->stop)) {
		ok = fault_retry(job->fault, "Kafka does not give a partition's records");
	} else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		*ended = true;
	} else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		ok = topic_error(job->fault, "reading a partition", message->err);
	} else {
		take_old(job, message);
	}
	if (message != NULL) {
		rd_kafka_message_destroy(message);
	}
	return ok;
}

bool ends_read_old(const struct ends_job *job)
{
	char name[TOPIC_NAME_SIZE];
	rd_kafka_topic_t *topic;
	bool ok = true;

	topic_name(job->settings, TAILS_ASSIGNMENTS, name);
	topic = rd_kafka_topic_new(job->rk, name, NULL);
	for (int i = 0; ok && i < job->settings->partitions; i++) {
		bool ended = false;

		if (rd_kafka_consume_start(topic, i, RD_KAFKA_OFFSET_BEGINNING) != 0) {
			ok = topic_error(job->fault, READING, rd_kafka_last_error());
			break;
		}
		while (ok && !ended) {
			ok = take_next_old(job, topic, i, &ended);
		}
		rd_kafka_consume_stop(topic, i);
	}
	rd_kafka_topic_destroy(topic);
	return ok;
}

static bool take_offset(const struct ends_job *job, int topic,
			const rd_kafka_topic_partition_t *found)
{
	if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		return topic_error(job->fault, READING, found->err);
	}
	job->tails->ends[topic][found->partition].next_offset = found->offset;
	return true;
}

/* rd_kafka_query_watermark_offsets would wait for a broker that went away as long as librdkafka
 * repeats its request, which is minutes, whatever it is told; this keeps its time. */
bool ends_ask(const struct ends_job *job)
{
	int count = (int)job->settings->partitions;
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(TAILS_TOPICS * count);
	rd_kafka_resp_err_t error;
	char name[TOPIC_NAME_SIZE];
	bool ok;

	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		topic_name(job->settings, (enum tails_topic)topic, name);
		for (int i = 0; i < count; i++) {
			rd_kafka_topic_partition_list_add(list, name, i)->offset =
			    RD_KAFKA_OFFSET_END;
		}
	}
	error = rd_kafka_offsets_for_times(job->rk, list, ENDS_ASK_MS);
	ok = error == RD_KAFKA_RESP_ERR_NO_ERROR || topic_error(job->fault, READING, error);
	for (int i = 0; ok && i < list->cnt; i++) {
		ok = take_offset(job, i / count, &list->elems[i]);
	}
	rd_kafka_topic_partition_list_destroy(list);
	return ok;
}
