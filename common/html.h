/* html.h - text inside HTML.
 *
 * Pure. */
#ifndef CALRELAY_COMMON_HTML_H
#define CALRELAY_COMMON_HTML_H

#include <stddef.h>

#include "common/buf.h"

/* & < > " ' become entities: safe as content and inside an attribute's quotes of either kind. */
void html_escape(struct buf *out, const char *text);
void html_escape_part(struct buf *out, const char *text, size_t length);

#endif
