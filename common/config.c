/* config.c - reads the environment by a program's table of options. */
#include "common/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/nearest.h"

#define CONFIG_FILE_MAX_BYTES 65536
#define CONFIG_SLIP_MOST      2 /* less than lies between any two names of all programs */

static bool config_read_descriptor(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof chunk)) > 0) {
		buf_add(out, chunk, (size_t)got);
	}
	OPENSSL_cleanse(chunk, sizeof chunk);
	return got == 0 && !out->failed;
}

/* The content of a secret's file, less one trailing newline; allocated. */
static char *config_read_file(const char *name, const char *path, struct fault *fault)
{
	struct buf content;
	struct stat status;
	char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	buf_init(&content, CONFIG_FILE_MAX_BYTES);
	if (fd < 0 || fstat(fd, &status) != 0) {
		fault_fatal(fault, "%s_FILE: can't open %s: %s", name, path, strerror(errno));
		goto out;
	}
	if ((status.st_mode & 07) != 0) {
		fault_fatal(fault, "%s_FILE: others can read %s: chmod o= it", name, path);
		goto out;
	}
	if (!config_read_descriptor(fd, &content)) {
		fault_fatal(fault, "%s_FILE: can't read %s (at most %d bytes)", name, path,
			    CONFIG_FILE_MAX_BYTES);
		goto out;
	}
	if (content.length > 0 && content.data[content.length - 1] == '\n') {
		content.data[--content.length] = '\0';
	}
	if (content.length == 0 || strlen(content.data) != content.length) {
		fault_fatal(fault, "%s_FILE: %s %s", name, path,
			    content.length == 0 ? "is empty" : "holds a NUL byte: it must be text");
		goto out;
	}
	text = buf_steal(&content);
out:
	if (content.data != NULL) {
		OPENSSL_cleanse(content.data, content.capacity);
	}
	buf_close(&content);
	if (fd >= 0) {
		close(fd);
	}
	return text;
}

/* The text that stands for an option, allocated; NULL without a fault where there is none. */
static char *config_text(const struct config_option *option, struct fault *fault)
{
	const char *value = getenv(option->name);
	char file_name[CONFIG_NAME_SIZE];
	const char *path;
	char *copy;

	snprintf(file_name, sizeof file_name, "%s_FILE", option->name);
	path = option->has_file_variant ? getenv(file_name) : NULL;
	if (path != NULL && *path != '\0') {
		if (value != NULL && *value != '\0') {
			fault_fatal(fault, "%s and %s are both set: unset one", option->name,
				    file_name);
			return NULL;
		}
		return config_read_file(option->name, path, fault);
	}
	if (value == NULL || *value == '\0') {
		value = option->fallback;
	}
	if (value == NULL) {
		if (option->required) {
			fault_fatal(fault, "%s is not set: %s", option->name, option->help);
		}
		return NULL;
	}
	copy = strdup(value);
	if (copy == NULL) {
		fault_fatal(fault, "%s: out of memory", option->name);
	}
	return copy;
}

static bool config_integer(const struct config_option *option, const char *text, int64_t *out,
			   struct fault *fault)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || *out < option->least ||
	    *out > option->most) {
		return fault_fatal(
		    fault, "%s must be a whole number from %" PRId64 " to %" PRId64 ", not '%.40s'",
		    option->name, option->least, option->most, text);
	}
	return true;
}

static bool config_boolean(const struct config_option *option, const char *text, bool *out,
			   struct fault *fault)
{
	*out = strcmp(text, "true") == 0;
	if (*out || strcmp(text, "false") == 0) {
		return true;
	}
	return fault_fatal(fault, "%s must be true or false, not '%.60s'", option->name, text);
}

/* 127.0.0.0/8, ::1 (RFC 6890), and the name that everybody gives them. */
static bool config_is_loopback(const char *at)
{
	char host[INET_ADDRSTRLEN];
	size_t length = strcspn(at, ":/");
	struct in_addr address;

	if (strncmp(at, "[::1]", 5) == 0) {
		return at[5] == '\0' || at[5] == ':' || at[5] == '/';
	}
	if (length >= sizeof host) {
		return false;
	}
	memcpy(host, at, length);
	host[length] = '\0';
	return strcasecmp(host, "localhost") == 0 ||
	       (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static bool config_url(const struct config_option *option, char *text, struct fault *fault)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == '/') {
		text[--length] = '\0';
	}
	for (size_t i = 0; i < length; i++) {
		if (!isgraph((unsigned char)text[i]) || text[i] == '@') {
			return fault_fatal(fault, "%s holds a character that doesn't belong there",
					   option->name);
		}
	}
	if (strncmp(text, "https://", 8) == 0 && text[8] != '\0') {
		return true;
	}
	if (strncmp(text, "http://", 7) == 0 && config_is_loopback(text + 7)) {
		return true;
	}
	return fault_fatal(fault,
			   "%s must be an https:// URL (plain http only for loopback), not '%.60s'",
			   option->name, text);
}

static bool config_listen(const struct config_option *option, const char *text, struct fault *fault)
{
	const char *colon = strrchr(text, ':');
	char *end = NULL;
	long port = colon != NULL ? strtol(colon + 1, &end, 10) : -1;

	if (colon == NULL || colon == text || colon[1] == '\0' || *end != '\0' || port < 0 ||
	    port > 65535) {
		return fault_fatal(fault, "%s must be address:port, not '%.60s'", option->name,
				   text);
	}
	return true;
}

static bool config_characters(const struct config_option *option, const char *text,
			      struct fault *fault)
{
	if (option->allowed == NULL || text[strspn(text, option->allowed)] == '\0') {
		return true;
	}
	return fault_fatal(fault, "%s may hold only %s, unlike '%.60s'", option->name,
			   option->allowed, text);
}

static bool config_set(const struct config_option *option, char *text, void *target,
		       struct fault *fault)
{
	char *slot = (char *)target + option->offset;

	switch (option->type) {
	case CONFIG_INTEGER: {
		int64_t number = 0;
		bool ok = config_integer(option, text, &number, fault);

		memcpy(slot, &number, sizeof number);
		free(text);
		return ok;
	}
	case CONFIG_BOOLEAN: {
		bool value = false;
		bool ok = config_boolean(option, text, &value, fault);

		memcpy(slot, &value, sizeof value);
		free(text);
		return ok;
	}
	case CONFIG_URL:
		memcpy(slot, &text, sizeof text);
		return config_url(option, text, fault);
	case CONFIG_LISTEN:
		memcpy(slot, &text, sizeof text);
		return config_listen(option, text, fault);
	case CONFIG_TEXT:
		break;
	}
	memcpy(slot, &text, sizeof text);
	return config_characters(option, text, fault);
}

bool config_load(const struct config_option *options, size_t count, void *target,
		 struct fault *fault)
{
	*fault = (struct fault){0};
	for (size_t i = 0; i < count; i++) {
		char *text = config_text(&options[i], fault);

		if (text == NULL && fault->kind != FAULT_NONE) {
			return false;
		}
		if (text != NULL && !config_set(&options[i], text, target, fault)) {
			return false;
		}
	}
	return true;
}

void config_free(const struct config_option *options, size_t count, void *target)
{
	for (size_t i = 0; i < count; i++) {
		char *slot = (char *)target + options[i].offset;
		char *text;

		if (options[i].type == CONFIG_INTEGER || options[i].type == CONFIG_BOOLEAN) {
			continue;
		}
		memcpy(&text, slot, sizeof text);
		if (text != NULL) {
			OPENSSL_cleanse(text, strlen(text));
		}
		free(text);
		text = NULL;
		memcpy(slot, &text, sizeof text);
	}
}

void config_help(const struct config_option *options, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct config_option *option = &options[i];

		fprintf(out, "  %s%s\n      %s", option->name,
			option->has_file_variant ? " (or _FILE)" : "", option->help);
		if (option->fallback != NULL) {
			fprintf(out, " [%s]", option->fallback);
		} else if (option->required) {
			fputs(" (required)", out);
		}
		fputc('\n', out);
	}
}

bool config_is_slip(const struct config_option *options, size_t count, const char *variable,
		    char nearest[CONFIG_NAME_SIZE])
{
	static const char *const ENDS[] = {"", "_FILE"};
	size_t best = CONFIG_SLIP_MOST + 1;

	for (size_t i = 0; i < count; i++) {
		size_t end_count = options[i].has_file_variant ? 2 : 1;

		for (size_t end = 0; end < end_count; end++) {
			char name[CONFIG_NAME_SIZE];
			size_t distance;

			snprintf(name, sizeof name, "%s%s", options[i].name, ENDS[end]);
			distance = nearest_distance(variable, name);
			if (distance < best) {
				best = distance;
				memcpy(nearest, name, sizeof name);
			}
		}
	}
	return best > 0 && best <= CONFIG_SLIP_MOST;
}
