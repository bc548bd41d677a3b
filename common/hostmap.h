/* hostmap.h - the mapping file: the host's table and column names, and how a status looks.
 *
 * JSON (common/amidash.mapping.json is the shipped one, compiled in).  Names must be plain
 * identifiers, because they are put into SQL. */
#ifndef CALRELAY_COMMON_HOSTMAP_H
#define CALRELAY_COMMON_HOSTMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/fault.h"

#define HOSTMAP_LOOKS_MAX 32
#define HOSTMAP_NAME_SIZE 64
/* Exchange: shorter than 256 characters (MAPI, PidNameKeywords). */
#define HOSTMAP_CATEGORY_SIZE 256

struct hostmap_look {
	char status[HOSTMAP_NAME_SIZE];		  /* booking_status, compared without case */
	char category[HOSTMAP_CATEGORY_SIZE];	  /* one of Outlook's own, which has its colour */
	char own_category[HOSTMAP_CATEGORY_SIZE]; /* where we may make it in its colour; "" none */
	char colour[16];			  /* preset0 .. preset24 */
	char show_as[20];			  /* Graph's freeBusyStatus */
	bool no_event;				  /* this status has no event at all */
};

struct hostmap {
	char schema[HOSTMAP_NAME_SIZE]; /* of all three tables */
	struct {
		char table[HOSTMAP_NAME_SIZE], id[HOSTMAP_NAME_SIZE], email[HOSTMAP_NAME_SIZE],
		    full_name[HOSTMAP_NAME_SIZE];
	} profiles;
	struct {
		char table[HOSTMAP_NAME_SIZE], id[HOSTMAP_NAME_SIZE],
		    client_name[HOSTMAP_NAME_SIZE], start_date[HOSTMAP_NAME_SIZE],
		    end_date[HOSTMAP_NAME_SIZE], notes[HOSTMAP_NAME_SIZE];
	} projects;
	struct {
		char table[HOSTMAP_NAME_SIZE], id[HOSTMAP_NAME_SIZE], project_id[HOSTMAP_NAME_SIZE],
		    user_id[HOSTMAP_NAME_SIZE], booking_status[HOSTMAP_NAME_SIZE],
		    notes[HOSTMAP_NAME_SIZE];
	} assignments;
	struct hostmap_look looks[HOSTMAP_LOOKS_MAX];
	size_t look_count;
	struct hostmap_look other; /* any status that is not listed */
};

extern const char hostmap_shipped[];

/* path NULL: the shipped mapping.  FAULT_FATAL naming the file and the member. */
bool hostmap_load(struct hostmap *map, const char *path, struct fault *fault) MUST_CHECK;

/* Never NULL: the status's own look, or the one for any other; status may be NULL. */
const struct hostmap_look *hostmap_look(const struct hostmap *map, const char *status);

/* Of a look that has an event.  has_own: our own categories can be made in this mailbox. */
const char *hostmap_category(const struct hostmap_look *look, bool has_own);

/* Whether any look names such a category, of either kind; compared without case. */
bool hostmap_has_category(const struct hostmap *map, const char *name);

/* Every look, one after the other; the last one is that of any other status.  NULL behind it. */
const struct hostmap_look *hostmap_look_at(const struct hostmap *map, size_t index);

#endif
