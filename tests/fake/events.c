/* events.c - what Graph does with a mailbox's events on request. */
#include "tests/fake/events.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fake/draft_json.h"
#include "tests/fake/listing.h"
#include "tests/fake/memory.h"

/* POST and PATCH answer with all but extended properties. */
static void answer_event(struct operation *operation, const struct world *world,
			 const struct event *event, int status)
{
	const struct event_view view = {.is_immutable = operation->prefer.is_immutable,
					.is_text = operation->prefer.is_text,
					.zone = operation->prefer.zone,
					.select = EVENT_VIEW_ALL};

	operation->status = status;
	event_write(event, &view, &operation->answer);
	event_etag(event, operation->etag);
	event_id(event, true, operation->event_id);
	free(operation->assignment);
	operation->assignment = memory_text(world_assignment(world, &event->draft));
}

static bool refuse_options(const struct operation *operation, struct problem *problem)
{
	for (size_t i = 0; i < operation->query.count; i++) {
		if (operation->query.params[i].name[0] == '$') {
			return problem_set(problem, 400, "BadRequest",
					   "The query specified in the URI is not valid: %.60s.",
					   operation->query.params[i].name);
		}
	}
	return true;
}

bool events_create(struct operation *operation, struct world *world, struct account *account,
		   int64_t now_ms, struct problem *problem)
{
	struct draft draft = {0};
	struct event *event = NULL;

	if (refuse_options(operation, problem) &&
	    draft_json_read(operation->body, &draft, problem)) {
		event = mailbox_create(&world->store, &world->settings, &account->mailbox, &draft,
				       now_ms, problem);
	}
	draft_close(&draft);
	if (event == NULL) {
		return false;
	}
	answer_event(operation, world, event, 201);
	return true;
}

static struct event *find_event(const struct operation *operation, const struct world *world,
				struct account *account, struct problem *problem)
{
	return mailbox_find(&world->store, &world->settings, &account->mailbox, operation->id,
			    operation->prefer.is_immutable, problem);
}

/* If-Match, where the client sent one. */
static bool check_match(const struct operation *operation, const struct event *event,
			struct problem *problem)
{
	char etag[EVENT_ETAG_SIZE];

	event_etag(event, etag);
	if (operation->if_match == NULL || strcmp(operation->if_match, "*") == 0 ||
	    strcmp(operation->if_match, etag) == 0) {
		return true;
	}
	return problem_set(
	    problem, 412, "ErrorIrresolvableConflict",
	    "The send or update operation could not be performed because the change key passed in "
	    "the request does not match the current change key for the item.");
}

bool events_update(struct operation *operation, struct world *world, struct account *account,
		   int64_t now_ms, struct problem *problem)
{
	struct event *event = find_event(operation, world, account, problem);
	struct draft change = {0};
	bool ok = false;

	if (event == NULL || !refuse_options(operation, problem) ||
	    !check_match(operation, event, problem)) {
		return false;
	}
	ok = draft_json_read(operation->body, &change, problem) &&
	     mailbox_change(&world->store, event, &change, now_ms, problem);
	draft_close(&change);
	if (ok) {
		answer_event(operation, world, event, 200);
	}
	return ok;
}

bool events_delete(struct operation *operation, struct world *world, struct account *account,
		   int64_t now_ms, struct problem *problem)
{
	struct event *event = find_event(operation, world, account, problem);

	if (event == NULL || !check_match(operation, event, problem)) {
		return false;
	}
	mailbox_delete(&world->store, event, now_ms);
	operation->status = 204;
	return true;
}

bool events_get(struct operation *operation, struct world *world, struct account *account,
		int64_t now_ms, struct problem *problem)
{
	const struct event *event = find_event(operation, world, account, problem);
	struct listing listing;

	(void)now_ms;
	if (event == NULL || !listing_read(&operation->query, LISTING_ONE, &listing, problem)) {
		return false;
	}
	listing_prefer(&listing, &operation->prefer);
	operation->status = 200;
	event_write(event, &listing.view, &operation->answer);
	event_etag(event, operation->etag);
	return true;
}

bool events_list(struct operation *operation, struct world *world, struct account *account,
		 int64_t now_ms, struct problem *problem)
{
	bool is_view = strcmp(operation->path, "/me/calendarView") == 0;
	struct listing listing;

	if (!listing_read(&operation->query, is_view ? LISTING_VIEW : LISTING_EVENTS, &listing,
			  problem)) {
		return false;
	}
	listing_prefer(&listing, &operation->prefer);
	listing.found_until_ms = now_ms - world->settings.search_lag_ms;
	listing.base_url = operation->base_url;
	listing.path = operation->path;
	listing_write(&listing, &operation->query, &account->mailbox, &operation->answer);
	operation->status = 200;
	return true;
}
