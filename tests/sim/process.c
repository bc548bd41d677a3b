/* process.c - the lives of worker processes, and the rest of what the worker's code links to. */
#include "tests/sim/process.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/sim/consumer.h"
#include "tests/sim/graph.h"
#include "tests/sim/group.h"
#include "tests/sim/sim.h"
#include "worker/run.h"

#define KEYS "sim:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

struct process processes[PROCESS_MAX];

static struct seal_keys *keys;
static struct hostmap map;
static bool respects_deletion;

struct process *process_of(struct worker *worker)
{
	return container_of(worker, struct process, worker);
}

const struct seal_keys *process_keys(void)
{
	return keys;
}

void process_after(struct process *process, int64_t after_ms, void (*run)(void *context),
		   void *context)
{
	sim_after(after_ms, &(struct sim_call){.process = process, .run = run, .context = context});
}

/* ---- a life ---- */

void process_start(struct process *process)
{
	static char group[] = "calrelay";
	static char zone[] = "UTC";
	static char graph_url[] = GRAPH_URL;
	static char login_url[] = GRAPH_LOGIN;
	static char property[] = GRAPH_PROPERTY;
	static char client[] = "client";
	struct worker *worker = &process->worker;

	sim_trace("worker %d: starts", process->number);
	process->life++;
	process->is_up = true;
	process->frozen_until_ms = 0;
	process->is_lingering = false;
	memset(worker, 0, sizeof *worker);
	worker->config = (struct worker_config){.group = group,
						.time_zone = zone,
						.client_id = client,
						.client_secret = client,
						.redirect_uri = client,
						.tenant = client,
						.login_url = login_url,
						.graph_url = graph_url,
						.extended_property = property,
						.max_in_flight = sim_between(1, 4),
						.quarantine_s = SIM_QUARANTINE_S};
	worker->oauth = (struct oauth_client){
	    .login_url = login_url, .tenant = client, .client_id = client, .redirect_uri = client};
	worker->auth.settings.secret = client;
	worker->keys = keys;
	worker->map = map;
	worker->respects_deletion = respects_deletion;
	worker->http = (struct http *)(void *)process;
	stats_init(&worker->stats);
	lanes_init(&worker->lanes);
	consumer_start(process);
}

/* Every run frees itself once its partition is gone; then nothing is left. */
static void process_end(struct process *process)
{
	struct worker *worker = &process->worker;

	process->is_up = false;
	process->life++;
	consumer_drop(process);
	while (worker->alive != NULL) {
		run_resume(worker->alive);
	}
	lanes_drop(&worker->lanes, NULL);
	json_arena_close(&worker->json);
	stats_close(&worker->stats);
	if (worker->in_flight != 0) {
		sim_fail("worker %d ends with %d runs", process->number, (int)worker->in_flight);
	}
}

void process_gone(void *context)
{
	process_end(context);
}

void process_crash(struct process *process)
{
	if (process->is_up) {
		sim_trace("worker %d: CRASHES", process->number);
		group_crashed(process);
		process_end(process);
	}
}

void process_stop(struct process *process)
{
	if (process->is_up && !process->worker.is_stopping &&
	    process->frozen_until_ms <= sim.now_ms) {
		consumer_stop(process);
	}
}

void process_freeze(struct process *process, int64_t for_ms)
{
	if (process->is_up && process->frozen_until_ms <= sim.now_ms) {
		sim_trace("worker %d: FREEZES for %.1f s", process->number,
			  (double)for_ms / 1000.0);
		process->frozen_since_ms = sim.now_ms;
		process->frozen_until_ms = sim.now_ms + for_ms;
		group_frozen(process);
	}
}

bool process_is_idle(const struct process *process)
{
	const struct worker *worker = &process->worker;

	return process->is_up && worker->alive == NULL && worker->lanes.by_user == NULL &&
	       worker->intake.state == INTAKE_RUNNING && !worker->intake.is_busy;
}

void processes_begin(void)
{
	struct fault fault;

	keys = seal_keys_new(KEYS, &fault);
	if (keys == NULL || !hostmap_load(&map, NULL, &fault)) {
		sim_fail("%s", fault.what);
	}
	respects_deletion = false;
	memset(processes, 0, sizeof processes);
	for (int i = 0; i < PROCESS_MAX; i++) {
		processes[i].number = i;
	}
}

void processes_end(void)
{
	for (int i = 0; i < PROCESS_MAX; i++) {
		if (processes[i].is_up) {
			process_end(&processes[i]);
		}
	}
	seal_keys_free(keys);
}

/* ---- common/loop.h, common/clock.h, common/uuid.h ---- */

static void on_deferred(void *context)
{
	struct loop_call *call = context;

	call->fn(call);
}

void __wrap_loop_defer(struct loop *loop, struct loop_call *call,
		       void (*fn)(struct loop_call *call));
int64_t __wrap_clock_wall_us(void);
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_boot_ms(void);
struct uuid __wrap_uuid_random(void);

void __wrap_loop_defer(struct loop *loop, struct loop_call *call,
		       void (*fn)(struct loop_call *call))
{
	call->fn = fn;
	process_after(process_of(container_of(loop, struct worker, loop)), 0, on_deferred, call);
}

int64_t __wrap_clock_wall_us(void)
{
	return sim.now_ms * 1000;
}

int64_t __wrap_clock_wall_ms(void)
{
	return sim.now_ms;
}

int64_t __wrap_clock_mono_ms(void)
{
	return sim.now_ms;
}

int64_t __wrap_clock_boot_ms(void)
{
	return sim.now_ms;
}

struct uuid __wrap_uuid_random(void)
{
	return sim_uuid();
}

/* ---- worker/bury.h ---- */

/* Nothing that happens here is for ever: a record that counts as dead is lost. */
void bury_send(struct bury *bury, const struct dead_letter *letter)
{
	(void)bury;
	sim_fail("a record is buried: %s", letter->reason);
}
