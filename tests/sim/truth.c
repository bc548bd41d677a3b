/* truth.c - compares each connected mailbox with the tables, event by event. */
#include "tests/sim/truth.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/db.h"
#include "tests/sim/graph.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "worker/outlook.h"

/* What an assignment's event has to show; NULL: it has none. */
static cJSON *wanted_content(const struct host_assignment *row)
{
	struct change change = {.id = row->id};
	struct outlook_event event;
	struct host_texts texts;
	cJSON *content = NULL;
	struct buf out;

	host_describe(row, &texts, &change.assignment);
	if (!outlook_event_make(&event, &change, &processes[0].worker.map, "UTC",
				SCOPE_MAILBOX_NONE)) {
		abort();
	}
	buf_init(&out, OUTLOOK_EVENT_MAX_BYTES);
	buf_char(&out, '{');
	if (event.verdict == OUTLOOK_EVENT) {
		outlook_write_members(&out, &event, "");
		buf_char(&out, '}');
		content = cJSON_Parse(buf_string(&out));
	}
	buf_close(&out);
	outlook_event_close(&event);
	return content;
}

static const struct graph_event *event_of(const struct mailbox *mailbox, const char *assignment,
					  int *count)
{
	const struct graph_event *found = NULL;

	*count = 0;
	for (size_t i = 0; i < mailbox->count; i++) {
		const struct graph_event *event = &mailbox->events[i];

		if (event->is_marked && !event->is_gone &&
		    strcmp(event->assignment, assignment) == 0) {
			found = event;
			(*count)++;
		}
	}
	return found;
}

/* Returns how many events it has, which is as many as it ought to have. */
static int assignment_check(int user, const struct host_assignment *row)
{
	cJSON *wanted = wanted_content(row);
	const struct graph_event *event;
	char id[UUID_TEXT_SIZE];
	cJSON *content;
	int count;

	uuid_format(&row->id, id);
	event = event_of(graph_mailbox(user), id, &count);
	if (count != (wanted != NULL)) {
		sim_fail("user %d has %d events of %.8s (v%d, %s)", user, count, id, row->serial,
			 row->status);
	}
	content = event != NULL ? cJSON_Parse(event->content) : NULL;
	if (content != NULL && wanted != NULL && event->has_theirs) {
		cJSON_AddItemToArray(cJSON_GetObjectItem(wanted, "categories"),
				     cJSON_CreateString(GRAPH_THEIRS));
	}
	if (content != NULL && wanted != NULL && !cJSON_Compare(content, wanted, true)) {
		sim_fail("user %d's %s is not %.8s as of v%d: %s", user, event->id, id, row->serial,
			 event->content);
	}
	cJSON_Delete(content);
	cJSON_Delete(wanted);
	return count;
}

static void mailbox_check(int user)
{
	const struct mailbox *mailbox = graph_mailbox(user);
	int wanted = 0;
	int marked = 0;

	for (int i = 0; i < HOST_ASSIGNMENTS; i++) {
		const struct host_assignment *row = host_assignment(i);

		if (row->exists && row->user == user) {
			wanted += assignment_check(user, row);
		}
	}
	for (size_t i = 0; i < mailbox->count; i++) {
		marked += mailbox->events[i].is_marked && !mailbox->events[i].is_gone;
	}
	if (marked != wanted) {
		sim_fail("user %d has %d events that belong to no assignment", user,
			 marked - wanted);
	}
}

void truth_check(void)
{
	for (int user = 0; user < HOST_USERS; user++) {
		if (!graph_private_is_untouched(user)) {
			sim_fail("an event of user %d's own was touched", user);
		}
		if (db_connection(user)->exists) {
			mailbox_check(user);
		}
	}
}
