/* zone.h - the mailbox's own time zone, as Graph names it: taken, or left alone.
 *
 * Pure.  Source: Microsoft Graph, "mailboxSettings resource type": a Windows or an IANA name. */
#ifndef CALRELAY_CONNECT_ZONE_H
#define CALRELAY_CONNECT_ZONE_H

#include <stdbool.h>

#define ZONE_SIZE 64 /* what the worker takes */

/* Copies a name that can stand in an event.  False, with the empty text, where it can't: NULL or
 * empty (never set), too long, or Outlook's own for a zone with rules made by hand ("Customized
 * Time Zone", "tzone://Microsoft/Custom"), which Graph gives but doesn't take. */
bool zone_copy(char out[ZONE_SIZE], const char *name);

#endif
