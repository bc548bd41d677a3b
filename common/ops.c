/* ops.c - probes and metrics, the same in every program. */
#include "common/ops.h"

#include <stdio.h>
#include <string.h>

#include "common/self.h"

#define OPS_METRICS_MAX_BYTES (4u << 20)

static void ops_probe(struct httpd_request *request, struct ops *ops,
		      bool (*holds)(struct ops *ops, char reason[128]))
{
	char reason[128] = "ok";
	char text[160];
	bool ok = holds == NULL || holds(ops, reason);

	snprintf(text, sizeof text, "%s\n", ok ? "ok" : reason);
	httpd_reply_header(request, "Cache-Control", "no-store");
	httpd_reply_text(request, ok ? 200 : 503, text);
}

void ops_livez(struct httpd_request *request)
{
	struct ops *ops = httpd_context(request);

	ops_probe(request, ops, ops->is_live);
}

void ops_readyz(struct httpd_request *request)
{
	struct ops *ops = httpd_context(request);

	ops_probe(request, ops, ops->is_ready);
}

void ops_metrics(struct httpd_request *request)
{
	struct ops *ops = httpd_context(request);
	struct buf text;

	if (ops->refresh != NULL) {
		ops->refresh(ops);
	}
	buf_init(&text, OPS_METRICS_MAX_BYTES);
	metrics_write(ops->metrics, &text);
	self_write_metrics(&text);
	if (text.failed) {
		httpd_reply_text(request, 500, "the metrics are too large\n");
	} else {
		httpd_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8",
			    buf_string(&text), text.length);
	}
	buf_close(&text);
}

struct httpd *ops_serve(struct loop *loop, const char *listen, struct ops *ops, struct fault *fault)
{
	static const struct httpd_route ROUTES[] = {OPS_ROUTES};
	struct httpd_settings settings = {.listen = listen,
					  .routes = ROUTES,
					  .route_count = sizeof ROUTES / sizeof *ROUTES,
					  .body_max_bytes = 0,
					  .context = ops};

	return httpd_new(loop, &settings, fault);
}
