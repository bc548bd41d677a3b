/* letters.c - the command `dead-letters`: reads the topic, prints it, asks for what repairs it. */
#include "worker/letters.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/kafka.h"
#include "common/program.h"
#include "worker/letter.h"

#define LETTERS_WAIT_MS	   10000 /* for each answer of Kafka */
#define LETTERS_NAME_SIZE  300
#define LETTERS_SINCE_SIZE 64

/* $1 user, $2 when the ends of the topic were known.  No row: no calendar that could be compared.
 * A request that came since then, or that nobody has begun, comes behind every letter. */
static const char ASK_SQL[] =
    "WITH c AS (SELECT user_id FROM public.calendar_connections"
    "   WHERE user_id = $1::uuid AND provider = 'microsoft' AND status = 'active'), "
    "there AS (SELECT q.id FROM public.calendar_sync_requests q JOIN c USING (user_id)"
    "   WHERE q.kind = 'full' AND (q.due_at IS NULL OR q.due_at <= now())"
    "     AND (q.created_at >= $2::timestamptz OR q.state = 'requested') LIMIT 1), "
    "filed AS (INSERT INTO public.calendar_sync_requests (user_id, kind)"
    "   SELECT user_id, 'full' FROM c WHERE NOT EXISTS (SELECT FROM there) RETURNING id) "
    "SELECT coalesce(f.id, t.id), f.id IS NOT NULL"
    "  FROM c LEFT JOIN filed f ON true LEFT JOIN there t ON true";

struct letters {
	const struct worker_config *config;
	char name[LETTERS_NAME_SIZE]; /* of the topic */
	char topics[2][LETTERS_NAME_SIZE];
	bool replays;
	int64_t partition; /* of the one letter to replay; -1: all */
	int64_t offset;
	rd_kafka_t *client;
	rd_kafka_topic_t *topic;
	rd_kafka_topic_partition_list_t *ends; /* as they were at the start; NULL: no topic */
	PGconn *conn;
	char since[LETTERS_SINCE_SIZE];
	int64_t seen;
	int64_t filed;
	int64_t refused;
	struct fault fault;
};

/* ---- the arguments ---- */

static bool read_number(const char *text, int64_t most, int64_t *number)
{
	return letter_number(text, strlen(text), most, number);
}

static bool read_arguments(struct letters *letters, int argc, char **argv)
{
	letters->partition = -1;
	if (argc == 1 && strcmp(argv[0], "list") == 0) {
		return true;
	}
	letters->replays = argc > 1 && strcmp(argv[0], "replay") == 0;
	if (letters->replays && argc == 2 && strcmp(argv[1], "--all") == 0) {
		return true;
	}
	return letters->replays && argc == 5 && strcmp(argv[1], "--partition") == 0 &&
	       read_number(argv[2], INT32_MAX, &letters->partition) &&
	       strcmp(argv[3], "--offset") == 0 &&
	       read_number(argv[4], INT64_MAX, &letters->offset);
}

static bool name_topics(struct letters *letters)
{
	const char *prefix = letters->config->topic_prefix;
	struct hostmap map;

	if (!hostmap_load(&map, letters->config->mapping_file, &letters->fault)) {
		return false;
	}
	snprintf(letters->name, sizeof letters->name, "%s.dlq", prefix);
	snprintf(letters->topics[0], sizeof letters->topics[0], "%s.%s.%s", prefix, map.schema,
		 map.assignments.table);
	snprintf(letters->topics[1], sizeof letters->topics[1], "%s.public.calendar_sync_requests",
		 prefix);
	return true;
}

/* ---- Kafka ---- */

static bool kafka_failed(struct letters *letters, rd_kafka_resp_err_t err)
{
	return fault_retry(&letters->fault, "Kafka does not give %.120s: %.100s", letters->name,
			   rd_kafka_err2str(err));
}

/* A reader that belongs to no group and keeps no offset. */
static bool open_client(struct letters *letters)
{
	static const char *const OURS[][2] = {
	    {"enable.auto.commit", "false"},   {"enable.auto.offset.store", "false"},
	    {"enable.partition.eof", "true"},  {"queued.max.messages.kbytes", "8192"},
	    {"auto.offset.reset", "earliest"}, {"allow.auto.create.topics", "false"},
	};
	const struct worker_config *config = letters->config;
	rd_kafka_conf_t *conf = kafka_conf_new(config->kafka_bootstrap, config->kafka_config_file,
					       "calrelay-dead-letters", &letters->fault);
	char why[160];

	for (size_t i = 0; conf != NULL && i < sizeof OURS / sizeof *OURS; i++) {
		if (!kafka_conf_set(conf, OURS[i][0], OURS[i][1], &letters->fault)) {
			rd_kafka_conf_destroy(conf);
			conf = NULL;
		}
	}
	if (conf == NULL) {
		return false;
	}
	letters->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	if (letters->client == NULL) {
		rd_kafka_conf_destroy(conf);
		return fault_fatal(&letters->fault, "Kafka client: %.160s", why);
	}
	letters->topic = rd_kafka_topic_new(letters->client, letters->name, NULL);
	return letters->topic != NULL || kafka_failed(letters, rd_kafka_last_error());
}

/* rd_kafka_query_watermark_offsets would not keep its time where the leader is away. */
static bool ask_ends(struct letters *letters, const rd_kafka_metadata_topic_t *topic)
{
	rd_kafka_resp_err_t err;

	letters->ends = rd_kafka_topic_partition_list_new(topic->partition_cnt);
	for (int i = 0; i < topic->partition_cnt; i++) {
		rd_kafka_topic_partition_list_add(letters->ends, letters->name,
						  topic->partitions[i].id)
		    ->offset = RD_KAFKA_OFFSET_END;
	}
	rd_kafka_topic_partition_list_sort(letters->ends, NULL, NULL);
	err = rd_kafka_offsets_for_times(letters->client, letters->ends, LETTERS_WAIT_MS);
	for (int i = 0; err == RD_KAFKA_RESP_ERR_NO_ERROR && i < letters->ends->cnt; i++) {
		err = letters->ends->elems[i].err;
	}
	return err == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_failed(letters, err);
}

static bool find_topic(struct letters *letters)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t err;
	bool ok = true;

	err = rd_kafka_metadata(letters->client, 0, letters->topic, &metadata, LETTERS_WAIT_MS);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		return fault_retry(&letters->fault,
				   "Kafka is not reachable (%.100s): check "
				   "KAFKA_BOOTSTRAP_SERVERS",
				   rd_kafka_err2str(err));
	}
	err = metadata->topics[0].err;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		ok = ask_ends(letters, &metadata->topics[0]);
	} else if (err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
		ok = kafka_failed(letters, err);
	}
	rd_kafka_metadata_destroy(metadata);
	return ok;
}

/* ---- PostgreSQL ---- */

static bool database_failed(struct letters *letters)
{
	const char *error = PQerrorMessage(letters->conn);

	return fault_retry(&letters->fault, "PostgreSQL: %.*s (check DATABASE_URL)",
			   (int)(strcspn(error, "\n") < 160 ? strcspn(error, "\n") : 160), error);
}

static bool open_database(struct letters *letters)
{
	PGresult *result;
	bool ok;

	letters->conn = PQconnectdb(letters->config->database_url);
	if (PQstatus(letters->conn) != CONNECTION_OK) {
		return database_failed(letters);
	}
	result = PQexec(letters->conn, "SELECT now()::text");
	ok = PQresultStatus(result) == PGRES_TUPLES_OK || database_failed(letters);
	if (ok) {
		snprintf(letters->since, sizeof letters->since, "%s", PQgetvalue(result, 0, 0));
	}
	PQclear(result);
	return ok;
}

static bool ask_for_user(struct letters *letters, const char *user)
{
	const char *params[] = {user, letters->since};
	PGresult *result = PQexecParams(letters->conn, ASK_SQL, 2, NULL, params, NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK || database_failed(letters);

	if (ok && PQntuples(result) == 0) {
		printf("\tnothing to compare: no calendar of this user is connected\n");
		letters->refused++;
	} else if (ok) {
		printf("\tasked for: sync request %s\n", PQgetvalue(result, 0, 0));
		letters->filed += strcmp(PQgetvalue(result, 0, 1), "t") == 0;
	}
	PQclear(result);
	return ok;
}

/* ---- one letter ---- */

static struct letter_source source_of(const rd_kafka_message_t *message)
{
	struct letter_source source = {.key = {message->key, message->key_len}};
	rd_kafka_headers_t *headers;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		return source;
	}
	for (int i = 0; i < LETTER_HEADERS; i++) {
		char name[LETTER_HEADER_SIZE];

		snprintf(name, sizeof name, LETTER_PREFIX "%s", LETTER_NAMES[i]);
		if (rd_kafka_header_get_last(headers, name, &source.headers[i].bytes,
					     &source.headers[i].length) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR) {
			source.headers[i].bytes = NULL;
		}
	}
	return source;
}

static void print_place(const rd_kafka_message_t *message)
{
	int64_t at_ms = rd_kafka_message_timestamp(message, NULL);
	time_t at_s = (time_t)(at_ms / 1000);
	char when[32] = "-";
	struct tm utc;

	if (at_ms >= 0 && gmtime_r(&at_s, &utc) != NULL) {
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
	}
	printf("%" PRId32 "\t%" PRId64 "\t%s", message->partition, message->offset, when);
}

static void print_letter(const struct letter *letter)
{
	char offset[24] = "-";

	if (letter->offset >= 0) {
		snprintf(offset, sizeof offset, "%" PRId64, letter->offset);
	}
	printf("\t%s\t%" PRId32 "\t%s\t%s\t%s\t%s\t%s\n", letter->topic, letter->partition, offset,
	       letter->stage, letter->user[0] != '\0' ? letter->user : "-",
	       letter->id[0] != '\0' ? letter->id : "-", letter->reason);
}

static bool replay_letter(struct letters *letters, const struct letter *letter)
{
	const char *const topics[] = {letters->topics[0], letters->topics[1]};

	switch (letter_decide(letter, topics)) {
	case LETTER_COMPARES:
		return ask_for_user(letters, letter->user);
	case LETTER_FOREIGN:
		printf("\trefused: its topic is none of ours\n");
		break;
	case LETTER_NOBODYS:
		printf("\trefused: its key names no user\n");
		break;
	}
	letters->refused++;
	return true;
}

static bool visit(struct letters *letters, const rd_kafka_message_t *message)
{
	struct letter_source source = source_of(message);
	struct letter letter;
	struct fault why;

	letters->seen++;
	print_place(message);
	if (!letter_read(&letter, &source, &why)) {
		printf("\tno dead letter: %s\n", why.what);
		letters->refused++;
		return true;
	}
	print_letter(&letter);
	return !letters->replays || replay_letter(letters, &letter);
}

/* ---- the topic ---- */

/* Takes one message; *ended at the end that the partition had when we began. */
static bool take_next(struct letters *letters, const rd_kafka_topic_partition_t *end, bool *ended)
{
	rd_kafka_message_t *message =
	    rd_kafka_consume(letters->topic, end->partition, LETTERS_WAIT_MS);
	bool ok = true;

	if (message == NULL) {
		return kafka_failed(letters, RD_KAFKA_RESP_ERR__TIMED_OUT);
	}
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		*ended = true;
	} else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		ok = kafka_failed(letters, message->err);
	} else {
		*ended = message->offset + 1 >= end->offset || letters->partition >= 0;
		if (letters->partition < 0 ? message->offset < end->offset
					   : message->offset == letters->offset) {
			ok = visit(letters, message);
		}
	}
	rd_kafka_message_destroy(message);
	return ok;
}

static bool read_partition(struct letters *letters, const rd_kafka_topic_partition_t *end)
{
	int64_t from = letters->partition >= 0 ? letters->offset : RD_KAFKA_OFFSET_BEGINNING;
	bool ended = from >= end->offset; /* an empty partition, or an offset behind its end */
	bool ok = true;

	if (letters->partition >= 0 && letters->partition != end->partition) {
		return true;
	}
	if (rd_kafka_consume_start(letters->topic, end->partition, from) != 0) {
		return kafka_failed(letters, rd_kafka_last_error());
	}
	while (ok && !ended) {
		ok = take_next(letters, end, &ended);
	}
	rd_kafka_consume_stop(letters->topic, end->partition);
	return ok;
}

static bool read_topic(struct letters *letters)
{
	bool ok = open_client(letters) && find_topic(letters);

	if (!ok || letters->ends == NULL) {
		return ok;
	}
	ok = !letters->replays || open_database(letters);
	for (int i = 0; ok && i < letters->ends->cnt; i++) {
		ok = read_partition(letters, &letters->ends->elems[i]);
	}
	return ok;
}

static void close_all(struct letters *letters)
{
	PQfinish(letters->conn);
	if (letters->ends != NULL) {
		rd_kafka_topic_partition_list_destroy(letters->ends);
	}
	if (letters->topic != NULL) {
		rd_kafka_topic_destroy(letters->topic);
	}
	if (letters->client != NULL) {
		rd_kafka_destroy(letters->client);
	}
}

/* The last line, and the exit status. */
static int conclude(const struct letters *letters)
{
	bool wants_one = letters->partition >= 0;

	if (wants_one && letters->seen == 0) {
		printf("%s holds no letter in partition %" PRId64 " at offset %" PRId64 "\n",
		       letters->name, letters->partition, letters->offset);
		return 1;
	}
	if (letters->seen == 0) {
		printf("no dead letters: %s %s\n", letters->name,
		       letters->ends == NULL ? "does not exist" : "is empty");
		return 0;
	}
	if (letters->replays) {
		printf("letters: %" PRId64 ", sync requests filed: %" PRId64 ", refused: %" PRId64
		       "\n",
		       letters->seen, letters->filed, letters->refused);
	}
	return wants_one && letters->refused > 0;
}

int letters_run(const struct worker_config *config, int argc, char **argv)
{
	struct letters letters = {.config = config};
	bool ok;

	if (!read_arguments(&letters, argc, argv)) {
		fputs("dead-letters takes list, replay --all or replay --partition N --offset M\n",
		      stderr);
		return PROGRAM_EXIT_USAGE;
	}
	ok = name_topics(&letters) && read_topic(&letters);
	close_all(&letters);
	if (!ok) {
		fflush(stdout);
		fprintf(stderr, "dead-letters: %s\n", letters.fault.what);
		return 1;
	}
	return conclude(&letters);
}
