/* log.h - one JSON object per line on stderr, one line per fact.
 *
 * Tokens, bodies and client names never reach a log: pass ids, positions, counts and states. */
#ifndef CALRELAY_COMMON_LOG_H
#define CALRELAY_COMMON_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };

struct log_field {
	const char *key;
	const char *text; /* NULL: the field is the number */
	int64_t number;
};

static inline struct log_field LOG_TEXT(const char *key, const char *text) {
	return (struct log_field){.key = key, .text = text != NULL ? text : ""};
}

static inline struct log_field
LOG_NUMBER(const char *key, int64_t number) {
	return (struct log_field){.key = key, .number = number};
}

/* Usage: log_info("partition claimed", LOG_TEXT("topic", topic), LOG_NUMBER("partition", 3)); */
#define LOG_AT(level_, body_, ...)                                                                 \
	log_write((level_), (body_), (const struct log_field[]){{0}, __VA_ARGS__},                 \
		  sizeof(struct log_field[]){{0}, __VA_ARGS__} / sizeof(struct log_field) - 1)
#define log_debug(...) LOG_AT(LOG_DEBUG, __VA_ARGS__, )
#define log_info(...)  LOG_AT(LOG_INFO, __VA_ARGS__, )
#define log_warn(...)  LOG_AT(LOG_WARN, __VA_ARGS__, )
#define log_error(...) LOG_AT(LOG_ERROR, __VA_ARGS__, )

/* service is borrowed for the life of the program; below least nothing is written. */
void log_init(const char *service, enum log_level least);

/* fields[0] is unused (it keeps the macros legal with no field); count is of those after it. */
void log_write(enum log_level level, const char *body, const struct log_field *fields,
	       size_t count);

#endif
