/* worker.h - the worker's parts, wired together by main. */
#ifndef CALRELAY_WORKER_WORKER_H
#define CALRELAY_WORKER_WORKER_H

#include "common/client_auth.h"
#include "common/hostmap.h"
#include "common/http.h"
#include "common/json.h"
#include "common/loop.h"
#include "common/oauth.h"
#include "common/ops.h"
#include "common/pg.h"
#include "common/seal.h"
#include "worker/breaker.h"
#include "worker/bury.h"
#include "worker/due.h"
#include "worker/intake.h"
#include "worker/lane.h"
#include "worker/stats.h"
#include "worker/store.h"

struct worker_config {
	char *database_url;
	char *kafka_bootstrap;
	char *kafka_config_file;
	char *topic_prefix;
	int64_t replication_factor;
	char *group;
	char *mapping_file;
	char *token_keys;
	char *http_listen;
	char *time_zone;
	char *client_id;
	char *client_secret;
	char *client_certificate;
	char *federated_token_file;
	char *redirect_uri;
	char *tenant;
	char *login_url;
	char *graph_url;
	char *extended_property;
	char *deleted_events;
	int64_t max_in_flight;
	int64_t quarantine_s;
};

struct worker {
	struct ops ops; /* first: the probes' context */
	struct worker_config config;
	struct loop loop;
	struct pg *pg;
	struct http *http;
	struct httpd *httpd;
	struct seal_keys *keys;
	struct hostmap map;
	bool respects_deletion; /* an event that its person deleted stays away */
	struct oauth_client oauth;
	struct client_auth auth; /* how we prove to Microsoft who we are */
	struct stats stats;
	struct store store;
	struct lanes lanes;
	struct json_arena json; /* what records and rows are read in */
	struct intake intake;
	struct due due;
	struct bury bury;
	struct breaker graph; /* Microsoft Graph */
	struct breaker login; /* the token endpoint */
	uv_timer_t wake;      /* runs that wait */
	uv_timer_t linger;    /* of worker_dispatch_soon */
	struct run *alive;    /* every run */
	bool is_waking;	      /* runs_wake walks them */
	int64_t in_flight;
	struct verify *verify; /* NULL, but in the command of that name: runs compare only */
	bool is_stopping;
	int status; /* the exit status */
};

/* Starts runs for ready lanes while there is room. */
void worker_dispatch(struct worker *worker);

/* Goes on with the runs whose wait is over. */
void worker_wake(struct worker *worker);

/* Starts runs in a moment: what belongs together has come by then, and fills batches. */
void worker_dispatch_soon(struct worker *worker);

#endif
