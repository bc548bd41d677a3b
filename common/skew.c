/* skew.c - a Date header against our clock, in words. */
#include "common/skew.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

bool skew_is_off(const char *date, int64_t wall_ms, char words[SKEW_WORDS_SIZE])
{
	int64_t theirs_s = date != NULL ? (int64_t)curl_getdate(date, NULL) : -1;
	int64_t ahead_s = wall_ms / 1000 - theirs_s;
	int64_t off_s = ahead_s < 0 ? -ahead_s : ahead_s;

	if (theirs_s < 0 || off_s < SKEW_LEAST_S) {
		return false;
	}
	snprintf(words, SKEW_WORDS_SIZE, "%" PRId64 " h %" PRId64 " min %s", off_s / 3600,
		 off_s / 60 % 60, ahead_s < 0 ? "behind" : "ahead");
	return true;
}
