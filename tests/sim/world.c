/* world.c - draws what happens from the seed, lets it happen, waits for calm, and looks. */
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/db.h"
#include "tests/sim/flight.h"
#include "tests/sim/graph.h"
#include "tests/sim/group.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/topic.h"
#include "tests/sim/truth.h"

#define WORLD_POLL_MS 1000
#define WORLD_HOT     4
#define WORLD_HEAT_MS 5000

/* What an operator does with everything stopped. */
enum operation { OPERATION_NONE, OPERATION_RESET, OPERATION_MAKE_ANEW, OPERATION_START };

static struct {
	int workers;
	enum operation operation;
	bool person_meddled[HOST_USERS];
	bool was_connected[HOST_USERS];
	int64_t calm_since_ms;
	bool is_over;
	int64_t hot_ms[WORLD_HOT]; /* when much happens at once */
} world;

static int some_user(void)
{
	return (int)sim_below(HOST_USERS);
}

static struct process *some_worker(void)
{
	return &processes[sim_below(world.workers)];
}

/* ---- workers ---- */

static void on_start(void *context)
{
	struct process *process = context;

	if (world.operation == OPERATION_NONE && !process->is_up) {
		process_start(process);
	}
}

static void on_crash(void *context)
{
	struct process *process = some_worker();

	(void)context;
	process_crash(process);
	sim_after_world(sim_between(1000, 60000), on_start, process);
}

static void on_stop(void *context)
{
	struct process *process = some_worker();

	(void)context;
	process_stop(process);
	sim_after_world(sim_between(15000, 60000), on_start, process);
}

static void on_freeze(void *context)
{
	static const int64_t LONGEST_MS[] = {9000, 40000, 120000, 400000};

	(void)context;
	process_freeze(some_worker(), sim_between(2000, LONGEST_MS[sim_below(4)]));
}

/* ---- the operator ---- */

static bool everybody_is_down(void)
{
	for (int i = 0; i < PROCESS_MAX; i++) {
		if (processes[i].is_up) {
			return false;
		}
	}
	return group_is_empty();
}

static void start_all(void)
{
	for (int i = 0; i < world.workers; i++) {
		sim_after_world(sim_below(3000), on_start, &processes[i]);
	}
}

/* A replay from the start repairs what people have done, and no sync has to. */
static void reset_offsets(void)
{
	topic_reset_offsets();
	for (int user = 0; user < HOST_USERS; user++) {
		int partition = topic_partition_of(user);

		if (topic_partition(false, partition)->committed == 0 &&
		    db_part(false, partition)->committed > 0) {
			world.person_meddled[user] = false;
		}
	}
}

/* What a topic takes with it before anybody has read it, nobody can know. */
static void make_anew_if_read(void)
{
	world.operation = OPERATION_NONE;
	if (topic_is_committed() && host_is_published()) {
		topic_make_anew();
		host_resnapshots();
		world.operation = OPERATION_START;
	}
}

static void on_operator(void *context)
{
	(void)context;
	for (int i = 0; i < PROCESS_MAX; i++) {
		process_stop(&processes[i]);
	}
	if (everybody_is_down()) {
		if (world.operation == OPERATION_RESET) {
			reset_offsets();
			world.operation = OPERATION_NONE;
		} else if (world.operation == OPERATION_MAKE_ANEW) {
			make_anew_if_read();
		} else if (host_is_published()) {
			world.operation = OPERATION_NONE;
		}
	}
	if (world.operation == OPERATION_NONE) {
		start_all();
	} else {
		sim_after_world(WORLD_POLL_MS, on_operator, NULL);
	}
}

static void begin_operation(enum operation operation)
{
	if (world.operation == OPERATION_NONE && !sim.is_calm) {
		world.operation = operation;
		on_operator(NULL);
	}
}

static void on_make_anew(void *context)
{
	(void)context;
	begin_operation(OPERATION_MAKE_ANEW);
}

/* ---- people ---- */

/* A connection that is gone has taken the mapping with it, and so what is known of requests that
 * may still land. */
static void user_connects(int user)
{
	if (db_connection(user)->exists || flights_landing(user) == 0) {
		db_connects(user);
		world.was_connected[user] = true;
	}
}

static void on_connect(void *context)
{
	(void)context;
	user_connects(some_user());
}

static void on_disconnect(void *context)
{
	(void)context;
	db_disconnects(some_user(), sim_chance(700));
}

static void on_sync_now(void *context)
{
	int user = some_user();

	(void)context;
	if (db_connection(user)->exists) {
		db_file(user, 0);
	}
}

static void on_person_edits(void *context)
{
	int user = some_user();

	(void)context;
	world.person_meddled[user] = true;
	graph_person_edits(user);
}

static void on_person_categorises(void *context)
{
	int user = some_user();

	(void)context;
	world.person_meddled[user] = true;
	graph_person_categorises(user);
}

static void on_person_deletes(void *context)
{
	int user = some_user();

	(void)context;
	world.person_meddled[user] = true;
	graph_person_deletes(user);
}

/* Replays are there for what has drifted. */
static void on_reset(void *context)
{
	for (int64_t left = sim_between(0, 3); left > 0; left--) {
		(sim_chance(500) ? on_person_edits : on_person_deletes)(context);
	}
	begin_operation(OPERATION_RESET);
}

static void on_person_adds(void *context)
{
	(void)context;
	graph_person_adds(some_user());
}

static void on_person_revokes(void *context)
{
	(void)context;
	graph_person_revokes(some_user());
}

/* ---- the host ---- */

static void on_host_changes(void *context)
{
	(void)context;
	host_changes();
}

static void on_project_edit(void *context)
{
	(void)context;
	host_edits_project();
}

static void on_late_record(void *context)
{
	(void)context;
	host_lands_late();
}

static void on_compaction(void *context)
{
	(void)context;
	topic_compact();
}

/* ---- the plan: each kind of thing happens in some seeds only ---- */

static const struct {
	void (*happens)(void *context);
	int per_mille; /* of the seeds */
	int least;
	int most;
} PLAN[] = {
    {on_host_changes, 1000, 30, 60}, {on_project_edit, 400, 1, 4},
    {on_late_record, 250, 1, 3},     {on_compaction, 400, 1, 3},
    {on_connect, 300, 1, 3},	     {on_disconnect, 150, 1, 2},
    {on_sync_now, 600, 1, 5},	     {on_person_edits, 300, 1, 3},
    {on_person_deletes, 300, 1, 3},  {on_person_adds, 500, 1, 2},
    {on_person_revokes, 150, 1, 1},  {on_crash, 500, 1, 3},
    {on_freeze, 500, 1, 3},	     {on_stop, 400, 1, 3},
    {on_reset, 250, 1, 1},	     {on_person_categorises, 500, 2, 8},
};

static int64_t some_time_ms(void)
{
	if (sim_chance(400)) {
		return sim_below(SIM_FAULTS_MS);
	}
	return world.hot_ms[sim_below(WORLD_HOT)] + sim_below(WORLD_HEAT_MS);
}

static void world_plan(void)
{
	/* what is broken shows sooner where everything happens, or where little else does */
	bool is_wild = sim.broken != SIM_WHOLE && sim.seed % 2 == 0;

	for (int i = 0; i < WORLD_HOT; i++) {
		world.hot_ms[i] = sim_below(SIM_FAULTS_MS - WORLD_HEAT_MS);
	}
	for (size_t i = 0; i < sizeof PLAN / sizeof *PLAN; i++) {
		if (!sim_chance(is_wild ? 1000 : PLAN[i].per_mille)) {
			continue;
		}
		for (int64_t left = sim_between(PLAN[i].least, PLAN[i].most); left > 0; left--) {
			sim_after_world(some_time_ms(), PLAN[i].happens, NULL);
		}
	}
}

/* ---- calm ---- */

/* Only a sync sees what a person has done; whoever lost the connection makes a new one. */
static void calm_people(void)
{
	for (int user = 0; user < HOST_USERS; user++) {
		const struct db_connection *connection = db_connection(user);
		bool is_active = connection->exists && connection->status == CONNECTION_ACTIVE;

		if (world.was_connected[user] && !is_active) {
			user_connects(user);
		} else if (is_active && world.person_meddled[user]) {
			db_file(user, 0);
		}
	}
}

static bool world_is_quiet(char *why, size_t size)
{
	snprintf(why, size, "the group is not calm");
	if (world.operation != OPERATION_NONE || group_is_preparing()) {
		return false;
	}
	for (int i = 0; i < world.workers; i++) {
		if (!process_is_idle(&processes[i])) {
			snprintf(why, size, "worker %d is at work", i);
			return false;
		}
	}
	for (int user = 0; user < HOST_USERS; user++) {
		if (flights_landing(user) > 0) {
			snprintf(why, size, "a request for user %d may still land", user);
			return false;
		}
	}
	if (!host_is_quiet()) {
		snprintf(why, size, "the host is not quiet");
		return false;
	}
	if (!topic_is_committed()) {
		snprintf(why, size, "not every record is committed");
		return false;
	}
	return db_is_quiet(why, size);
}

static void on_look(void *context)
{
	char why[128];

	(void)context;
	for (int i = 0; i < world.workers; i++) {
		on_start(&processes[i]);
	}
	for (int user = 0; user < HOST_USERS; user++) {
		/* a revocation may show only now */
		if (world.was_connected[user] &&
		    (!db_connection(user)->exists ||
		     db_connection(user)->status == CONNECTION_NEEDS_RECONNECT)) {
			user_connects(user);
		}
	}
	if (world_is_quiet(why, sizeof why)) {
		sim_trace("everything is quiet");
		truth_check();
		world.is_over = true;
	} else if (sim.now_ms - world.calm_since_ms > SIM_BOUND_MS) {
		sim_fail("after %d s of calm, %s", SIM_BOUND_MS / 1000, why);
	}
	sim_after_world(WORLD_POLL_MS, on_look, NULL);
}

static void on_calm(void *context)
{
	(void)context;
	sim_trace("from here on nothing fails");
	sim.is_calm = true;
	world.calm_since_ms = sim.now_ms;
	calm_people();
	sim_after_world(WORLD_POLL_MS, on_look, NULL);
}

/* ---- one life ---- */

static void world_begin(void)
{
	world.workers = (int)sim_between(1, PROCESS_MAX);
	topic_begin();
	host_begin();
	db_begin();
	graph_begin();
	flight_begin();
	processes_begin();
	group_begin();
	for (int i = 0; i < 6; i++) {
		host_changes();
	}
	for (int user = 0; user < HOST_USERS; user++) {
		if (sim_chance(900)) {
			db_connects(user);
			world.was_connected[user] = true;
		}
	}
	start_all();
	world_plan();
	if (sim_chance(100)) {
		sim_after_world(sim_between(60000, SIM_FAULTS_MS), on_make_anew, NULL);
	}
	sim_after_world(SIM_FAULTS_MS, on_calm, NULL);
}

bool world_run(uint64_t seed, enum sim_break broken)
{
	sim_begin(seed, broken);
	memset(&world, 0, sizeof world);
	world_begin();
	while (!world.is_over && sim_step()) {
	}
	sim_end();
	processes_end();
	group_begin();
	graph_end();
	db_end();
	host_end();
	topic_end();
	return !sim_has_failed();
}
