/* nearest.c - the distance of two names. */
#include "common/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Row by row, of which only the last two are looked at: "optimal string alignment". */
size_t nearest_distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_NAME_MAX + 1];
	size_t a_length = strlen(a);
	size_t b_length = strlen(b);

	if (a_length > NEAREST_NAME_MAX || b_length > NEAREST_NAME_MAX) {
		return SIZE_MAX;
	}
	for (size_t j = 0; j <= b_length; j++) {
		rows[0][j] = j;
	}
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];
		const size_t *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				row[j] = least(row[j], two_above[j - 2] + 1);
			}
		}
	}
	return rows[a_length % 3][b_length];
}
