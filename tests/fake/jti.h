/* jti.h - the names of client assertions that were seen. */
#ifndef CALRELAY_FAKE_JTI_H
#define CALRELAY_FAKE_JTI_H

#include <stdbool.h>
#include <uthash.h>

#define JTI_MAX	 10000 /* the oldest is forgotten first */
#define JTI_SIZE 128

struct jti {
	char text[JTI_SIZE];
	UT_hash_handle hh; /* by text, in order of appearance */
};

/* Notes text, which fits; true where it was seen before. */
bool jti_note(struct jti **seen, const char *text);
void jti_forget_all(struct jti **seen);

#endif
