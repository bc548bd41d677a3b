/* relation.c - which table and which columns the stream's rows belong to. */
#define HASH_NONFATAL_OOM 1 /* without memory, uthash adds nothing instead of exiting */
#include "producer/relation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonw.h"

static enum relation_role role_of(const struct hostmap *map, const char *schema, const char *table)
{
	if (strcmp(schema, "public") == 0 && strcmp(table, RELATION_REQUESTS) == 0) {
		return RELATION_REQUESTS_TABLE;
	}
	if (strcmp(schema, map->schema) != 0) {
		return RELATION_OTHER;
	}
	if (strcmp(table, map->assignments.table) == 0) {
		return RELATION_ASSIGNMENTS;
	}
	return strcmp(table, map->projects.table) == 0 ? RELATION_PROJECTS : RELATION_OTHER;
}

struct relation *relation_new(const struct hostmap *map, const char *schema, const char *table,
			      int column_count)
{
	struct relation *relation = calloc(1, sizeof *relation);

	if (relation == NULL) {
		return NULL;
	}
	relation->columns = calloc((size_t)column_count + 1, sizeof *relation->columns);
	if (relation->columns == NULL) {
		free(relation);
		return NULL;
	}
	relation->role = role_of(map, schema, table);
	snprintf(relation->schema, sizeof relation->schema, "%s", schema);
	snprintf(relation->table, sizeof relation->table, "%s", table);
	relation->at = (struct relation_places){-1, -1, -1, -1, -1, -1, -1};
	relation->typed = true;
	relation->references = 1;
	relation->column_count = column_count;
	return relation;
}

static void note(int *at, const char *name, const char *wanted, int place)
{
	if (strcmp(name, wanted) == 0) {
		*at = place;
	}
}

static bool write_key(struct relation_column *column)
{
	struct buf key;
	bool ok;

	buf_init(&key, sizeof column->key);
	jsonw_text(&key, column->name);
	buf_char(&key, ':');
	memcpy(column->key, buf_string(&key), key.length);
	column->key_length = key.length;
	ok = !key.failed;
	buf_close(&key);
	return ok;
}

void relation_set_column(struct relation *relation, const struct hostmap *map, int place,
			 const struct relation_column *column)
{
	struct relation_places *at = &relation->at;
	const char *name = column->name;

	relation->columns[place] = *column;
	if (!write_key(&relation->columns[place])) {
		relation->has_failed = true;
	}
	if (relation->role == RELATION_ASSIGNMENTS) {
		note(&at->id, name, map->assignments.id, place);
		note(&at->user_id, name, map->assignments.user_id, place);
		note(&at->project_id, name, map->assignments.project_id, place);
	} else if (relation->role == RELATION_PROJECTS) {
		note(&at->id, name, map->projects.id, place);
		note(&at->client_name, name, map->projects.client_name, place);
		note(&at->start_date, name, map->projects.start_date, place);
		note(&at->end_date, name, map->projects.end_date, place);
		note(&at->notes, name, map->projects.notes, place);
	} else if (relation->role == RELATION_REQUESTS_TABLE) {
		note(&at->id, name, "id", place);
		note(&at->user_id, name, "user_id", place);
	}
}

struct relation *relation_hold(struct relation *relation)
{
	relation->references++;
	return relation;
}

void relation_let_go(struct relation *relation)
{
	if (relation != NULL && --relation->references == 0) {
		for (int i = 0; i < relation->column_count; i++) {
			free(relation->columns[i].schema);
		}
		free(relation->value_head);
		free(relation->key_head);
		free(relation->columns);
		free(relation);
	}
}

static bool has_needed_columns(const struct relation *relation)
{
	const struct relation_places *at = &relation->at;

	switch (relation->role) {
	case RELATION_ASSIGNMENTS:
		return at->id >= 0 && at->user_id >= 0 && at->project_id >= 0;
	case RELATION_PROJECTS:
		return at->id >= 0 && at->client_name >= 0 && at->start_date >= 0 &&
		       at->end_date >= 0 && at->notes >= 0;
	case RELATION_REQUESTS_TABLE:
		return at->id >= 0 && at->user_id >= 0;
	case RELATION_OTHER:
		return true;
	}
	return false;
}

static bool is_key(const struct relation *relation, int place)
{
	return place >= 0 && relation->columns[place].is_key;
}

static bool check_columns(const struct relation *relation, struct fault *fault)
{
	bool full = relation->identity == 'f';
	bool indexed = relation->identity == 'i' && is_key(relation, relation->at.id) &&
		       is_key(relation, relation->at.user_id);

	if (!has_needed_columns(relation)) {
		return fault_fatal(fault,
				   "table %s.%s lacks a column that the mapping file names, or the "
				   "publication hides it",
				   relation->schema, relation->table);
	}
	if ((relation->role == RELATION_ASSIGNMENTS && !full && !indexed) ||
	    (relation->role == RELATION_PROJECTS && !full)) {
		return fault_fatal(fault, "run: ALTER TABLE %s.%s REPLICA IDENTITY FULL",
				   relation->schema, relation->table);
	}
	return true;
}

bool relation_check(const struct relation *relation, struct fault *fault)
{
	if (relation->has_failed) {
		return fault_fatal(fault, "out of memory");
	}
	return check_columns(relation, fault);
}

bool relation_fits(const struct relation *relation, const struct pgoutput_message *message,
		   struct fault *fault)
{
	bool has_old = message->old_kind != '\0';
	bool has_new = message->kind != PGOUTPUT_DELETE;

	if ((has_old && message->old_tuple.count != relation->column_count) ||
	    (has_new && message->new_tuple.count != relation->column_count)) {
		return fault_fatal(fault, "a row of %s.%s does not have its %d columns",
				   relation->schema, relation->table, relation->column_count);
	}
	return true;
}

void relations_init(struct relations *relations, const struct hostmap *map)
{
	*relations = (struct relations){.map = map};
}

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
void relations_clear(struct relations *relations)
{
	struct relation *relation;
	struct relation *next;

	HASH_ITER(hh, relations->by_oid, relation, next)
	{
		HASH_DEL(relations->by_oid, relation);
		relation_let_go(relation);
	}
}

static void learn_column(struct relation *relation, const struct hostmap *map, int place,
			 const struct pgoutput_column *told)
{
	struct relation_column column = {.is_key = told->is_key,
					 .oid = told->type,
					 .type = pgtype_of(told->type, told->modifier)};

	snprintf(column.name, sizeof column.name, "%s", told->name);
	if (told->type >= PGTYPE_FIRST_OWN_OID && relation->role != RELATION_OTHER) {
		relation->typed = false;
	}
	relation_set_column(relation, map, place, &column);
}

static struct relation *lookup(const struct relations *relations, uint32_t oid)
{
	struct relation *relation;

	HASH_FIND(hh, relations->by_oid, &oid, sizeof oid, relation);
	return relation;
}

static void forget(struct relations *relations, uint32_t oid)
{
	struct relation *old = lookup(relations, oid);

	if (old != NULL) {
		HASH_DEL(relations->by_oid, old);
		relation_let_go(old);
	}
}

/* Takes the relation over; false without memory. */
static bool keep(struct relations *relations, struct relation *relation)
{
	HASH_ADD(hh, relations->by_oid, oid, sizeof relation->oid, relation);
	if (lookup(relations, relation->oid) == NULL) {
		relation_let_go(relation);
		return false;
	}
	return true;
}

bool relations_learn(struct relations *relations, const struct pgoutput_message *message,
		     struct fault *fault)
{
	struct relation *relation;

	forget(relations, message->relation);
	if (HASH_COUNT(relations->by_oid) >= RELATION_CACHE_MAX) {
		return fault_fatal(fault, "more than %d tables are published: publish only ours",
				   RELATION_CACHE_MAX);
	}
	relation =
	    relation_new(relations->map, message->schema, message->table, message->column_count);
	if (relation == NULL) {
		return fault_fatal(fault, "out of memory");
	}
	relation->oid = message->relation;
	relation->identity = message->identity;
	for (int i = 0; i < message->column_count; i++) {
		learn_column(relation, relations->map, i, &message->columns[i]);
	}
	if (!keep(relations, relation)) {
		return fault_fatal(fault, "out of memory");
	}
	return relation_check(relation, fault);
}

struct relation *relations_find(const struct relations *relations, uint32_t oid,
				struct fault *fault)
{
	struct relation *relation = lookup(relations, oid);

	if (relation == NULL) {
		fault_fatal(fault, "a row of relation %u, which the stream never announced", oid);
	}
	return relation;
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
