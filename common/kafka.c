/* kafka.c - librdkafka's configuration and its queues on the loop. */
#include "common/kafka.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

#define KAFKA_CONFIG_LINE_MAX 4096

bool kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct fault *fault)
{
	char why[200];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
		return fault_fatal(fault, "Kafka setting %.60s: %.160s", name, why);
	}
	return true;
}

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (isspace((unsigned char)*text)) {
		text++;
	}
	while (end > text && isspace((unsigned char)end[-1])) {
		*--end = '\0';
	}
	return text;
}

struct kafka_file {
	const char *path;
	int number; /* of the line */
	bool is_public;
};

/* sasl.password, ssl.key.password, ssl.key.pem, sasl.oauthbearer.client.secret, ... */
static bool kafka_name_is_secret(const char *name)
{
	static const char *const PARTS[] = {"password", "secret", "key.pem", "oauthbearer.config"};

	for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
		if (strstr(name, PARTS[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static bool kafka_conf_line(rd_kafka_conf_t *conf, char *line, const struct kafka_file *file,
			    struct fault *fault)
{
	char *name = trim(line);
	char *equals = strchr(name, '=');
	char why[160];

	if (*name == '\0' || *name == '#') {
		return true;
	}
	if (equals == NULL) {
		return fault_fatal(fault, "KAFKA_CONFIG_FILE %s line %d is not name=value",
				   file->path, file->number);
	}
	*equals = '\0';
	name = trim(name);
	if (file->is_public && kafka_name_is_secret(name)) {
		return fault_fatal(fault,
				   "KAFKA_CONFIG_FILE: others can read %s, and it holds %.60s: "
				   "chmod o= it",
				   file->path, name);
	}
	if (rd_kafka_conf_set(conf, name, trim(equals + 1), why, sizeof why) != RD_KAFKA_CONF_OK) {
		return fault_fatal(fault, "KAFKA_CONFIG_FILE %s line %d: %s", file->path,
				   file->number, why);
	}
	return true;
}

static bool kafka_conf_file(rd_kafka_conf_t *conf, const char *path, struct fault *fault)
{
	char line[KAFKA_CONFIG_LINE_MAX];
	struct kafka_file file = {.path = path};
	FILE *stream = fopen(path, "re");
	struct stat status;
	bool ok = true;

	if (stream == NULL || fstat(fileno(stream), &status) != 0) {
		ok = fault_fatal(fault, "KAFKA_CONFIG_FILE: can't open %s: %s", path,
				 strerror(errno));
		goto out;
	}
	file.is_public = (status.st_mode & 07) != 0;
	for (file.number = 1; ok && fgets(line, sizeof line, stream) != NULL; file.number++) {
		ok = strlen(line) < sizeof line - 1 ||
		     fault_fatal(fault, "KAFKA_CONFIG_FILE %s line %d is too long", path,
				 file.number);
		ok = ok && kafka_conf_line(conf, line, &file, fault);
	}
	if (ferror(stream)) {
		ok = fault_fatal(fault, "KAFKA_CONFIG_FILE: can't read %s: %s", path,
				 strerror(errno));
	}
out:
	OPENSSL_cleanse(line, sizeof line);
	if (stream != NULL) {
		fclose(stream);
	}
	return ok;
}

/* Called from librdkafka's own threads; log_write only writes. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	enum log_level ours = level <= 3 ? LOG_ERROR : level <= 4 ? LOG_WARN : LOG_DEBUG;

	if (strcmp(facility, "CONFWARN") == 0 && strstr(text, "enable.gapless.guarantee") != NULL) {
		return; /* the producer wants it, knowing what it says */
	}
	LOG_AT(ours, "librdkafka", LOG_TEXT("client", rk != NULL ? rd_kafka_name(rk) : ""),
	       LOG_TEXT("facility", facility), LOG_TEXT("text", text));
}

bool kafka_conf_fill(rd_kafka_conf_t *conf, const char *bootstrap, const char *config_file,
		     const char *client_id, struct fault *fault)
{
	rd_kafka_conf_set_log_cb(conf, on_log);
	return kafka_conf_set(conf, "client.id", client_id, fault) &&
	       (config_file == NULL || kafka_conf_file(conf, config_file, fault)) &&
	       kafka_conf_set(conf, "bootstrap.servers", bootstrap, fault);
}

rd_kafka_conf_t *kafka_conf_new(const char *bootstrap, const char *config_file,
				const char *client_id, struct fault *fault)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	if (!kafka_conf_fill(conf, bootstrap, config_file, client_id, fault)) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	return conf;
}

int32_t kafka_user_partition(const char *user_id, int32_t partitions)
{
	return rd_kafka_msg_partitioner_murmur2(NULL, user_id, strlen(user_id), partitions, NULL,
						NULL);
}

/* ---- a queue on the loop ---- */

static void on_again(struct loop_call *call)
{
	struct kafka_queue *queue = container_of(call, struct kafka_queue, again);

	queue->again_due = false;
	if (!queue->closing) {
		queue->ready(queue);
	}
}

/* Clears the descriptor before reading: librdkafka signals only empty -> not empty. */
static void on_signal(uv_poll_t *poll, int status, int events)
{
	struct kafka_queue *queue = container_of(poll, struct kafka_queue, poll);
	uint64_t count;

	(void)status;
	(void)events;
	if (read(queue->fd, &count, sizeof count) < 0 && errno != EAGAIN) {
		log_error("can't read an event descriptor", LOG_TEXT("error", strerror(errno)));
	}
	if (!queue->closing) {
		queue->ready(queue);
	}
}

void kafka_queue_init(struct kafka_queue *queue, struct loop *loop, rd_kafka_queue_t *rk_queue,
		      void (*ready)(struct kafka_queue *queue))
{
	static const uint64_t ONE = 1;

	*queue = (struct kafka_queue){.queue = rk_queue, .loop = loop, .ready = ready};
	queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->fd < 0 || uv_poll_init(&loop->uv, &queue->poll, queue->fd) != 0) {
		fprintf(stderr, "no event descriptor: %s\n", strerror(errno));
		abort();
	}
	uv_poll_start(&queue->poll, UV_READABLE, on_signal);
	rd_kafka_queue_io_event_enable(rk_queue, queue->fd, &ONE, sizeof ONE);
	kafka_queue_again(queue); /* what came before the descriptor was there */
}

void kafka_queue_again(struct kafka_queue *queue)
{
	if (!queue->again_due) {
		queue->again_due = true;
		loop_defer(queue->loop, &queue->again, on_again);
	}
}

static void on_again_before_close(struct loop_call *call)
{
	struct kafka_queue *queue = container_of(call, struct kafka_queue, again);

	queue->again_due = false;
	queue->closed(queue);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct kafka_queue *queue = container_of(handle, struct kafka_queue, poll);

	close(queue->fd);
	if (queue->again_due) {
		queue->again.fn = on_again_before_close; /* the deferred call must not outlive us */
	} else {
		queue->closed(queue);
	}
}

void kafka_queue_close(struct kafka_queue *queue, void (*closed)(struct kafka_queue *queue))
{
	queue->closing = true;
	queue->closed = closed;
	rd_kafka_queue_io_event_enable(queue->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(queue->queue);
	queue->queue = NULL;
	uv_poll_stop(&queue->poll);
	uv_close((uv_handle_t *)&queue->poll, on_poll_closed);
}
