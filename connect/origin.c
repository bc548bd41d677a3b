/* origin.c - RFC 6454 origins, compared as text. */
#include "connect/origin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Browsers leave the scheme's own port out. */
static void origin_drop_default_port(struct origin *origin)
{
	const char *port = origin->is_secure ? ":443" : ":80";
	size_t length = strlen(origin->text);

	if (length > strlen(port) && strcmp(origin->text + length - strlen(port), port) == 0) {
		origin->text[length - strlen(port)] = '\0';
	}
}

bool origin_of_url(struct origin *origin, const char *url)
{
	const char *host = strstr(url, "://");
	size_t length;

	*origin = (struct origin){.is_secure = strncasecmp(url, "https://", 8) == 0};
	if (host == NULL) {
		return false;
	}
	host += 3;
	length = (size_t)(host - url) + strcspn(host, "/?#");
	if (host + strcspn(host, "/?#") == host || length >= sizeof origin->text) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		origin->text[i] = (char)(url[i] >= 'A' && url[i] <= 'Z' ? url[i] | 32 : url[i]);
	}
	origin_drop_default_port(origin);
	return true;
}

bool origin_is_own(const struct origin *origin, const char *header, const char *fetch_site,
		   const char *host)
{
	char local[ORIGIN_SIZE];

	if (header == NULL) {
		return fetch_site != NULL && strcmp(fetch_site, "same-origin") == 0;
	}
	if (strcasecmp(header, origin->text) == 0) {
		return true;
	}
	if (origin->is_secure || host == NULL) {
		return false;
	}
	snprintf(local, sizeof local, "http://%s", host);
	return strcasecmp(header, local) == 0;
}
