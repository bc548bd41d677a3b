/* style.h - the style sheet of the pages that people see. */
#ifndef CALRELAY_FAKE_STYLE_H
#define CALRELAY_FAKE_STYLE_H

#include "common/buf.h"

/* Everything before the body's content; title is escaped. */
void style_open_page(struct buf *page, const char *title, const char *css);
void style_close_page(struct buf *page);

#endif
