/* frames.c - an allow-list of origins becomes a policy. */
#include "connect/frames.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FRAMES_NAME	  "CALRELAY_FRAME_ANCESTORS"
#define FRAMES_SEPARATORS " ,\t\r\n"

struct entry {
	const char *at;
	size_t length;
};

static bool entry_is(const struct entry *entry, const char *text)
{
	return entry->length == strlen(text) && strncasecmp(entry->at, text, entry->length) == 0;
}

/* A name or an IPv4 address; an IPv6 address stands in brackets. */
static bool host_is_plain(const struct entry *host)
{
	bool is_bracketed = host->length > 2 && host->at[0] == '[';

	if (is_bracketed && host->at[host->length - 1] != ']') {
		return false;
	}
	for (size_t i = is_bracketed; i + is_bracketed < host->length; i++) {
		unsigned char c = (unsigned char)host->at[i];

		if (is_bracketed ? !isxdigit(c) && c != ':' : !isalnum(c) && c != '-' && c != '.') {
			return false;
		}
	}
	return host->length > 0;
}

static bool host_is_loopback(const struct entry *host)
{
	return entry_is(host, "localhost") || entry_is(host, "127.0.0.1") ||
	       entry_is(host, "[::1]");
}

static bool port_is_plain(const char *at, size_t length)
{
	long port = 0;

	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)at[i]) || i == 5) {
			return false;
		}
		port = port * 10 + (at[i] - '0');
	}
	return port > 0 && port <= 65535;
}

static bool entry_is_origin(const struct entry *entry)
{
	bool is_secure = entry->length > 8 && strncasecmp(entry->at, "https://", 8) == 0;
	bool is_plain = entry->length > 7 && strncasecmp(entry->at, "http://", 7) == 0;
	const char *end = entry->at + entry->length;
	struct entry host = {entry->at + (is_secure ? 8 : 7), 0};

	if (!is_secure && !is_plain) {
		return false;
	}
	host.length = strcspn(host.at, host.at[0] == '[' ? "]" : ":");
	host.length += host.at[0] == '[';
	if (host.length > (size_t)(end - host.at)) {
		host.length = (size_t)(end - host.at);
	}
	if (!host_is_plain(&host) || (is_plain && !host_is_loopback(&host))) {
		return false;
	}
	host.at += host.length;
	return host.at == end ||
	       (*host.at == ':' && port_is_plain(host.at + 1, (size_t)(end - host.at - 1)));
}

static bool frames_add(struct frames *frames, const struct entry *entry, struct fault *fault)
{
	size_t length = strlen(frames->ancestors);

	if (!entry_is_origin(entry)) {
		return fault_fatal(fault,
				   FRAMES_NAME " must hold origins such as https://plan.example "
					       "(plain http only for loopback), not '%.*s'",
				   entry->length < 60 ? (int)entry->length : 60, entry->at);
	}
	if (length + 1 + entry->length >= sizeof frames->ancestors) {
		return fault_fatal(fault, FRAMES_NAME " is too long: at most %d characters",
				   FRAMES_SIZE - 1);
	}
	snprintf(frames->ancestors + length, sizeof frames->ancestors - length, "%s%.*s",
		 length > 0 ? " " : "", (int)entry->length, entry->at);
	return true;
}

bool frames_parse(struct frames *frames, const char *text, struct fault *fault)
{
	struct entry entry = {text != NULL ? text : "", 0};

	*frames = (struct frames){0};
	for (;;) {
		entry.at += entry.length;
		entry.at += strspn(entry.at, FRAMES_SEPARATORS);
		entry.length = strcspn(entry.at, FRAMES_SEPARATORS);
		if (entry.length == 0) {
			break;
		}
		if (!frames_add(frames, &entry, fault)) {
			return false;
		}
	}
	frames->is_allowed = frames->ancestors[0] != '\0';
	if (!frames->is_allowed) {
		snprintf(frames->ancestors, sizeof frames->ancestors, "'none'");
	}
	return true;
}
