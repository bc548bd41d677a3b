/* check.c - --check: proves database, role, slot, publications and topics.
 *
 * database ─▶ replication connection ─▶ slot ─▶ topics, each whether or not the one before was
 * well; but the slot only where all was. */
#include "producer/check.h"

#include <string.h>

#include "common/finding.h"
#include "common/loop.h"
#include "common/pg.h"
#include "producer/pooler.h"
#include "producer/preflight.h"
#include "producer/session.h"
#include "producer/slot.h"
#include "producer/topic.h"
#include "producer/topics.h"

struct check {
	const struct settings *settings;
	struct loop loop;
	struct pg *pg;
	struct preflight preflight;
	struct session *session;
	struct session_step step;
	struct slot_system system;
	struct pg_request view;
	struct topics_job topics;
	struct findings findings;
};

static void on_topics(struct topics_job *job)
{
	struct check *check = container_of(job, struct check, topics);
	char name[TOPIC_NAME_SIZE];

	for (int i = 0; i < job->finding_count; i++) {
		finding_say(&check->findings, false, "%s", job->findings[i]);
	}
	if (job->finding_count == 0 && job->fault.kind != FAULT_NONE) {
		finding_say(&check->findings, false,
			    "%s (KAFKA_BOOTSTRAP_SERVERS, KAFKA_CONFIG_FILE)", job->fault.what);
	}
	for (int i = 0; job->fault.kind == FAULT_NONE && i < TAILS_TOPICS; i++) {
		topic_name(job->settings, (enum tails_topic)i, name);
		finding_say(&check->findings, true, "topic %s %s", name,
			    job->missing[i] ? "does not exist: it is created at the start"
					    : "is compacted and has the right partitions");
	}
	loop_stop(&check->loop);
}

static void check_topics(struct check *check)
{
	check->topics.settings = check->settings;
	check->topics.done = on_topics;
	topics_start(&check->loop, &check->topics);
}

static void say_slot(struct check *check, const struct slot_view *view)
{
	const char *name = check->settings->slot;
	struct fault fault = {0};

	switch (slot_decide(view, &check->system, name, &fault)) {
	case SLOT_STOP:
		finding_say(&check->findings, false, "%s", fault.what);
		break;
	case SLOT_USE:
		finding_say(&check->findings, true, "slot %s is there", name);
		break;
	case SLOT_CREATE:
		finding_say(&check->findings, true,
			    "slot %s does not exist: it is created at the start", name);
		break;
	}
}

static void on_view(struct pg_request *request)
{
	struct check *check = container_of(request, struct check, view);
	struct fault fault = request->fault;
	struct slot_view view;

	if (fault.kind != FAULT_NONE || !slot_read_view(request->result, &view, &fault)) {
		finding_say(&check->findings, false, "%s", fault.what);
	} else {
		say_slot(check, &view);
	}
	check_topics(check);
}

static void check_slot(struct check *check)
{
	const struct settings *settings = check->settings;

	check->view = (struct pg_request){
	    .sql = SLOT_VIEW_SQL,
	    .params = {settings->slot, settings->map.schema, settings->map.assignments.table},
	    .param_count = 3,
	    .done = on_view};
	pg_send(check->pg, &check->view);
}

static void on_identified(struct session_step *step)
{
	struct check *check = container_of(step, struct check, step);

	if (step->fault.kind != FAULT_NONE ||
	    !slot_read_system(step->result, &check->system, &step->fault)) {
		finding_say(&check->findings, false, "%s", step->fault.what);
		check_topics(check);
		return;
	}
	finding_say(&check->findings, true, "the replication connection works");
	if (check->findings.bad > 0) {
		check_topics(check); /* what the slot is asked with may be missing */
	} else {
		check_slot(check);
	}
}

/* A failure that says by itself what to do, or else where to look. */
static void say_failure(struct check *check, const struct fault *fault, const char *where)
{

	if (fault->kind == FAULT_FATAL) {
		finding_say(&check->findings, false, "%s", fault->what);
		return;
	}
	finding_say(&check->findings, false, "%s (%s)", fault->what,
		    pooler_guess(check->settings->database_url) == POOLER_LIKELY ? POOLER_FINDING
										 : where);
}

static void on_connected(struct session_step *step)
{
	struct check *check = container_of(step, struct check, step);

	if (step->fault.kind == FAULT_NONE) {
		step->done = on_identified;
		session_command(check->session, step, "IDENTIFY_SYSTEM");
		return;
	}
	say_failure(check, &step->fault,
		    "for replication: the role needs REPLICATION, pg_hba.conf must let it in, and "
		    "DATABASE_URL must lead to the server itself, not to a pooler, such as "
		    "Supabase's port 6543");
	check_topics(check);
}

static void check_replication(struct check *check)
{
	check->session = session_new(&check->loop, check->settings->database_url, true);
	check->step.done = on_connected;
	session_connect(check->session, &check->step);
}

static void on_preflight(struct pg_request *request)
{
	struct preflight *preflight = container_of(request, struct preflight, request);
	struct check *check = container_of(preflight, struct check, preflight);

	if (request->fault.kind != FAULT_NONE) {
		say_failure(check, &request->fault, "DATABASE_URL");
		check_topics(check);
		return;
	}
	for (int i = 0; i < PQntuples(request->result); i++) {
		finding_say(&check->findings, false, "%s", pg_text(request->result, i, 0));
	}
	if (PQntuples(request->result) == 0) {
		finding_say(&check->findings, true,
			    "the database is fit: log level, role, tables, policies, replica "
			    "identities, publications");
	}
	check_replication(check);
}

int check_run(const struct settings *settings)
{
	static struct check check; /* large */

	check = (struct check){.settings = settings};
	loop_init(&check.loop);
	check.pg = pg_new(&check.loop, settings->database_url, "calrelay-producer", 1);
	preflight_send(&check.preflight, check.pg, settings, on_preflight);
	loop_run(&check.loop);
	pg_free(check.pg);
	session_free(check.session);
	loop_close(&check.loop);
	return check.findings.bad == 0 ? 0 : 1;
}
