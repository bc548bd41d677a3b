/* group.c - the simulated coordinator: members, generations, sessions that expire, the range
 * assignor. */
#include "tests/sim/group.h"

#include <stdint.h>
#include <string.h>

#include "tests/sim/consumer.h"
#include "tests/sim/topic.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"

#define GROUP_SESSION_MS   45000
#define GROUP_REBALANCE_MS 60000
#define GROUP_HEARTBEAT_MS 1000
#define GROUP_TICK_MS	   500

/* A member whose process is gone stays one until its session expires. */
static struct {
	bool is_preparing;
	int generation;
	int64_t prepare_until_ms;
	int64_t ghost_until_ms;
	int owners[TOPIC_PARTITIONS_MAX]; /* process numbers; -1: nobody */
} group;

static void process_hears(void *context)
{
	consumer_hears(context);
}

/* A member notices at its next heartbeat. */
static void tell(struct process *process)
{
	process_after(process, sim_below(GROUP_HEARTBEAT_MS), process_hears, process);
}

static void prepare(const char *why)
{
	if (!group.is_preparing) {
		sim_trace("group: rebalances, because %s", why);
		group.is_preparing = true;
	}
	group.prepare_until_ms = sim.now_ms + GROUP_REBALANCE_MS;
	for (int i = 0; i < PROCESS_MAX; i++) {
		if (processes[i].is_member && processes[i].is_up) {
			tell(&processes[i]);
		}
	}
}

static void expel(struct process *process, const char *why)
{
	sim_trace("group: expels worker %d, %s", process->number, why);
	process->is_member = false;
	process->lost_ms = sim.now_ms;
	if (process->is_up) {
		tell(process);
	}
	prepare(why);
}

/* ---- the end of a rebalance ---- */

static bool everybody_has_joined(void)
{
	if (group.ghost_until_ms > sim.now_ms) {
		return false;
	}
	for (int i = 0; i < PROCESS_MAX; i++) {
		if (processes[i].is_member && !processes[i].has_joined) {
			return false;
		}
	}
	return true;
}

static void distribute(struct process **members, int count)
{
	int partitions = topic_partition_count();

	for (int i = 0; i < partitions; i++) {
		group.owners[i] = -1;
	}
	for (int i = 0, at = 0; i < count; i++) {
		int share = partitions / count + (i < partitions % count);

		while (share-- > 0) {
			group.owners[at++] = members[i]->number;
		}
	}
}

static void complete(void)
{
	struct process *members[PROCESS_MAX];
	int first = (int)sim_below(PROCESS_MAX); /* member ids are random: so is their order */
	int count = 0;

	group.is_preparing = false;
	group.generation++;
	for (int i = 0; i < PROCESS_MAX; i++) {
		struct process *process = &processes[(first + i) % PROCESS_MAX];

		if (process->is_member) {
			process->generation = group.generation;
			process->has_joined = false;
			process->was_told = false;
			process->was_assigned = false;
			members[count++] = process;
			tell(process);
		}
	}
	distribute(members, count);
	sim_trace("group: generation %d of %d members", group.generation, count);
}

static void group_tick(void *context)
{
	(void)context;
	for (int i = 0; i < PROCESS_MAX && group.is_preparing; i++) {
		struct process *process = &processes[i];

		if (sim.now_ms > group.prepare_until_ms && process->is_member &&
		    !process->has_joined) {
			expel(process, "a member does not join");
		}
	}
	if (group.is_preparing && everybody_has_joined()) {
		complete();
	}
	sim_after_world(GROUP_TICK_MS, group_tick, NULL);
}

/* ---- what members do ---- */

void group_join(struct process *process)
{
	process->is_member = true;
	process->has_joined = true;
	process->was_told = true;
	process->was_assigned = true;
	process->generation = -1;
	prepare("somebody joins");
}

void group_leave(struct process *process)
{
	process->is_member = false;
	prepare("somebody leaves");
}

static void on_ghost_expired(void *context)
{
	(void)context;
	prepare("a session has expired");
}

/* One freeze may follow another: only a session that nobody kept alive expires. */
static void on_silent(void *context)
{
	struct process *process = context;

	if (process->is_member && process->frozen_until_ms > sim.now_ms &&
	    sim.now_ms - process->frozen_since_ms >= GROUP_SESSION_MS) {
		expel(process, "its session has expired");
	}
}

void group_frozen(struct process *process)
{
	sim_after_world(GROUP_SESSION_MS, on_silent, process);
}

void group_crashed(struct process *process)
{
	if (process->is_member) {
		process->is_member = false;
		group.ghost_until_ms = sim.now_ms + GROUP_SESSION_MS;
		sim_after_world(GROUP_SESSION_MS, on_ghost_expired, NULL);
	}
}

void group_gave_back(struct process *process)
{
	process->has_joined = true;
}

/* ---- questions ---- */

bool group_is_preparing(void)
{
	return group.is_preparing;
}

bool group_is_empty(void)
{
	if (group.ghost_until_ms > sim.now_ms) {
		return false;
	}
	for (int i = 0; i < PROCESS_MAX; i++) {
		if (processes[i].is_member) {
			return false;
		}
	}
	return true;
}

bool group_owns(const struct process *process, int partition)
{
	return process->is_member && process->generation == group.generation &&
	       group.owners[partition] == process->number;
}

bool group_takes(const struct process *process)
{
	return process->is_member && process->generation == group.generation;
}

void group_begin(void)
{
	memset(&group, 0, sizeof group);
	for (int i = 0; i < TOPIC_PARTITIONS_MAX; i++) {
		group.owners[i] = -1;
	}
	sim_after_world(GROUP_TICK_MS, group_tick, NULL);
}
