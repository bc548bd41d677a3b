/* app.h - what every handler of connect reaches: configuration, ports, keys, metrics. */
#ifndef CALRELAY_CONNECT_APP_H
#define CALRELAY_CONNECT_APP_H

#include "common/client_auth.h"
#include "common/config.h"
#include "common/hostmap.h"
#include "common/http.h"
#include "common/httpd.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/oauth.h"
#include "common/ops.h"
#include "common/pg.h"
#include "common/seal.h"
#include "connect/frames.h"
#include "connect/identity.h"
#include "connect/origin.h"
#include "connect/store.h"

struct app_config {
	char *database_url;
	char *mapping_file;
	char *token_keys;
	char *http_listen;
	char *frame_ancestors;
	char *jwt_secret;
	char *jwt_public_key;
	char *time_zone;
	char *client_id;
	char *client_secret;
	char *client_certificate;
	char *federated_token_file;
	char *redirect_uri;
	char *mailbox_settings;
	char *tenant_id;
	char *login_url;
	char *graph_url;
};

struct app {
	struct ops ops; /* first: the probes look for it there */
	struct app_config config;
	struct hostmap map;
	struct oauth_client oauth;
	struct client_auth auth; /* how we prove to Microsoft who we are */
	struct origin origin;
	struct frames frames;
	struct identity_key *identity_key;
	struct seal_keys *seal_keys;

	struct loop loop;
	struct pg *pg;
	struct store *store;
	struct http *http;
	struct httpd *httpd;
	uv_timer_t count_timer;
	struct pg_request count_request;
	bool is_counting;
	bool sees_people; /* PostgreSQL has said so */

	struct metric *connections;
	struct metric *callbacks;
	struct metric *requests;

	int under_way; /* exchanges that have not answered yet */
	bool is_stopping;
	int status; /* of the program, once it ends */
};

/* Everything that the configuration alone decides: keys, mapping, origin.  False with FAULT_FATAL
 * naming the variable; app_close ends it either way. */
bool app_init(struct app *app, struct fault *fault) MUST_CHECK;
void app_close(struct app *app);

/* An exchange begins and ends; while the program stops, the last one to end stops the loop. */
void app_enter(struct app *app);
void app_leave(struct app *app);

#endif
