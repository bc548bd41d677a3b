/* zones.h - the time zone names that Graph takes: Windows names and the IANA names it lists.
 *
 * Source: Graph's dateTimeTimeZone page, plus the European capitals that map to those zones. */
#ifndef CALRELAY_FAKE_ZONES_H
#define CALRELAY_FAKE_ZONES_H

/* The list's own text for a name (compared without case), or NULL where Graph doesn't know it. */
const char *zones_find(const char *name);

#endif
