/* facts.h - what is so: account, times, counts, and why events fail or are left out. */
#ifndef CALRELAY_CONNECT_FACTS_H
#define CALRELAY_CONNECT_FACTS_H

#include "connect/page.h"

void facts_write(struct buf *out, const struct page *page);

#endif
