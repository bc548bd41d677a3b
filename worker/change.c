/* change.c - one change of one assignment: its texts stand behind it, in one allocation. */
#include "worker/change.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

/* Copies text to *at and moves *at behind it; NULL stays NULL. */
static const char *text_put(char **at, const char *text)
{
	size_t size = text_size(text);
	char *copy = *at;

	if (text == NULL) {
		return NULL;
	}
	memcpy(copy, text, size);
	*at += size;
	return copy;
}

struct change *change_new(const struct assignment *assignment)
{
	size_t texts = text_size(assignment->client_name) + text_size(assignment->status) +
		       text_size(assignment->notes) + text_size(assignment->project_notes);
	struct change *change = calloc(1, sizeof *change + texts);
	char *at;

	if (change == NULL) {
		return NULL;
	}
	at = (char *)(change + 1);
	change->assignment = (struct assignment){
	    .client_name = text_put(&at, assignment->client_name),
	    .status = text_put(&at, assignment->status),
	    .notes = text_put(&at, assignment->notes),
	    .project_notes = text_put(&at, assignment->project_notes),
	    .start_day = assignment->start_day,
	    .end_day = assignment->end_day,
	};
	return change;
}
