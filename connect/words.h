/* words.h - every way a person's request can fail: its code, its status, plain words, a way on.
 *
 * The codes stand in ?error=<code>, in the JSON's "error" and in the metric
 * calrelay_connect_oauth_callbacks_total{result}; they are a closed set. */
#ifndef CALRELAY_CONNECT_WORDS_H
#define CALRELAY_CONNECT_WORDS_H

#include <stdbool.h>

enum trouble {
	TROUBLE_NONE,
	TROUBLE_SIGNED_OUT,
	TROUBLE_FORBIDDEN,
	TROUBLE_UNKNOWN_USER,
	TROUBLE_INPUT,
	TROUBLE_NOT_FOUND,
	TROUBLE_UNAVAILABLE,
	TROUBLE_NOT_CONNECTED,
	TROUBLE_NEEDS_RECONNECT,
	TROUBLE_DISCONNECTING,
	TROUBLE_BUSY,
	TROUBLE_COOLDOWN,
	TROUBLE_STATE,
	TROUBLE_DENIED,
	TROUBLE_ADMIN,
	TROUBLE_NOT_APPROVED,
	TROUBLE_CODE,
	TROUBLE_SCOPES,
	TROUBLE_TENANT,
	TROUBLE_IDENTITY,
	TROUBLE_GRAPH,
	TROUBLE_TAKEN,
	TROUBLE_CHALLENGED,
	TROUBLE_MICROSOFT_DOWN,
	TROUBLE_REGISTRATION,
	TROUBLE_OTHER,
	TROUBLES
};

struct words {
	const char *code;
	int status;	    /* HTTP, where it is the answer itself and not a ?error= */
	const char *text;   /* what happened */
	const char *way_on; /* what to do now */
	const char *again;  /* where a link to another try leads, or NULL */
	bool is_for_admin;  /* an administrator's approval may end it */
};

const struct words *words_of(enum trouble trouble);

/* The trouble of a code from a URL; TROUBLE_OTHER for any text that is none of ours. */
enum trouble words_find(const char *code);

#endif
