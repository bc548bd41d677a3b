/* finding.h - what --check says: a line for each thing it proved, with the way out of what is
 * wrong. */
#ifndef CALRELAY_COMMON_FINDING_H
#define CALRELAY_COMMON_FINDING_H

#include <stdbool.h>

struct findings {
	int bad; /* how many of them */
};

/* Each writes a line to stdout. */
void finding_say(struct findings *findings, bool is_good, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Of what works, but not as it should. */
void finding_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
