/* origin.h - which web origin we are, and whether a form was sent from it. */
#ifndef CALRELAY_CONNECT_ORIGIN_H
#define CALRELAY_CONNECT_ORIGIN_H

#include <stdbool.h>

#define ORIGIN_SIZE 300

struct origin {
	char text[ORIGIN_SIZE]; /* scheme://host[:port], as browsers write it */
	bool is_secure;		/* https; otherwise plain http on loopback */
};

/* Our own origin is that of MICROSOFT_REDIRECT_URI: Microsoft sends browsers back to us there.
 * False where the URL holds no host, or one too long. */
bool origin_of_url(struct origin *origin, const char *url);

/* Whether a request's Origin header is ours.  header NULL: the browser's Sec-Fetch-Site decides,
 * which NULL or anything but same-origin fails.  On loopback any name of the host that the request
 * itself used is ours too (localhost, 127.0.0.1). */
bool origin_is_own(const struct origin *origin, const char *header, const char *fetch_site,
		   const char *host);

#endif
