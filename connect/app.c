/* app.c - what the configuration decides before anything runs. */
#include "connect/app.h"

#include "common/log.h"
#include "connect/when.h"

static bool app_open_auth(struct app *app, struct fault *fault)
{
	const struct client_auth_settings settings = {
	    .secret = app->config.client_secret,
	    .certificate = app->config.client_certificate,
	    .token_file = app->config.federated_token_file,
	};

	return client_auth_open(&app->auth, &settings, fault);
}

bool app_init(struct app *app, struct fault *fault)
{
	const struct app_config *config = &app->config;

	app->seal_keys = seal_keys_new(config->token_keys, fault);
	if (app->seal_keys == NULL) {
		return false;
	}
	app->identity_key = identity_key_new(config->jwt_secret, config->jwt_public_key, fault);
	if (app->identity_key == NULL || !hostmap_load(&app->map, config->mapping_file, fault)) {
		return false;
	}
	if (!app_open_auth(app, fault)) {
		return false;
	}
	if (!origin_of_url(&app->origin, config->redirect_uri)) {
		return fault_fatal(fault, "MICROSOFT_REDIRECT_URI names no host");
	}
	if (!frames_parse(&app->frames, config->frame_ancestors, fault)) {
		return false;
	}
	app->oauth = (struct oauth_client){
	    .login_url = config->login_url,
	    .tenant = config->tenant_id,
	    .client_id = config->client_id,
	    .redirect_uri = config->redirect_uri,
	};
	if (!scope_mailbox_parse(config->mailbox_settings, &app->oauth.mailbox)) {
		return fault_fatal(fault, "CALRELAY_MAILBOX_SETTINGS must be none, read or write");
	}
	if (!when_use_zone(config->time_zone)) {
		log_warn("CALRELAY_TIME_ZONE is unknown to this system: times are shown in UTC",
			 LOG_TEXT("time_zone", config->time_zone));
	}
	return true;
}

void app_close(struct app *app)
{
	seal_keys_free(app->seal_keys);
	identity_key_free(app->identity_key);
	client_auth_close(&app->auth);
}

void app_enter(struct app *app)
{
	app->under_way++;
}

void app_leave(struct app *app)
{
	app->under_way--;
	if (app->is_stopping && app->under_way == 0) {
		loop_stop(&app->loop);
	}
}
