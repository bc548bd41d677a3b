/* nearest.h - which known name somebody meant who wrote another one. */
#ifndef CALRELAY_COMMON_NEAREST_H
#define CALRELAY_COMMON_NEAREST_H

#include <stddef.h>

#define NEAREST_NAME_MAX 63 /* a longer name is far from every other */

/* How many insertions, deletions, replacements and swaps of neighbours lie between two names;
 * SIZE_MAX where one of them is longer than NEAREST_NAME_MAX. */
size_t nearest_distance(const char *a, const char *b);

#endif
