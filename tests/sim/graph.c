/* graph.c - the simulated mailboxes. */
#include "tests/sim/graph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/host.h"
#include "tests/sim/sim.h"

#define GRAPH_PAGE 3

static struct {
	struct mailbox mailboxes[HOST_USERS];
	enum graph_memory memory;
	int64_t token_life_ms;
	int events; /* ever made */
} graph;

/* ---- events ---- */

static struct graph_event *event_by_id(struct mailbox *mailbox, const char *id)
{
	for (size_t i = 0; i < mailbox->count; i++) {
		if (!mailbox->events[i].is_gone && strcmp(mailbox->events[i].id, id) == 0) {
			return &mailbox->events[i];
		}
	}
	return NULL;
}

static struct graph_event *event_add(struct mailbox *mailbox, const char *content)
{
	struct graph_event *event;

	mailbox->events = sim_grow(mailbox->events, mailbox->count, sizeof *mailbox->events);
	event = &mailbox->events[mailbox->count++];
	*event = (struct graph_event){
	    .change = 1, .created_as = sim_copy(content), .content = sim_copy(content)};
	snprintf(event->id, sizeof event->id, "event%d", ++graph.events);
	return event;
}

static void event_set(struct graph_event *event, const char *content)
{
	free(event->content);
	event->content = sim_copy(content);
	event->change++;
}

static void event_write(const struct graph_event *event, cJSON *out)
{
	char key[32];

	snprintf(key, sizeof key, "key%d", event->change);
	cJSON_AddStringToObject(out, "id", event->id);
	cJSON_AddStringToObject(out, "changeKey", key);
}

/* ---- answers ---- */

static cJSON *response(int status)
{
	cJSON *out = cJSON_CreateObject();

	cJSON_AddNumberToObject(out, "status", status);
	cJSON_AddObjectToObject(out, "headers");
	cJSON_AddObjectToObject(out, "body");
	return out;
}

static void event_write_seen(const struct graph_event *event, cJSON *out)
{
	cJSON *content = cJSON_Parse(event->content);

	event_write(event, out);
	cJSON_AddItemToObject(out, "categories", cJSON_DetachItemFromObject(content, "categories"));
	cJSON_Delete(content);
}

static cJSON *response_event(int status, const struct graph_event *event)
{
	cJSON *out = response(status);

	event_write_seen(event, cJSON_GetObjectItem(out, "body"));
	return out;
}

static cJSON *response_error(int status, const char *code, const char *existing)
{
	cJSON *out = response(status);
	cJSON *error = cJSON_AddObjectToObject(cJSON_GetObjectItem(out, "body"), "error");

	cJSON_AddStringToObject(error, "code", code);
	if (existing != NULL) {
		cJSON_AddStringToObject(error, "@event.existingEventId", existing);
	}
	return out;
}

/* ---- create ---- */

/* Which version of the host's row an event's body shows. */
static int content_version(const char *content)
{
	static const char MARK[] = "\\n\\nv";
	const char *at = strstr(content, MARK);

	return at != NULL ? (int)strtol(at + strlen(MARK), NULL, 10) : 0;
}

static const struct graph_event *transaction_of(const struct mailbox *mailbox,
						const char *transaction)
{
	for (size_t i = mailbox->count; i > 0; i--) {
		if (strcmp(mailbox->events[i - 1].transaction, transaction) == 0) {
			return &mailbox->events[i - 1];
		}
	}
	return NULL;
}

/* What Graph answers to a transactionId that it knows; NULL: it makes an event. */
static cJSON *transaction_repeats(const struct graph_event *known, const char *content)
{
	if (known == NULL || sim.broken == SIM_NO_TRANSACTION_ID) {
		return NULL;
	}
	if (!known->is_gone && strcmp(known->created_as, content) == 0) {
		return response_event(201, known);
	}
	if (!known->is_gone) {
		return response_error(409, "ErrorDuplicateTransactionId",
				      sim_chance(500) ? known->id : NULL);
	}
	if (graph.memory == GRAPH_FORGETS) {
		return NULL;
	}
	return response_error(409, "ErrorDuplicateTransactionId",
			      graph.memory == GRAPH_REFUSES_AND_NAMES ? known->id : NULL);
}

static bool is_shown(const struct mailbox *mailbox, const char *assignment)
{
	for (size_t i = 0; i < mailbox->count; i++) {
		const struct graph_event *event = &mailbox->events[i];

		if (event->is_marked && !event->is_gone &&
		    strcmp(event->assignment, assignment) == 0) {
			return true;
		}
	}
	return false;
}

static cJSON *make(struct mailbox *mailbox, const char *content, const char *transaction,
		   const char *mark)
{
	struct graph_event *event = event_add(mailbox, content);

	event->is_marked = true;
	snprintf(event->transaction, sizeof event->transaction, "%s", transaction);
	snprintf(event->assignment, sizeof event->assignment, "%s", mark);
	sim_trace("graph: %s is made for %.8s, v%d", event->id, mark, content_version(content));
	return response_event(201, event);
}

static cJSON *create(struct mailbox *mailbox, const cJSON *body, bool is_alone)
{
	cJSON *content = cJSON_Duplicate(body, true);
	cJSON *transaction = cJSON_DetachItemFromObject(content, "transactionId");
	cJSON *properties = cJSON_DetachItemFromObject(content, "singleValueExtendedProperties");
	const char *name = cJSON_GetStringValue(transaction);
	const char *mark =
	    cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(properties, 0), "value"));
	char *text = cJSON_PrintUnformatted(content);
	cJSON *out;

	if (name == NULL || mark == NULL) {
		sim_fail("an event without a transactionId or our mark is created");
		out = response(400);
	} else if ((out = transaction_repeats(transaction_of(mailbox, name), text)) == NULL) {
		if (is_alone && is_shown(mailbox, mark)) {
			sim_fail("a second event is made for %.8s", mark);
		}
		out = make(mailbox, text, name, mark);
	}
	free(text);
	cJSON_Delete(content);
	cJSON_Delete(transaction);
	cJSON_Delete(properties);
	return out;
}

/* ---- update, delete, find ---- */

static bool has_theirs(const cJSON *content)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItem(content, "categories"))
	{
		if (strcmp(cJSON_GetStringValue(item), GRAPH_THEIRS) == 0) {
			return true;
		}
	}
	return false;
}

/* The members of body, and the categories that it says nothing about. */
static char *content_updated(const struct graph_event *event, const cJSON *body)
{
	cJSON *content = cJSON_Duplicate(body, true);
	char *text;

	if (cJSON_GetObjectItem(content, "categories") == NULL) {
		cJSON *old = cJSON_Parse(event->content);

		cJSON_AddItemToObject(content, "categories",
				      cJSON_DetachItemFromObject(old, "categories"));
		cJSON_Delete(old);
	}
	if (event->has_theirs && !has_theirs(content)) {
		sim_fail("%s loses the person's category", event->id);
	}
	text = cJSON_PrintUnformatted(content);
	cJSON_Delete(content);
	return text;
}

static bool if_match_holds(const struct graph_event *event, const cJSON *item)
{
	const char *wanted = cJSON_GetStringValue(
	    cJSON_GetObjectItem(cJSON_GetObjectItem(item, "headers"), "If-Match"));
	char etag[40];

	snprintf(etag, sizeof etag, "W/\"key%d\"", event->change);
	return wanted == NULL || strcmp(wanted, etag) == 0;
}

static cJSON *update(struct graph_event *event, const cJSON *body, bool is_alone)
{
	char *text = content_updated(event, body);
	int from = content_version(event->content);
	int to = content_version(text);

	sim_trace("graph: %s goes from v%d to v%d", event->id, from, to);
	if (to < from && is_alone) {
		sim_fail("%s goes back from v%d to v%d, and nobody else is at work", event->id,
			 from, to);
	}
	event_set(event, text);
	free(text);
	return response_event(200, event);
}

/* path: /me/events/{id}, for a read with a query. */
static cJSON *address(struct mailbox *mailbox, const cJSON *item, const char *method, bool is_alone)
{
	const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(item, "url"));
	struct graph_event *event;
	char id[32];

	snprintf(id, sizeof id, "%.*s", (int)strcspn(url + strlen("/me/events/"), "?"),
		 url + strlen("/me/events/"));
	event = event_by_id(mailbox, id);
	if (event == NULL) {
		return response_error(404, "ErrorItemNotFound", NULL);
	}
	if (!event->is_marked) {
		sim_fail("%s of the person's own event", method);
	}
	if (strcmp(method, "GET") == 0) {
		return response_event(200, event);
	}
	if (!if_match_holds(event, item)) {
		sim_trace("graph: %s has changed since", event->id);
		return response_error(412, "ErrorIrresolvableConflict", NULL);
	}
	if (strcmp(method, "PATCH") == 0) {
		return update(event, cJSON_GetObjectItem(item, "body"), is_alone);
	}
	sim_trace("graph: %s is deleted", event->id);
	event->is_gone = true;
	return response(204);
}

static cJSON *find(const struct mailbox *mailbox, const char *url)
{
	static const char BEFORE[] = "value%20eq%20%27";
	cJSON *out = response(200);
	cJSON *list = cJSON_AddArrayToObject(cJSON_GetObjectItem(out, "body"), "value");
	const char *at = strstr(url, BEFORE);

	if (at == NULL) {
		sim_fail("a look-up that is none: %.100s", url);
		return out;
	}
	for (size_t i = 0; i < mailbox->count; i++) {
		const struct graph_event *event = &mailbox->events[i];

		if (event->is_marked && !event->is_gone &&
		    strncmp(event->assignment, at + strlen(BEFORE), UUID_TEXT_SIZE - 1) == 0) {
			cJSON *found = cJSON_CreateObject();

			event_write_seen(event, found);
			cJSON_AddItemToArray(list, found);
		}
	}
	return out;
}

cJSON *graph_execute(int user, const cJSON *item, bool is_alone)
{
	struct mailbox *mailbox = &graph.mailboxes[user];
	const char *method = cJSON_GetStringValue(cJSON_GetObjectItem(item, "method"));
	const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(item, "url"));

	if (strcmp(method, "POST") == 0) {
		return create(mailbox, cJSON_GetObjectItem(item, "body"), is_alone);
	}
	if (strncmp(url, "/me/events?", strlen("/me/events?")) == 0) {
		return find(mailbox, url);
	}
	return address(mailbox, item, method, is_alone);
}

/* ---- list ---- */

static cJSON *listed(const struct graph_event *event)
{
	cJSON *out = cJSON_Parse(event->content);
	cJSON *property = cJSON_CreateObject();

	event_write(event, out);
	cJSON_AddStringToObject(property, "id", GRAPH_PROPERTY);
	cJSON_AddStringToObject(property, "value", event->assignment);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(out, "singleValueExtendedProperties"),
			     property);
	return out;
}

cJSON *graph_list(int user, size_t from)
{
	const struct mailbox *mailbox = &graph.mailboxes[user];
	cJSON *out = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(out, "value");
	size_t at = from;

	for (int left = GRAPH_PAGE; at < mailbox->count && left > 0; at++) {
		if (mailbox->events[at].is_marked && !mailbox->events[at].is_gone) {
			cJSON_AddItemToArray(list, listed(&mailbox->events[at]));
			left--;
		}
	}
	if (at < mailbox->count && sim.broken != SIM_SHORT_LISTING) {
		char next[128];

		snprintf(next, sizeof next, "%s/v1.0/me/events?$skiptoken=%zu", GRAPH_URL, at);
		cJSON_AddStringToObject(out, "@odata.nextLink", next);
	}
	return out;
}

/* ---- tokens ---- */

void graph_sign_in(int user, char *access, char *refresh, size_t size)
{
	struct mailbox *mailbox = &graph.mailboxes[user];
	int number = mailbox->tokens;

	if (number == (int)(sizeof mailbox->token_expires_ms / sizeof(int64_t))) {
		sim_fail("more tokens than anybody needs");
		number = 0;
	} else {
		mailbox->tokens++;
	}
	mailbox->token_expires_ms[number] = sim.now_ms + graph.token_life_ms;
	snprintf(access, size, "access-%d-%d", user, number);
	snprintf(refresh, size, "refresh-%d-%d", user, number);
}

int64_t graph_token_life_ms(void)
{
	return graph.token_life_ms;
}

bool graph_takes(const char *bearer, int *user)
{
	const struct mailbox *mailbox;
	int number;

	if (sscanf(bearer, "Bearer access-%d-%d", user, &number) != 2) { /* NOLINT(cert-err34-c) */
		*user = -1;
		return false;
	}
	mailbox = &graph.mailboxes[*user];
	return number >= mailbox->oldest_refresh && mailbox->token_expires_ms[number] > sim.now_ms;
}

cJSON *graph_refresh(const char *body, int *status)
{
	const char *at = strstr(body, "refresh_token=refresh-");
	int64_t life_s = graph.token_life_ms / 1000;
	cJSON *out = cJSON_CreateObject();
	char access[64];
	char refresh[64];
	int user;
	int number;

	if (at == NULL || sscanf(at, "refresh_token=refresh-%d-%d", /* NOLINT(cert-err34-c) */
				 &user, &number) != 2) {
		sim_fail("a refresh without a refresh token");
		*status = 400;
		return out;
	}
	if (number < graph.mailboxes[user].oldest_refresh) {
		*status = 400;
		cJSON_AddStringToObject(out, "error", "invalid_grant");
		return out;
	}
	graph_sign_in(user, access, refresh, sizeof access);
	*status = 200;
	cJSON_AddStringToObject(out, "access_token", access);
	cJSON_AddStringToObject(out, "token_type", "Bearer");
	if (sim_chance(500)) {
		cJSON_AddStringToObject(out, "refresh_token", refresh);
	}
	cJSON_AddNumberToObject(out, "expires_in", (double)life_s);
	return out;
}

/* ---- people ---- */

static struct graph_event *some_marked(struct mailbox *mailbox)
{
	for (int tries = 0; mailbox->count > 0 && tries < 8; tries++) {
		struct graph_event *event = &mailbox->events[sim_below((int64_t)mailbox->count)];

		if (event->is_marked && !event->is_gone) {
			return event;
		}
	}
	return NULL;
}

void graph_person_adds(int user)
{
	event_add(&graph.mailboxes[user], "{\"subject\":\"Dentist\"}");
}

void graph_person_edits(int user)
{
	struct graph_event *event = some_marked(&graph.mailboxes[user]);
	cJSON *content;
	char *text;

	if (event == NULL) {
		return;
	}
	content = cJSON_Parse(event->content);
	cJSON_ReplaceItemInObject(content, "subject", cJSON_CreateString("Mine"));
	text = cJSON_PrintUnformatted(content);
	event_set(event, text);
	sim_trace("graph: user %d edits %s", user, event->id);
	free(text);
	cJSON_Delete(content);
}

/* Beside ours, or in its place. */
void graph_person_categorises(int user)
{
	struct graph_event *event = some_marked(&graph.mailboxes[user]);
	cJSON *content;
	cJSON *categories;
	char *text;

	if (event == NULL || event->has_theirs) {
		return;
	}
	content = cJSON_Parse(event->content);
	categories = cJSON_GetObjectItem(content, "categories");
	if (sim_chance(250)) {
		cJSON_DeleteItemFromArray(categories, 0);
	}
	cJSON_AddItemToArray(categories, cJSON_CreateString(GRAPH_THEIRS));
	text = cJSON_PrintUnformatted(content);
	event_set(event, text);
	event->has_theirs = true;
	sim_trace("graph: user %d gives %s a category", user, event->id);
	free(text);
	cJSON_Delete(content);
}

void graph_person_deletes(int user)
{
	struct graph_event *event = some_marked(&graph.mailboxes[user]);

	if (event != NULL) {
		sim_trace("graph: user %d deletes %s", user, event->id);
		event->is_gone = true;
	}
}

void graph_person_revokes(int user)
{
	sim_trace("graph: user %d takes the consent back", user);
	graph.mailboxes[user].oldest_refresh = graph.mailboxes[user].tokens;
}

const struct mailbox *graph_mailbox(int user)
{
	return &graph.mailboxes[user];
}

bool graph_private_is_untouched(int user)
{
	const struct mailbox *mailbox = &graph.mailboxes[user];

	for (size_t i = 0; i < mailbox->count; i++) {
		const struct graph_event *event = &mailbox->events[i];

		if (!event->is_marked &&
		    (event->is_gone || strcmp(event->content, event->created_as) != 0)) {
			return false;
		}
	}
	return true;
}

/* ---- start and end ---- */

void graph_begin(void)
{
	memset(&graph, 0, sizeof graph);
	graph.memory = (enum graph_memory)sim_below(GRAPH_MEMORIES);
	graph.token_life_ms = sim_chance(500) ? 3600000 : sim_between(60, 600) * 1000;
	for (int user = 0; user < HOST_USERS; user++) {
		graph_person_adds(user);
	}
}

void graph_end(void)
{
	for (int user = 0; user < HOST_USERS; user++) {
		struct mailbox *mailbox = &graph.mailboxes[user];

		for (size_t i = 0; i < mailbox->count; i++) {
			free(mailbox->events[i].created_as);
			free(mailbox->events[i].content);
		}
		free(mailbox->events);
	}
}
