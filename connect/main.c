/* main.c - calrelay-connect: options, and nothing else. */
#include <stddef.h>

#include "common/program.h"
#include "connect/app.h"
#include "connect/check.h"
#include "connect/rekey.h"
#include "connect/serve.h"

static struct app app;

#define OPTION(name_, type_, required_, file_, fallback_, field_, help_)                           \
	{                                                                                          \
		.name = (name_), .type = (type_), .required = (required_),                         \
		.has_file_variant = (file_), .fallback = (fallback_),                              \
		.offset = offsetof(struct app_config, field_), .help = (help_)                     \
	}

/* clang-format off */
static const struct config_option OPTIONS[] = {
	OPTION("DATABASE_URL", CONFIG_TEXT, true, true, NULL, database_url,
		"libpq URI; its role needs calrelay_connect"),
	OPTION("CALRELAY_HTTP_LISTEN", CONFIG_LISTEN, false, false, "127.0.0.1:8080", http_listen,
		"address:port to serve on"),
	OPTION("CALRELAY_FRAME_ANCESTORS", CONFIG_TEXT, false, false, NULL, frame_ancestors,
		"origins that may show the page in a frame, such as https://plan.example, between "
		"spaces or commas [nobody]"),
	OPTION("CALRELAY_TOKEN_KEYS", CONFIG_TEXT, true, true, NULL, token_keys,
		"id:base64 of 32 bytes per line; the first seals, all open"),
	OPTION("CALRELAY_JWT_SECRET", CONFIG_TEXT, false, true, NULL, jwt_secret,
		"the host's JWT secret (HS256); this or CALRELAY_JWT_PUBLIC_KEY"),
	OPTION("CALRELAY_JWT_PUBLIC_KEY", CONFIG_TEXT, false, true, NULL, jwt_public_key,
		"the host's JWT public key, PEM (RS256 or ES256)"),
	OPTION("MICROSOFT_CLIENT_ID", CONFIG_TEXT, true, false, NULL, client_id,
		"application (client) id of the app registration"),
	OPTION("MICROSOFT_CLIENT_SECRET", CONFIG_TEXT, false, true, NULL, client_secret,
		"its client secret's value; instead of it MICROSOFT_CLIENT_CERTIFICATE or "
		"MICROSOFT_FEDERATED_TOKEN_FILE"),
	OPTION("MICROSOFT_CLIENT_CERTIFICATE", CONFIG_TEXT, false, true, NULL, client_certificate,
		"private RSA key and certificate, PEM, registered in place of a secret"),
	OPTION("MICROSOFT_FEDERATED_TOKEN_FILE", CONFIG_TEXT, false, false, NULL,
		federated_token_file,
		"path of a Kubernetes service account token for a federated credential, in place of "
		"a secret; read for each request"),
	OPTION("MICROSOFT_REDIRECT_URI", CONFIG_URL, true, false, NULL, redirect_uri,
		"https://your.domain/api/auth/microsoft/callback, as in the app registration"),
	OPTION("CALRELAY_MAILBOX_SETTINGS", CONFIG_TEXT, false, false, "none", mailbox_settings,
		"permission to ask for beside the plan's: none, read (the mailbox's own time zone) or "
		"write (also categories of our own, in their colours)"),
	OPTION("MICROSOFT_TENANT_ID", CONFIG_TEXT, false, false, "common", tenant_id,
		"whose accounts may connect: common, organizations, consumers, or a tenant"),
	OPTION("MICROSOFT_LOGIN_URL", CONFIG_URL, false, false, OAUTH_MICROSOFT,
		login_url, "origin of Microsoft's sign-in"),
	OPTION("MICROSOFT_GRAPH_URL", CONFIG_URL, false, false, "https://graph.microsoft.com",
		graph_url, "origin of Microsoft Graph"),
	OPTION("CALRELAY_TIME_ZONE", CONFIG_TEXT, false, false, "UTC", time_zone,
		"zone that the page writes times in"),
	OPTION("CALRELAY_MAPPING_FILE", CONFIG_TEXT, false, false, NULL, mapping_file,
		"the host's table and column names [the shipped AmiDash mapping]"),
};
/* clang-format on */

static int run(void)
{
	return serve_run(&app);
}

static int check(void)
{
	return check_run(&app);
}

static int rekey(int argc, char **argv)
{
	return rekey_run(&app.config, argc, argv);
}

static const struct program_command COMMANDS[] = {
    {.name = "rekey",
     .arguments = "",
     .help = "seals every stored token with the first of CALRELAY_TOKEN_KEYS; exit 0: all are",
     .run = rekey},
};

int main(int argc, char **argv)
{
	static const struct program PROGRAM = {
	    .name = "calrelay-connect",
	    .summary = "people connect their Outlook calendars here",
	    .options = OPTIONS,
	    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
	    .config = &app.config,
	    .run = run,
	    .check = check,
	    .commands = COMMANDS,
	    .command_count = sizeof COMMANDS / sizeof *COMMANDS,
	};

	return program_main(&PROGRAM, argc, argv);
}
