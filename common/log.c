/* log.c - writes one JSON object per line to stderr, each with a single write. */
#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/jsonw.h"

#define LOG_LINE_MAX_BYTES 8192

static const char *const NAMES[] = {
    [LOG_DEBUG] = "DEBUG", [LOG_INFO] = "INFO", [LOG_WARN] = "WARN", [LOG_ERROR] = "ERROR"};
/* OpenTelemetry's severity numbers of the same names. */
static const int NUMBERS[] = {[LOG_DEBUG] = 5, [LOG_INFO] = 9, [LOG_WARN] = 13, [LOG_ERROR] = 17};
static_assert(sizeof NAMES / sizeof *NAMES == LOG_LEVELS, "name every level");
static_assert(sizeof NUMBERS / sizeof *NUMBERS == LOG_LEVELS, "number every level");

static const char *log_service = "calrelay";
static enum log_level log_least = LOG_INFO;

void log_init(const char *service, enum log_level least)
{
	log_service = service;
	log_least = least;
}

static void log_timestamp(char text[40])
{
	int64_t now_us = clock_wall_us();
	time_t seconds = (time_t)(now_us / 1000000);
	struct tm utc;
	char day[24];

	gmtime_r(&seconds, &utc);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, 40, "%s.%06dZ", day, (int)(now_us % 1000000));
}

/* What can't be written now is dropped: there is nobody to tell, and a later line may get out. */
static void log_put(const char *at, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDERR_FILENO, at, length);

		if (written < 0 && errno != EINTR) {
			return;
		}
		if (written > 0) {
			at += written;
			length -= (size_t)written;
		}
	}
}

void log_write(enum log_level level, const char *body, const struct log_field *fields, size_t count)
{
	struct buf line;
	char timestamp[40];

	if (level < log_least) {
		return;
	}
	log_timestamp(timestamp);
	buf_init(&line, LOG_LINE_MAX_BYTES);
	buf_char(&line, '{');
	jsonw_member_text(&line, "timestamp", timestamp);
	jsonw_member_text(&line, "severity_text", NAMES[level]);
	jsonw_member_number(&line, "severity_number", NUMBERS[level]);
	jsonw_member_text(&line, "body", body);
	jsonw_member_text(&line, "service.name", log_service);
	for (const struct log_field *field = fields + 1; field <= fields + count; field++) {
		if (field->text != NULL) {
			jsonw_member_text(&line, field->key, field->text);
		} else {
			jsonw_member_number(&line, field->key, field->number);
		}
	}
	buf_text(&line, "}\n");
	if (line.failed) {
		buf_reset(&line);
		buf_format(&line,
			   "{\"severity_text\":\"%s\",\"body\":\"a log line was too long\"}\n",
			   NAMES[level]);
	}
	log_put(buf_string(&line), line.failed ? 0 : line.length);
	buf_close(&line);
}
