/* ops.h - /livez, /readyz and /metrics on CALRELAY_HTTP_LISTEN, the same for every program.
 *
 * A program with routes of its own (connect, the fake) adds OPS_ROUTES to its table; the others
 * start a server with nothing but these. */
#ifndef CALRELAY_COMMON_OPS_H
#define CALRELAY_COMMON_OPS_H

#include "common/httpd.h"
#include "common/metrics.h"

struct ops {
	struct metrics *metrics;
	/* Each writes why not into reason (for people) and returns false; NULL: always true. */
	bool (*is_live)(struct ops *ops, char reason[128]);
	bool (*is_ready)(struct ops *ops, char reason[128]);
	void (*refresh)(
	    struct ops *ops); /* brings gauges up to date before a scrape; may be NULL */
	void *context;
};

void ops_livez(struct httpd_request *request); /* httpd_context must start with a struct ops */
void ops_readyz(struct httpd_request *request);
void ops_metrics(struct httpd_request *request);

#define OPS_ROUTES                                                                                 \
	{"GET", "/livez", ops_livez}, {"GET", "/readyz", ops_readyz},                              \
	{                                                                                          \
		"GET", "/metrics", ops_metrics                                                     \
	}

/* A server with only these three routes.  Named end: httpd_free. */
struct httpd *ops_serve(struct loop *loop, const char *listen, struct ops *ops,
			struct fault *fault) MUST_CHECK;

#endif
