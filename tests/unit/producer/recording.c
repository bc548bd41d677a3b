/* recording.c - a recorded pgoutput stream: tests/fixtures/pgoutput.stream. */
#include "recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_MAX_BYTES (1u << 20)

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = strchr(digits, c);

	assert_true(c != '\0' && at != NULL);
	return (int)(at - digits);
}

/* The LSN, a space, the message. */
static void add_message(struct recording *recording, const char *line)
{
	struct recording_message *message = &recording->messages[recording->count];
	const char *hex = line + strcspn(line, " ");

	hex += *hex == ' ' ? 1 : 0;
	message->length = strcspn(hex, "\n") / 2;
	if (recording->count == RECORDING_MESSAGES_MAX || message->length == 0) {
		fail_msg("not a line of a recording: %.40s", line);
		return;
	}
	message->bytes = malloc(message->length);
	assert_non_null(message->bytes);
	for (size_t i = 0; i < message->length; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = hex_digit(hex[2 * i + 1]);

		message->bytes[i] = (char)(high << 4 | low);
	}
	recording->count++;
}

/* The number behind the name, or -1. */
static int count_of(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at != NULL ? (int)strtol(at + strlen(name), NULL, 10) : -1;
}

static void take_counts(struct recording *recording, const char *line)
{
	recording->inserts = count_of(line, " I=");
	recording->updates = count_of(line, " U=");
	recording->deletes = count_of(line, " D=");
	recording->truncates = count_of(line, " T=");
}

void recording_load(struct recording *recording)
{
	static char line[LINE_MAX_BYTES];
	FILE *file = fopen(SOURCE_DIR "/tests/fixtures/pgoutput.stream", "r");

	assert_non_null(file);
	*recording = (struct recording){.inserts = -1};
	while (fgets(line, sizeof line, file) != NULL) {
		if (*line != '#') {
			add_message(recording, line);
		} else if (strstr(line, " I=") != NULL) {
			take_counts(recording, line);
		}
	}
	fclose(file);
	assert_true(recording->inserts > 0 && recording->updates > 0 && recording->deletes > 0 &&
		    recording->truncates > 0);
}

void recording_close(struct recording *recording)
{
	for (size_t i = 0; i < recording->count; i++) {
		free(recording->messages[i].bytes);
	}
}
