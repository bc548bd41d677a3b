/* breaker.c - counts people in trouble, and spaces the probes. */
#include "worker/breaker.h"

bool breaker_may_call(struct breaker *breaker, int64_t now_ms)
{
	if (!breaker->is_open) {
		return true;
	}
	if (now_ms < breaker->probe_at_ms) {
		return false;
	}
	breaker->pause_ms = 2 * breaker->pause_ms < BREAKER_PROBE_MOST_MS ? 2 * breaker->pause_ms
									  : BREAKER_PROBE_MOST_MS;
	breaker->probe_at_ms = now_ms + breaker->pause_ms;
	return true;
}

bool breaker_trip(struct breaker *breaker, int64_t now_ms)
{
	if (breaker->is_open) {
		return false;
	}
	breaker->is_open = true;
	breaker->pause_ms = BREAKER_PROBE_FIRST_MS;
	breaker->probe_at_ms = now_ms + breaker->pause_ms;
	return true;
}

static bool breaker_knows(const struct breaker *breaker, const struct uuid *user)
{
	for (int i = 0; i < breaker->failed_count; i++) {
		if (uuid_compare(&breaker->failed[i], user) == 0) {
			return true;
		}
	}
	return false;
}

bool breaker_failed(struct breaker *breaker, const struct uuid *user, int64_t now_ms)
{
	if (breaker->is_open) {
		return false;
	}
	if (!breaker_knows(breaker, user)) {
		breaker->failed[breaker->failed_count++] = *user;
	}
	return breaker->failed_count == BREAKER_USERS && breaker_trip(breaker, now_ms);
}

bool breaker_succeeded(struct breaker *breaker)
{
	bool was_open = breaker->is_open;

	breaker->is_open = false;
	breaker->failed_count = 0;
	return was_open;
}
