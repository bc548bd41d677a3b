/* when.h - points in time as people read them, and as machines do. */
#ifndef CALRELAY_CONNECT_WHEN_H
#define CALRELAY_CONNECT_WHEN_H

#include <stdint.h>

#include "common/buf.h"

/* The zone that when_exact writes in, for the life of the program.  A name that this system's zone
 * data does not know (Outlook also takes Windows' names) leaves UTC; false then. */
bool when_use_zone(const char *zone);

void when_relative(struct buf *out, int64_t now_s, int64_t then_s); /* "3 minutes ago" */
void when_exact(struct buf *out, int64_t at_s);			/* "1 March 2026, 14:05:09 CET" */
void when_moment(struct buf *out, int64_t now_s, int64_t at_s); /* today: "14:05:09 CET" */
void when_iso(struct buf *out, int64_t at_s);			/* 2026-03-01T13:05:09Z */
void when_tag(struct buf *out, int64_t at_s);			/* <time> with it, to be closed */

#endif
