/* verify.c - users in, findings out; a run does the comparing. */
#include "worker/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/program.h"
#include "worker/worker.h"

#define VERIFY_IN_FLIGHT 16 /* mailboxes at once: the workers have theirs to do */

static const char USERS_SQL[] =
    "SELECT user_id FROM public.calendar_connections"
    " WHERE provider = 'microsoft' AND user_id = coalesce($1::uuid, user_id) ORDER BY user_id";

/* ---- findings ---- */

/* How the mailbox differs from the plan; NULL where it doesn't. */
static const char *task_finding(const struct task *task)
{
	if (task->is_stray) {
		return "orphan";
	}
	if (task->stage != TASK_PLANNED) {
		return NULL;
	}
	switch (task->op->request) {
	case OP_CREATE:
		return "missing";
	case OP_UPDATE:
		return "differs";
	default:
		return "unwanted";
	}
}

/* Something of it is being changed right now, or was and may still land. */
static bool row_is_under_way(const struct row *row)
{
	return row != NULL && (row->is.pending_pos != NULL || row->is.is_dirty);
}

enum run_step verify_compared(struct run *run)
{
	struct verify *verify = run->worker->verify;
	int64_t found = 0;

	for (size_t i = 0; i < run->task_count; i++) {
		struct task *task = &run->tasks[i];
		const struct row *row = run_row(run, &task->assignment);
		const char *finding;
		char id[UUID_TEXT_SIZE];

		task_prepare(task, row); /* says which operation it would be */
		finding = task_finding(task);
		if (finding != NULL) {
			uuid_format(&task->assignment, id);
			printf("%s\t%s\t%s%s\n", run->lane->user_text, id, finding,
			       row_is_under_way(row) ? "\tunder way" : "");
			found++;
		}
	}
	verify->findings += found;
	verify->right += found == 0;
	verify->drifted += found > 0;
	return RUN_END;
}

enum run_step verify_gives_up(struct run *run, const char *why)
{
	printf("%s\t-\tnot compared\t%s\n", run->lane->user_text, why);
	run->worker->verify->unknown++;
	return RUN_END;
}

/* ---- users ---- */

static void on_users(struct pg_request *request)
{
	struct verify *verify = container_of(request, struct verify, users);
	struct worker *worker = verify->worker;
	int count;

	if (request->fault.kind != FAULT_NONE) {
		fprintf(stderr, "calrelay-worker: PostgreSQL: %s\n", request->fault.what);
		verify->failed = true;
		verify_is_over(verify);
		return;
	}
	count = PQntuples(request->result);
	for (int i = 0; i < count; i++) {
		struct uuid user;
		struct lane *lane = uuid_parse(pg_text(request->result, i, 0), &user)
					? lanes_get(&worker->lanes, &user, &verify->part)
					: NULL;

		if (lane != NULL) {
			lane->wants_sync = true;
			lanes_make_ready(&worker->lanes, lane);
		} else {
			verify->unknown++;
		}
	}
	if (count == 0 && verify->user != NULL) {
		fprintf(stderr, "calrelay-worker: no calendar is connected for that user\n");
		verify->failed = true;
	}
	worker_dispatch(worker);
}

void verify_is_over(struct verify *verify)
{
	loop_stop(&verify->worker->loop);
}

/* ---- the command ---- */

static bool read_arguments(struct verify *verify, int argc, char **argv)
{
	struct uuid user;

	if (argc == 0) {
		return true;
	}
	if (argc != 2 || strcmp(argv[0], "--user") != 0 || !uuid_parse(argv[1], &user)) {
		return false;
	}
	verify->user = argv[1];
	return true;
}

int verify_run(struct worker *worker, int argc, char **argv)
{
	static struct verify verify; /* the runs point to it */

	verify = (struct verify){.worker = worker,
				 .part = {.intake = &worker->intake,
					  .topic = "",
					  .state = PART_READING,
					  .epoch = 1,
					  .replay_to = -1,
					  .committed = -1}};

	if (!read_arguments(&verify, argc, argv)) {
		fputs("usage: calrelay-worker verify [--user ID]\n", stderr);
		return PROGRAM_EXIT_USAGE;
	}
	worker->verify = &verify;
	worker->config.max_in_flight = VERIFY_IN_FLIGHT;
	worker->intake = (struct intake){.worker = worker, .state = INTAKE_RUNNING};
	verify.users.sql = USERS_SQL;
	verify.users.params[0] = verify.user;
	verify.users.param_count = 1;
	verify.users.done = on_users;
	pg_send(worker->pg, &verify.users);
	loop_run(&worker->loop);
	worker->verify = NULL;
	if (!verify.failed) {
		printf("calendars: %" PRId64 " as planned, %" PRId64 " not (%" PRId64
		       " events), %" PRId64 " not compared\n",
		       verify.right, verify.drifted, verify.findings, verify.unknown);
	}
	return verify.failed || verify.drifted + verify.unknown > 0 ? 1 : 0;
}
