/* query.h - a relative URL's path and parameters, percent-decoded. */
#ifndef CALRELAY_FAKE_QUERY_H
#define CALRELAY_FAKE_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

#define QUERY_PARAMS_MAX 16

struct query_param {
	char *name;
	char *value;
};

struct query {
	struct query_param params[QUERY_PARAMS_MAX];
	size_t count;
};

/* False where the query holds more than QUERY_PARAMS_MAX.  Call query_close either way. */
bool query_add(struct query *query, const char *name, const char *value);

/* Splits and decodes; *path is allocated (free).  False: too many parameters, or a % that no two
 * hex digits follow. */
bool query_parse(const char *url, char **path, struct query *query);
void query_close(struct query *query);

const char *query_get(const struct query *query, const char *name); /* NULL where absent */

/* name=value&..., encoded again, without one name. */
void query_write(const struct query *query, const char *without, struct buf *out);

#endif
