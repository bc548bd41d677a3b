/* flight.c - http_send on the simulated Graph. */
#include "tests/sim/flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http.h"
#include "tests/sim/db.h"
#include "tests/sim/graph.h"
#include "tests/sim/group.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "worker/run.h"

#define FLIGHT_ITEMS_MAX 20
#define FLIGHT_ZOMBIE_MS 15000

enum fate {
	FATE_WELL,
	FATE_LOST,	  /* it never lands */
	FATE_UNHEARD,	  /* it lands, its answer doesn't */
	FATE_LATE,	  /* it lands long after its sender has given up */
	FATE_UNAVAILABLE, /* 503, whether or not it was executed */
	FATE_THROTTLED,
	FATE_CUT, /* the answer ends in the middle */
};

struct flight {
	struct process *process;
	struct http_request *request; /* while is_open */
	enum fate fate;
	bool is_open; /* nobody has answered the sender */
	uint32_t life;
	bool is_token;
	int user;
	bool is_refused; /* 401 */
	enum run_mode mode;
	int64_t epoch;
	char *url;
	char *text; /* the request's body */
	char bearer[96];
	cJSON *batch;
	cJSON *responses;
	int items_open;
	int status;
	int64_t retry_after_ms;
	char *answer;
	int holders;
};

struct item_call {
	struct flight *flight;
	const cJSON *item;
};

static struct {
	int landing[HOST_USERS];   /* requests of a mailbox that may still do something */
	bool is_ahead[HOST_USERS]; /* a sync is at work that has not noted what it has read */
	bool is_loose[HOST_USERS]; /* something has landed that its sender can't know of */
} flights;

/* ---- life ---- */

static void flight_release(struct flight *flight)
{
	if (--flight->holders > 0) {
		return;
	}
	free(flight->url);
	free(flight->text);
	free(flight->answer);
	cJSON_Delete(flight->batch);
	cJSON_Delete(flight->responses);
	free(flight);
}

/* Whether the sender still waits. */
static bool flight_is_awaited(const struct flight *flight)
{
	return flight->is_open && flight->process->is_up && flight->process->life == flight->life;
}

static void flight_later(struct flight *flight, struct process *process, int64_t after_ms,
			 void (*run)(void *context), void (*drop)(void *context))
{
	if (process != NULL && !flight_is_awaited(flight)) {
		return;
	}
	flight->holders++;
	sim_after(after_ms, &(struct sim_call){
				.process = process, .run = run, .drop = drop, .context = flight});
}

static void on_dropped(void *context)
{
	flight_release(context);
}

/* ---- answering ---- */

static void flight_answer(struct flight *flight, int status, const char *body)
{
	struct http_request *request = flight->request;

	flight->is_open = false;
	request->fault = (struct fault){0};
	request->reply =
	    (struct http_reply){.status = status, .retry_after_ms = flight->retry_after_ms};
	buf_init(&request->reply.body, HTTP_REPLY_MAX_BYTES);
	if (status == 0) {
		fault_retry(&request->fault, "no answer");
	} else {
		buf_text(&request->reply.body, body != NULL ? body : "");
	}
	sim_trace("worker %d: hears %d of its request for user %d", flight->process->number, status,
		  flight->user);
	{
		struct buf answered = request->reply.body;

		request->done(request);
		buf_close(&answered);
	}
}

static void on_answer(void *context)
{
	struct flight *flight = context;

	if (flight->is_open) {
		flight_answer(flight, flight->status, flight->answer);
	}
	flight_release(flight);
}

static void on_deadline(void *context)
{
	struct flight *flight = context;

	if (flight->is_open) {
		flight_answer(flight, 0, NULL);
	}
	flight_release(flight);
}

static void flight_landed(struct flight *flight, cJSON *body)
{
	flights.landing[flight->user]--;
	flight->answer = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	if (flight->fate == FATE_CUT) {
		flight->answer[strlen(flight->answer) / 2] = '\0';
	}
	if (flight->fate == FATE_UNAVAILABLE) {
		flight->status = 503;
		flight->retry_after_ms = sim_chance(500) ? sim_between(1, 8) * 1000 : -1;
	}
	if (flight->fate == FATE_UNHEARD) {
		flight->status = 0;
	}
	if (flight->fate != FATE_LATE) {
		flight_later(flight, flight->process, sim_between(5, 100), on_answer, on_dropped);
	}
}

/* ---- landing ---- */

static void batch_landed(struct flight *flight)
{
	cJSON *body = cJSON_CreateObject();

	cJSON_AddItemToObject(body, "responses", flight->responses);
	flight->responses = NULL;
	flight->status = 200;
	flight_landed(flight, body);
}

/* Whether a single owner is at work, who knows of every request that has landed. */
static bool flight_is_alone(const struct flight *flight)
{
	return flight_is_awaited(flight) && flights.landing[flight->user] == 1 &&
	       !flights.is_loose[flight->user] && !flights.is_ahead[flight->user] &&
	       !host_tells_again() &&
	       db_part(false, topic_partition_of(flight->user))->epoch == flight->epoch;
}

static cJSON *item_refused(int status, int64_t retry_after_s)
{
	cJSON *out = cJSON_CreateObject();
	cJSON *headers;
	char text[24];

	cJSON_AddNumberToObject(out, "status", status);
	headers = cJSON_AddObjectToObject(out, "headers");
	snprintf(text, sizeof text, "%d", (int)retry_after_s);
	if (retry_after_s > 0) {
		cJSON_AddStringToObject(headers, "Retry-After", text);
	}
	return out;
}

static cJSON *item_execute(const struct flight *flight, const cJSON *item)
{
	int64_t retry_after_s = sim_chance(800) ? sim_between(0, 9) : sim_between(11, 40);

	if (flight->is_refused) {
		return item_refused(401, 0);
	}
	if (sim_fault_chance(25)) {
		return item_refused(429, retry_after_s);
	}
	if (sim_fault_chance(10)) {
		if (sim_chance(500)) {
			cJSON_Delete(graph_execute(flight->user, item, flight_is_alone(flight)));
		}
		return item_refused(503, retry_after_s);
	}
	return graph_execute(flight->user, item, flight_is_alone(flight));
}

static void on_item(void *context)
{
	struct item_call *call = context;
	struct flight *flight = call->flight;
	cJSON *out = item_execute(flight, call->item);

	cJSON_AddStringToObject(out, "id",
				cJSON_GetStringValue(cJSON_GetObjectItem(call->item, "id")));
	cJSON_AddItemToArray(flight->responses, out);
	if (--flight->items_open == 0) {
		batch_landed(flight);
	}
	flight_release(flight);
	free(call);
}

static void on_item_dropped(void *context)
{
	struct item_call *call = context;

	flight_release(call->flight);
	free(call);
}

/* No two items of a batch may speak of the same event: they run in any order. */
static void batch_check(const struct flight *flight, const cJSON *requests)
{
	const cJSON *a;
	const cJSON *b;

	if (cJSON_GetArraySize(requests) > FLIGHT_ITEMS_MAX) {
		sim_fail("a batch of more than %d items", FLIGHT_ITEMS_MAX);
	}
	cJSON_ArrayForEach(a, requests)
	{
		const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(a, "url"));

		for (b = a->next; b != NULL; b = b->next) {
			if (strlen(url) > strlen("/me/events") &&
			    strcmp(url, cJSON_GetStringValue(cJSON_GetObjectItem(b, "url"))) == 0) {
				sim_fail("two operations on one event in a batch of user %d",
					 flight->user);
			}
		}
	}
}

static void batch_lands(struct flight *flight)
{
	const cJSON *requests = cJSON_GetObjectItem(flight->batch, "requests");
	const cJSON *item;

	batch_check(flight, requests);
	flight->responses = cJSON_CreateArray();
	flight->items_open = cJSON_GetArraySize(requests);
	cJSON_ArrayForEach(item, requests)
	{
		struct item_call *call = sim_alloc(sizeof *call);

		*call = (struct item_call){.flight = flight, .item = item};
		flight->holders++;
		sim_after(
		    sim_below(sim_chance(900) ? 60 : 3000),
		    &(struct sim_call){.run = on_item, .drop = on_item_dropped, .context = call});
	}
}

static void list_lands(struct flight *flight)
{
	const char *token = strstr(flight->url, "skiptoken=");
	size_t from = token != NULL ? strtoul(token + strlen("skiptoken="), NULL, 10) : 0;

	flight->status = flight->is_refused ? 401 : 200;
	if (sim.broken == SIM_EMPTY_ON_ERROR && flight->fate != FATE_WELL) {
		flight->fate = FATE_WELL;
		flight_landed(flight, cJSON_Parse("{\"value\":[]}"));
		return;
	}
	flight_landed(flight, graph_list(flight->user, from));
}

static void on_lands(void *context)
{
	struct flight *flight = context;

	flights.is_loose[flight->user] |=
	    !flight_is_awaited(flight) || flight->fate == FATE_LATE ||
	    !group_owns(flight->process, topic_partition_of(flight->user));
	if (flight->is_token) {
		flight_landed(flight, graph_refresh(flight->text, &flight->status));
	} else {
		int user;

		flight->is_refused = !graph_takes(flight->bearer, &user);
		if (flight->batch != NULL) {
			batch_lands(flight);
		} else {
			list_lands(flight);
		}
	}
	flight_release(flight);
}

/* ---- sending ---- */

static enum fate fate_choose(void)
{
	static const struct {
		enum fate fate;
		int per_mille;
	} FATES[] = {{FATE_LOST, 15},	     {FATE_UNHEARD, 25},   {FATE_LATE, 20},
		     {FATE_UNAVAILABLE, 15}, {FATE_THROTTLED, 10}, {FATE_CUT, 10}};

	for (size_t i = 0; i < sizeof FATES / sizeof *FATES; i++) {
		if (sim_fault_chance(FATES[i].per_mille)) {
			return FATES[i].fate;
		}
	}
	return FATE_WELL;
}

static void flight_lands_after(struct flight *flight, int64_t after_ms)
{
	flights.landing[flight->user]++;
	flight_later(flight, NULL, after_ms, on_lands, on_dropped);
}

static void flight_depart(struct flight *flight)
{
	int64_t land_ms = sim_chance(950) ? sim_between(5, 200) : sim_between(1000, 20000);

	switch (flight->fate) {
	case FATE_LOST:
		break;
	case FATE_THROTTLED:
		flight->status = 429;
		flight->retry_after_ms = sim_between(0, 15) * 1000;
		flight_later(flight, flight->process, land_ms, on_answer, on_dropped);
		break;
	case FATE_UNAVAILABLE:
		if (sim_chance(500)) {
			flight->status = 503;
			flight_later(flight, flight->process, land_ms, on_answer, on_dropped);
			break;
		}
		flight_lands_after(flight, land_ms);
		break;
	case FATE_LATE:
		flight_lands_after(flight, sim_between(200, SIM_LATEST_MS));
		break;
	default:
		flight_lands_after(flight, land_ms);
		break;
	}
}

/* Who has lost its partitions for longer than the lease allows calls nobody. */
static void zombie_check(const struct flight *flight)
{
	const struct process *process = flight->process;

	if (!flight->is_token && !process->is_member &&
	    sim.now_ms - process->lost_ms > FLIGHT_ZOMBIE_MS) {
		sim_fail("worker %d calls, and lost its partitions %d s ago", process->number,
			 (int)(sim.now_ms - process->lost_ms) / 1000);
	}
}

static void one_call_check(const struct flight *flight)
{
	for (const struct run *run = flight->process->worker.alive; run != NULL;
	     run = run->next_alive) {
		if (&run->http != flight->request &&
		    strcmp(run->lane->user_text, host_user_text(flight->user)) == 0 &&
		    (run->step == RUN_SEND || run->step == RUN_LIST || run->step == RUN_REFRESH)) {
			sim_fail("two calls for the mailbox of user %d", flight->user);
		}
	}
}

void __wrap_http_send(struct http *http, struct http_request *request, int64_t deadline_ms);

/* http is the process. */
void __wrap_http_send(struct http *http, struct http_request *request, int64_t deadline_ms)
{
	struct flight *flight = sim_alloc(sizeof *flight);
	const struct run *run = container_of(request, struct run, http);

	*flight = (struct flight){.process = (struct process *)(void *)http,
				  .request = request,
				  .fate = fate_choose(),
				  .is_open = true,
				  .life = ((struct process *)(void *)http)->life,
				  .is_token =
				      strncmp(request->url, GRAPH_LOGIN, strlen(GRAPH_LOGIN)) == 0,
				  .user = host_user(run->lane->user_text),
				  .mode = run->mode,
				  .epoch = run->epoch,
				  .url = sim_copy(request->url),
				  .text = sim_copy(request->body),
				  .retry_after_ms = -1,
				  .holders = 1};
	flights.is_loose[flight->user] |= run->mode == RUN_REPLAY;
	flights.is_ahead[flight->user] |= run->mode == RUN_SYNC && !flight->is_token;
	snprintf(flight->bearer, sizeof flight->bearer, "%s",
		 request->authorization != NULL ? request->authorization : "");
	if (request->body != NULL && !flight->is_token) {
		flight->batch = cJSON_Parse(request->body);
	}
	one_call_check(flight);
	zombie_check(flight);
	sim_trace("worker %d: %s for user %d, epoch %d, fate %d", flight->process->number,
		  flight->is_token	  ? "refreshes"
		  : flight->batch != NULL ? "sends a batch"
					  : "lists",
		  flight->user, (int)flight->epoch, flight->fate);
	flight_depart(flight);
	flight_later(flight, flight->process,
		     flight->fate == FATE_LATE || flight->fate == FATE_LOST
			 ? sim_between(100, deadline_ms)
			 : deadline_ms,
		     on_deadline, on_dropped);
	flight_release(flight);
}

void flight_begin(void)
{
	memset(&flights, 0, sizeof flights);
}

void flights_loosen(int user)
{
	flights.is_loose[user] = true;
}

void flights_synced(int user)
{
	flights.is_ahead[user] = false;
}

int flights_landing(int user)
{
	return flights.landing[user];
}
