/* base64.h - base64 (RFC 4648): the standard alphabet with padding, and the URL one without. */
#ifndef CALRELAY_COMMON_BASE64_H
#define CALRELAY_COMMON_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

void base64_encode(struct buf *out, const void *bytes, size_t length);
void base64url_encode(struct buf *out, const void *bytes, size_t length);
bool base64_decode(struct buf *out, const char *text);	  /* strict: padding, no white space */
bool base64url_decode(struct buf *out, const char *text); /* strict: no padding */

#endif
