/* host.c - the host's tables, its transactions, and the producer that publishes them in order. */
#include "tests/sim/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/jsonw.h"
#include "tests/sim/topic.h"
#include "tests/sim/sim.h"

#define HOST_RUNNING_MAX 16
#define HOST_CHANGES_MAX 3
#define HOST_FIRST_DAY	 20780
#define HOST_RECORD_MAX	 4096

/* One row of a transaction: from what to what. */
struct host_change {
	int index;
	struct host_assignment before;
	struct host_assignment after;
};

enum unit_kind { UNIT_ROWS, UNIT_FAN_OUT, UNIT_SNAPSHOT, UNIT_MEND };

/* What the producer publishes as a whole: a transaction, or rows that are told again. */
struct unit {
	enum unit_kind kind;
	uint32_t xid;
	uint64_t lsn;
	struct host_change changes[HOST_CHANGES_MAX];
	int change_count;
	int project;	/* FAN_OUT */
	int user;	/* MEND */
	struct uuid id; /* MEND */
	struct unit *next;
};

static struct {
	struct uuid users[HOST_USERS];
	char user_texts[HOST_USERS][UUID_TEXT_SIZE];
	struct host_assignment assignments[HOST_ASSIGNMENTS];
	struct host_project projects[HOST_PROJECTS];
	int serials;
	uint32_t next_xid;
	uint32_t running[HOST_RUNNING_MAX];
	int running_count;
	uint64_t lsn;
	struct unit *first;
	struct unit **last;
	bool is_publishing;
	bool tells_again;
	int mending;
} host;

static const char *const STATUSES[] = {"confirmed", "tentative", "pending", "cancelled"};

/* ---- tables ---- */

const char *host_user_text(int user)
{
	return host.user_texts[user];
}

int host_user(const char *text)
{
	for (int user = 0; user < HOST_USERS; user++) {
		if (strcmp(host.user_texts[user], text) == 0) {
			return user;
		}
	}
	return -1;
}

const struct host_assignment *host_assignment(int index)
{
	return &host.assignments[index];
}

void host_describe(const struct host_assignment *assignment, struct host_texts *texts,
		   struct assignment *out)
{
	const struct host_project *project = &host.projects[assignment->project];

	snprintf(texts->client, sizeof texts->client, "Client %d", assignment->project);
	snprintf(texts->notes, sizeof texts->notes, "v%d", assignment->serial);
	snprintf(texts->project_notes, sizeof texts->project_notes, "p%d", project->serial);
	*out = (struct assignment){.client_name = texts->client,
				   .status = assignment->status,
				   .notes = texts->notes,
				   .project_notes = texts->project_notes,
				   .start_day = CHANGE_NO_DAY,
				   .end_day = CHANGE_NO_DAY};
	if (project->has_days) {
		out->start_day = project->first_day;
		out->end_day = project->last_day;
	}
}

void host_snapshot(char *text, size_t size)
{
	uint32_t xmin = host.next_xid;
	struct buf running;

	buf_init(&running, 1024);
	for (int i = 0; i < host.running_count; i++) {
		xmin = host.running[i] < xmin ? host.running[i] : xmin;
		buf_format(&running, "%s%" PRIu32, i > 0 ? "," : "", host.running[i]);
	}
	snprintf(text, size, "%" PRIu32 ":%" PRIu32 ":%s", xmin, host.next_xid,
		 buf_string(&running));
	buf_close(&running);
}

static void running_remove(uint32_t xid)
{
	for (int i = 0; i < host.running_count; i++) {
		if (host.running[i] == xid) {
			host.running[i] = host.running[--host.running_count];
			return;
		}
	}
}

/* ---- records ---- */

static void write_row(struct buf *out, const struct host_assignment *row)
{
	char text[UUID_TEXT_SIZE];

	buf_char(out, '{');
	uuid_format(&row->id, text);
	jsonw_member_text(out, "id", text);
	jsonw_member_text(out, "user_id", host.user_texts[row->user]);
	jsonw_member_text(out, "booking_status", row->status);
	jsonw_key(out, "notes");
	buf_format(out, "\"v%d\"}", row->serial);
}

/* The project as it is when the record is published: a look-up may be newer than the stream. */
static void write_project(struct buf *out, const struct host_assignment *row)
{
	struct assignment described;
	struct host_texts texts;

	host_describe(row, &texts, &described);
	buf_char(out, '{');
	jsonw_member_text(out, "client_name", described.client_name);
	jsonw_member_text(out, "notes", described.project_notes);
	if (described.start_day != CHANGE_NO_DAY) {
		jsonw_member_number(out, "start_date", described.start_day);
		jsonw_member_number(out, "end_date", described.end_day);
	} else {
		jsonw_member_text(out, "start_date", NULL);
		jsonw_member_text(out, "end_date", NULL);
	}
	buf_char(out, '}');
}

static char *record_value(const char *op, const struct host_assignment *row)
{
	struct buf out;
	char *value;

	buf_init(&out, HOST_RECORD_MAX);
	buf_char(&out, '{');
	jsonw_member_text(&out, "op", op);
	jsonw_key(&out, strcmp(op, "d") == 0 ? "before" : "after");
	write_row(&out, row);
	if (strcmp(op, "d") == 0) {
		jsonw_member_text(&out, "after", NULL);
		jsonw_member_text(&out, "project", NULL);
	} else {
		jsonw_key(&out, "project");
		write_project(&out, row);
	}
	jsonw_key(&out, "source");
	buf_char(&out, '{');
	jsonw_member_number(&out, "ts_us", sim.now_ms * 1000);
	buf_text(&out, "}}");
	value = buf_steal(&out);
	return value != NULL ? value : sim_copy("");
}

/* The transaction that a record names: a tombstone's value can't, nor does that of a row told
 * again. */
static uint32_t unit_xid(const struct unit *unit, const char *op)
{
	return unit->kind == UNIT_ROWS && op != NULL ? unit->xid : 0;
}

/* op NULL: a tombstone. */
static void publish(const struct unit *unit, uint32_t ordinal, const char *op,
		    const struct host_assignment *row)
{
	struct pos pos = {.epoch = 1,
			  .commit_lsn = unit->lsn,
			  .ordinal = ordinal,
			  .has_id = unit->kind != UNIT_ROWS,
			  .id = row->id};
	struct topic_record record = {.user = row->user, .id = row->id, .xid = unit_xid(unit, op)};

	pos_format(&pos, record.pos);
	record.value = op != NULL ? record_value(op, row) : NULL;
	sim_trace("log: user %d %s %s v%d", row->user, op != NULL ? op : "tombstone",
		  record.pos + 18, row->serial);
	topic_append(false, &record);
	free(record.value);
}

static void publish_change(const struct unit *unit, const struct host_change *change,
			   uint32_t ordinal)
{
	const struct host_assignment *before = &change->before;
	const struct host_assignment *after = &change->after;
	bool moves = before->exists && after->exists && before->user != after->user;

	if (before->exists && (moves || !after->exists)) {
		publish(unit, ordinal, "d", before);
		publish(unit, ordinal + 1, NULL, before);
	}
	if (after->exists) {
		publish(unit, ordinal + 2, before->exists && !moves ? "u" : "c", after);
	}
}

static int compare_assignments(const void *a, const void *b)
{
	const struct host_assignment *const *x = a;
	const struct host_assignment *const *y = b;

	return uuid_compare(&(*x)->id, &(*y)->id);
}

/* project -1: of all. */
static void publish_again(const struct unit *unit, int project)
{
	const struct host_assignment *rows[HOST_ASSIGNMENTS];
	size_t count = 0;

	for (int i = 0; i < HOST_ASSIGNMENTS; i++) {
		const struct host_assignment *row = &host.assignments[i];

		if (row->exists && (project < 0 || row->project == project)) {
			rows[count++] = row;
		}
	}
	qsort(rows, count, sizeof(struct host_assignment *), compare_assignments);
	for (size_t i = 0; i < count; i++) {
		publish(unit, 0, "r", rows[i]);
	}
}

static void publish_mend(const struct unit *unit)
{
	struct host_assignment gone = {.id = unit->id, .user = unit->user, .status = ""};

	host.mending--;
	for (int i = 0; i < HOST_ASSIGNMENTS; i++) {
		const struct host_assignment *row = &host.assignments[i];

		if (row->exists && row->user == unit->user &&
		    uuid_compare(&row->id, &unit->id) == 0) {
			publish(unit, 0, "r", row);
			return;
		}
	}
	publish(unit, 0, "d", &gone);
}

static void publish_unit(const struct unit *unit)
{
	switch (unit->kind) {
	case UNIT_ROWS:
		for (int i = 0; i < unit->change_count; i++) {
			publish_change(unit, &unit->changes[i], (uint32_t)(3 * i));
		}
		break;
	case UNIT_FAN_OUT:
		publish_again(unit, unit->project);
		break;
	case UNIT_SNAPSHOT:
		publish_again(unit, -1);
		break;
	case UNIT_MEND:
		publish_mend(unit);
		break;
	}
}

/* ---- the producer: one unit after the other ---- */

static void on_publish(void *context);

static void publish_next(void)
{
	int64_t after_ms = sim_fault_chance(60) ? sim_between(5000, 40000) : sim_between(5, 1500);

	host.is_publishing = host.first != NULL;
	if (host.is_publishing) {
		sim_after_world(after_ms, on_publish, NULL);
	}
}

static void on_publish(void *context)
{
	struct unit *unit = host.first;

	(void)context;
	host.first = unit->next;
	if (host.first == NULL) {
		host.last = &host.first;
	}
	publish_unit(unit);
	free(unit);
	publish_next();
}

static void unit_add(struct unit *unit)
{
	if (unit->kind != UNIT_ROWS) {
		host.tells_again = true;
		unit->xid = host.next_xid++;
	}
	host.lsn += (uint64_t)sim_between(1, 5);
	unit->lsn = host.lsn;
	unit->next = NULL;
	*host.last = unit;
	host.last = &unit->next;
	if (!host.is_publishing) {
		publish_next();
	}
}

/* ---- transactions ---- */

static void on_commit(void *context)
{
	struct unit *unit = context;

	for (int i = 0; i < unit->change_count; i++) {
		struct host_change *change = &unit->changes[i];

		host.assignments[change->index] = change->after;
		sim_trace("host: commits %s v%d of user %d, %s",
			  change->after.exists ? "row" : "removal", change->after.serial,
			  change->after.user, change->after.status);
	}
	running_remove(unit->xid);
	unit_add(unit);
}

static void change_decide(struct host_change *change)
{
	struct host_assignment *after = &change->after;

	after->serial = ++host.serials;
	after->status = STATUSES[sim_below(sizeof STATUSES / sizeof *STATUSES)];
	if (!after->exists) {
		after->exists = true;
		after->id = sim_uuid();
		after->user = (int)sim_below(HOST_USERS);
		after->project = (int)sim_below(HOST_PROJECTS);
	} else if (sim_chance(200)) {
		after->exists = false;
	} else if (sim_chance(250)) {
		after->user = (int)sim_below(HOST_USERS);
	}
}

static void unit_add_change(struct unit *unit)
{
	int index = (int)sim_below(HOST_ASSIGNMENTS);
	struct host_assignment *row = &host.assignments[index];
	struct host_change *change = &unit->changes[unit->change_count];

	if (row->is_locked) {
		return;
	}
	change->index = index;
	change->before = *row;
	change->after = *row;
	change_decide(change);
	row->is_locked = true;
	unit->change_count++;
}

void host_changes(void)
{
	struct unit *unit;
	int64_t count = sim_chance(700) ? 1 : sim_between(2, HOST_CHANGES_MAX);

	if (host.running_count == HOST_RUNNING_MAX) {
		return;
	}
	unit = sim_alloc(sizeof *unit);
	unit->xid = host.next_xid++;
	host.running[host.running_count++] = unit->xid;
	while (count-- > 0) {
		unit_add_change(unit);
	}
	sim_after(sim_chance(800) ? sim_below(50) : sim_below(20000),
		  &(struct sim_call){.run = on_commit, .drop = free, .context = unit});
}

void host_edits_project(void)
{
	struct unit *unit = sim_alloc(sizeof *unit);
	struct host_project *project;

	unit->kind = UNIT_FAN_OUT;
	unit->project = (int)sim_below(HOST_PROJECTS);
	project = &host.projects[unit->project];
	project->serial = ++host.serials;
	project->has_days = sim_chance(900);
	project->first_day = HOST_FIRST_DAY + (int32_t)sim_below(100);
	project->last_day = project->first_day + (int32_t)sim_below(10);
	sim_trace("host: edits project %d to p%d", unit->project, project->serial);
	unit_add(unit);
}

void host_resnapshots(void)
{
	struct unit *unit = sim_alloc(sizeof *unit);

	unit->kind = UNIT_SNAPSHOT;
	unit_add(unit);
}

void host_lands_late(void)
{
	struct topic_partition *partition =
	    topic_partition(false, (int)sim_below(topic_partition_count()));
	struct topic_record late;
	struct unit *unit;
	size_t back;

	if (partition->count == 0) {
		return;
	}
	back = (size_t)sim_between(1, partition->count < 8 ? (int64_t)partition->count : 8);
	late = partition->records[partition->count - back];
	sim_trace("log: user %d %s lands late once more", late.user, late.pos + 18);
	late.value = sim_copy(late.value);
	topic_append(false, &late);
	free(late.value);
	unit = sim_alloc(sizeof *unit);
	unit->kind = UNIT_MEND;
	unit->user = late.user;
	unit->id = late.id;
	host.mending++;
	unit_add(unit);
}

void host_request_inserted(int user)
{
	topic_append(true, &(struct topic_record){.user = user});
}

bool host_is_mending(void)
{
	return host.mending > 0;
}

bool host_is_published(void)
{
	return !host.is_publishing;
}

bool host_is_quiet(void)
{
	return host.running_count == 0 && !host.is_publishing;
}

bool host_tells_again(void)
{
	return host.tells_again;
}

/* ---- start and end ---- */

void host_begin(void)
{
	memset(&host, 0, sizeof host);
	host.last = &host.first;
	host.next_xid = 1000;
	host.lsn = 4096;
	for (int i = 0; i < HOST_USERS; i++) {
		host.users[i] = sim_uuid();
		uuid_format(&host.users[i], host.user_texts[i]);
	}
	for (int i = 0; i < HOST_PROJECTS; i++) {
		host.projects[i] = (struct host_project){.serial = ++host.serials,
							 .has_days = true,
							 .first_day = HOST_FIRST_DAY + i,
							 .last_day = HOST_FIRST_DAY + i + 3};
	}
	for (int i = 0; i < HOST_ASSIGNMENTS; i++) {
		host.assignments[i].status = STATUSES[0];
	}
}

void host_end(void)
{
	while (host.first != NULL) {
		struct unit *unit = host.first;

		host.first = unit->next;
		free(unit);
	}
}
