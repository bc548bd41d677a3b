/* exchange.h - how Exchange hands a body back: never as it was written. */
#ifndef CALRELAY_FAKE_EXCHANGE_H
#define CALRELAY_FAKE_EXCHANGE_H

#include <stdbool.h>

#include "common/buf.h"

/* As HTML: with Exchange's head around it; what was text is escaped and wrapped. */
void exchange_write_html(const char *body, bool is_html, struct buf *out);

/* As text: lines end in CRLF, so does the whole; tags of what was HTML are gone. */
void exchange_write_text(const char *body, bool is_html, struct buf *out);

#endif
