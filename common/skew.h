/* skew.h - how far our clock is from somebody else's. */
#ifndef CALRELAY_COMMON_SKEW_H
#define CALRELAY_COMMON_SKEW_H

#include <stdbool.h>
#include <stdint.h>

#define SKEW_LEAST_S	60 /* less may be the network's */
#define SKEW_WORDS_SIZE 96

/* Whether our clock (wall_ms) is off, judged by the Date header of an answer that came just now;
 * words then say how far, as "3 h 2 min ahead".  A date of NULL, or that can't be read, is none. */
bool skew_is_off(const char *date, int64_t wall_ms, char words[SKEW_WORDS_SIZE]);

#endif
