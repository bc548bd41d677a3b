/* catalog.c - the mapped tables as the database defines them now. */
#include "producer/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "producer/schema.h"

#define CATALOG_SQL_MAX_BYTES (1u << 20)

/* Columns in order with what their types rest on: a domain's base, an array's element. */
static const char LOAD_SQL[] =
    "WITH RECURSIVE wanted(role, oid) AS ("
    "  SELECT 1, to_regclass(format('%I.%I', $1::text, $2::text)) UNION ALL"
    "  SELECT 2, to_regclass(format('%I.%I', $1::text, $3::text)) UNION ALL"
    "  SELECT 3, to_regclass('public.calendar_sync_requests')"
    "), columns AS ("
    "  SELECT w.role, a.attnum, a.attname, a.atttypid, a.atttypmod,"
    "    a.attnotnull OR (y.typtype = 'd' AND y.typnotnull) AS required,"
    "    pg_get_expr(d.adbin, d.adrelid) AS expression FROM wanted w"
    "  JOIN pg_attribute a ON a.attrelid = w.oid JOIN pg_type y ON y.oid = a.atttypid"
    "  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    "  WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
    "), flat(type, base, modifier) AS ("
    "  SELECT DISTINCT atttypid, atttypid, -1 FROM columns UNION ALL"
    "  SELECT f.type, t.typbasetype, t.typtypmod FROM flat f JOIN pg_type t ON t.oid = f.base"
    "  WHERE t.typtype = 'd') "
    "SELECT c.role, c.attname, c.atttypid, c.atttypmod, b.oid AS base,"
    "  CASE WHEN b.typcategory = 'A' AND e.typtype = 'd' THEN e.typtypmod ELSE f.modifier END,"
    "  CASE WHEN b.typcategory = 'A' THEN coalesce(nullif(e.typbasetype, 0), e.oid) END AS element,"
    "  c.required, coalesce(e.typname, b.typname) AS type_name, l.labels,"
    "  CASE WHEN c.expression LIKE 'NULL::%' THEN NULL"
    "    WHEN l.labels IS NOT NULL THEN substring(c.expression FROM '^''(.*)''::[^'']+$')"
    "    ELSE coalesce(substring(c.expression FROM '''(.*?)'''), c.expression) END AS fallback,"
    "  l.labels IS NULL AND coalesce(c.expression ~ '^[(]?[A-Za-z0-9_.]+[(].*[)]'"
    "    OR lower(c.expression) IN ('current_timestamp', 'current_time', 'current_date',"
    "    'localtime', 'localtimestamp'), false) AS computed "
    "FROM columns c JOIN flat f ON f.type = c.atttypid "
    "JOIN pg_type b ON b.oid = f.base AND b.typtype <> 'd' "
    "LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A' "
    "LEFT JOIN LATERAL (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) AS labels"
    "  FROM pg_enum WHERE enumtypid = coalesce(e.oid, b.oid)) l ON true "
    "ORDER BY c.role, c.attnum";

enum {
	COLUMN_ROLE,
	COLUMN_NAME,
	COLUMN_TYPE,
	COLUMN_MODIFIER,
	COLUMN_BASE,
	COLUMN_BASE_MODIFIER,
	COLUMN_ELEMENT,
	COLUMN_REQUIRED,
	COLUMN_TYPE_NAME,
	COLUMN_LABELS,
	COLUMN_FALLBACK,
	COLUMN_COMPUTED
};

struct catalog_type {
	uint32_t oid;
	struct pgtype type;
	UT_hash_handle hh;
};

/* ---- types ---- */

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static void forget_types(struct catalog *catalog)
{
	struct catalog_type *type;
	struct catalog_type *next;

	HASH_ITER(hh, catalog->types, type, next)
	{
		HASH_DEL(catalog->types, type);
		free(type);
	}
}

static void learn_type(struct catalog *catalog, const PGresult *result, int row)
{
	uint32_t oid = (uint32_t)pg_integer(result, row, COLUMN_TYPE, 0);
	uint32_t base = (uint32_t)pg_integer(result, row, COLUMN_BASE, 0);
	uint32_t element = (uint32_t)pg_integer(result, row, COLUMN_ELEMENT, 0);
	struct catalog_type *type;

	HASH_FIND(hh, catalog->types, &oid, sizeof oid, type);
	if (type != NULL || oid < PGTYPE_FIRST_OWN_OID) {
		return;
	}
	type = calloc(1, sizeof *type);
	if (type == NULL) {
		return; /* then it is written as text */
	}
	type->oid = oid;
	type->type = pgtype_of(element != 0 && base >= PGTYPE_FIRST_OWN_OID ? element : base,
			       (int32_t)pg_integer(result, row, COLUMN_BASE_MODIFIER, -1));
	type->type.is_array = element != 0;
	HASH_ADD(hh, catalog->types, oid, sizeof type->oid, type);
}

static bool explain(const struct catalog *catalog, struct relation_column *column)
{
	struct catalog_type *type;
	int32_t modifier = column->type.modifier;

	if (column->oid < PGTYPE_FIRST_OWN_OID) {
		return true;
	}
	HASH_FIND(hh, catalog->types, &column->oid, sizeof column->oid, type);
	if (type == NULL) {
		return false;
	}
	column->type = type->type;
	if (modifier >= 0) {
		column->type.modifier = modifier;
	}
	return true;
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

static const struct relation *known_table(const struct catalog *catalog, enum relation_role role)
{
	switch (role) {
	case RELATION_ASSIGNMENTS:
		return catalog->assignments;
	case RELATION_REQUESTS_TABLE:
		return catalog->requests;
	default:
		return NULL;
	}
}

static bool open_schemas(const struct catalog *catalog, struct relation *relation)
{
	const struct relation *shown =
	    relation->role == RELATION_ASSIGNMENTS ? catalog->shown : NULL;

	return schema_open(relation, shown, catalog->settings->prefix);
}

/* A column that is not as the catalog has it gets what its type says alone. */
static bool adopt_schemas(const struct catalog *catalog, struct relation *relation)
{
	const struct relation *known = known_table(catalog, relation->role);
	bool all;

	if (!catalog->settings->schemas_enable || known == NULL) {
		return true;
	}
	all = schema_adopt(relation, known);
	return open_schemas(catalog, relation) && all;
}

bool catalog_explain(const struct catalog *catalog, struct relation *relation)
{
	bool all = true;

	for (int i = 0; i < relation->column_count; i++) {
		all = explain(catalog, &relation->columns[i]) && all;
	}
	relation->typed = all;
	return adopt_schemas(catalog, relation) && all;
}

void catalog_settle(const struct catalog *catalog, struct relation *relation)
{
	(void)catalog_explain(catalog, relation);
	relation->typed = true;
}

/* ---- relations ---- */

static bool is_true(const PGresult *result, int row, int column)
{
	const char *text = pg_text(result, row, column);

	return text != NULL && *text == 't';
}

static int count_role(const PGresult *result, int64_t role)
{
	int count = 0;

	for (int i = 0; i < PQntuples(result); i++) {
		count += pg_integer(result, i, COLUMN_ROLE, 0) == role;
	}
	return count;
}

static struct relation *make_relation(struct catalog *catalog, const PGresult *result, int64_t role,
				      const char *schema, const char *table)
{
	struct relation *relation =
	    relation_new(&catalog->settings->map, schema, table, count_role(result, role));
	int place = 0;

	for (int i = 0; relation != NULL && i < PQntuples(result); i++) {
		struct relation_column column = {
		    .oid = (uint32_t)pg_integer(result, i, COLUMN_TYPE, 0)};

		if (pg_integer(result, i, COLUMN_ROLE, 0) != role) {
			continue;
		}
		snprintf(column.name, sizeof column.name, "%s", pg_text(result, i, COLUMN_NAME));
		column.type =
		    pgtype_of(column.oid, (int32_t)pg_integer(result, i, COLUMN_MODIFIER, -1));
		relation_set_column(relation, &catalog->settings->map, place++, &column);
	}
	if (relation != NULL) {
		relation->identity = 'f';
		catalog_settle(catalog, relation);
	}
	return relation;
}

/* What the catalog says beyond the types, for the columns in the result's order. */
static bool describe_columns(const struct catalog *catalog, struct relation *relation,
			     const PGresult *result, int64_t role)
{
	int place = 0;

	for (int i = 0; catalog->settings->schemas_enable && i < PQntuples(result); i++) {
		struct schema_facts facts = {.type_name = pg_text(result, i, COLUMN_TYPE_NAME),
					     .labels = pg_text(result, i, COLUMN_LABELS),
					     .fallback = pg_text(result, i, COLUMN_FALLBACK),
					     .is_computed = is_true(result, i, COLUMN_COMPUTED)};

		if (pg_integer(result, i, COLUMN_ROLE, 0) != role) {
			continue;
		}
		relation->columns[place].is_required = is_true(result, i, COLUMN_REQUIRED);
		if (!schema_describe(&relation->columns[place], &facts)) {
			return false;
		}
		place++;
	}
	return true;
}

/* The five columns that events show, as a relation of their own. */
static struct relation *make_shown(struct catalog *catalog, const struct relation *projects)
{
	const struct relation_places *at = &projects->at;
	const int places[5] = {at->id, at->client_name, at->start_date, at->end_date, at->notes};
	struct relation *shown =
	    relation_new(&catalog->settings->map, projects->schema, projects->table, 5);

	for (int i = 0; shown != NULL && i < 5; i++) {
		struct relation_column column = projects->columns[places[i]];

		column.schema = column.schema != NULL ? strdup(column.schema) : NULL;
		relation_set_column(shown, &catalog->settings->map, i, &column);
	}
	return shown;
}

static void forget_relations(struct catalog *catalog)
{
	relation_let_go(catalog->assignments);
	relation_let_go(catalog->requests);
	relation_let_go(catalog->shown);
	catalog->assignments = NULL;
	catalog->requests = NULL;
	catalog->shown = NULL;
}

/* ---- statements ---- */

static void sql_name(struct buf *sql, const char *name)
{
	buf_char(sql, '"');
	for (; *name != '\0'; name++) {
		buf_text(sql, *name == '"' ? "\"\"" : (const char[]){*name, '\0'});
	}
	buf_char(sql, '"');
}

static void sql_columns(struct buf *sql, const struct relation *relation, const char *table,
			const char *alias)
{
	for (int i = 0; i < relation->column_count; i++) {
		buf_format(sql, "%s%s.", i > 0 ? ", " : "", table);
		sql_name(sql, relation->columns[i].name);
		buf_format(sql, " AS %s%d", alias, i);
	}
}

static void sql_table(struct buf *sql, const struct relation *relation, const char *alias)
{
	sql_name(sql, relation->schema);
	buf_char(sql, '.');
	sql_name(sql, relation->table);
	buf_format(sql, " %s", alias);
}

static void sql_column(struct buf *sql, const struct relation *relation, const char *table,
		       int place)
{
	buf_format(sql, "%s.", table);
	sql_name(sql, relation->columns[place].name);
}

static const char SNAPSHOT[] = "SELECT s.seen, r.* FROM (SELECT pg_current_snapshot()::text AS "
			       "seen) s LEFT JOIN LATERAL (SELECT ";

/* The end of a chunk: in id order, from an id on.  One comparison without an OR, so that every plan
 * starts in the index where the chunk starts. */
static void sql_chunk(struct buf *sql, const struct relation *relation, int first_param)
{
	sql_column(sql, relation, "a", relation->at.id);
	buf_format(sql, " >= $%d::uuid ORDER BY ", first_param);
	sql_column(sql, relation, "a", relation->at.id);
	buf_format(sql, " LIMIT $%d::int) r ON true ORDER BY r.c%d", first_param + 1,
		   relation->at.id);
}

static void sql_assignments(struct buf *sql, const struct catalog *catalog)
{
	const struct relation *a = catalog->assignments;

	buf_text(sql, SNAPSHOT);
	sql_columns(sql, a, "a", "c");
	buf_text(sql, ", ");
	sql_columns(sql, catalog->shown, "p", "p");
	buf_text(sql, " FROM ");
	sql_table(sql, a, "a");
	buf_text(sql, " LEFT JOIN ");
	sql_table(sql, catalog->shown, "p");
	buf_text(sql, " ON ");
	sql_column(sql, catalog->shown, "p", 0);
	buf_text(sql, " = ");
	sql_column(sql, a, "a", a->at.project_id);
}

/* The column that the scope's id stands in; -1: no id. */
static int scope_place(const struct relation *relation, enum scope_kind kind)
{
	switch (kind) {
	case SCOPE_USER:
		return relation->at.user_id;
	case SCOPE_PROJECT:
		return relation->at.project_id;
	case SCOPE_KEY:
		return relation->at.id;
	default:
		return -1;
	}
}

static char *make_walk_sql(const struct catalog *catalog, enum scope_kind kind)
{
	int place = scope_place(catalog->assignments, kind);
	struct buf sql;

	buf_init(&sql, CATALOG_SQL_MAX_BYTES);
	sql_assignments(&sql, catalog);
	buf_text(&sql, " WHERE ");
	if (place >= 0) {
		sql_column(&sql, catalog->assignments, "a", place);
		buf_text(&sql, " = $1::uuid AND ");
	}
	sql_chunk(&sql, catalog->assignments, place >= 0 ? 2 : 1);
	return buf_steal(&sql);
}

/* Only open requests: what is done or failed asks nobody for anything. */
static char *make_requests_sql(const struct catalog *catalog)
{
	struct buf sql;

	buf_init(&sql, CATALOG_SQL_MAX_BYTES);
	buf_text(&sql, SNAPSHOT);
	sql_columns(&sql, catalog->requests, "a", "c");
	buf_text(&sql, " FROM ");
	sql_table(&sql, catalog->requests, "a");
	buf_text(&sql, " WHERE a.state IN ('requested', 'running') AND ");
	sql_chunk(&sql, catalog->requests, 1);
	return buf_steal(&sql);
}

static char *make_lookup_sql(const struct catalog *catalog)
{
	struct buf sql;

	buf_init(&sql, CATALOG_SQL_MAX_BYTES);
	buf_text(&sql, SNAPSHOT);
	sql_columns(&sql, catalog->shown, "p", "p");
	buf_text(&sql, " FROM ");
	sql_table(&sql, catalog->shown, "p");
	buf_text(&sql, " WHERE ");
	sql_column(&sql, catalog->shown, "p", 0);
	buf_text(&sql, " = ANY($1::uuid[])) r ON true");
	return buf_steal(&sql);
}

/* A pool prepares each statement once and knows it by its address: the same text keeps it, and an
 * old text is not freed before the pool. */
static bool replace_sql(struct catalog *catalog, char **slot, char *fresh)
{
	if (fresh != NULL && *slot != NULL && strcmp(*slot, fresh) == 0) {
		free(fresh);
		return true;
	}
	if (*slot != NULL) {
		if (catalog->old_count == CATALOG_OLD_MAX) {
			free(fresh);
			return false;
		}
		catalog->old[catalog->old_count++] = *slot;
	}
	*slot = fresh;
	return fresh != NULL;
}

static bool make_statements(struct catalog *catalog)
{
	for (int kind = 0; kind < SCOPE_KINDS; kind++) {
		if (!replace_sql(catalog, &catalog->walk_sql[kind],
				 make_walk_sql(catalog, (enum scope_kind)kind))) {
			return false;
		}
	}
	return replace_sql(catalog, &catalog->requests_sql, make_requests_sql(catalog)) &&
	       replace_sql(catalog, &catalog->lookup_sql, make_lookup_sql(catalog));
}

/* ---- loading ---- */

static bool describe_tables(struct catalog *catalog)
{
	return !catalog->settings->schemas_enable || (open_schemas(catalog, catalog->assignments) &&
						      open_schemas(catalog, catalog->requests));
}

static bool take_catalog(struct catalog *catalog, const PGresult *result, struct fault *fault)
{
	const struct hostmap *map = &catalog->settings->map;
	struct relation *projects;
	bool ok = false;

	forget_types(catalog);
	forget_relations(catalog);
	for (int i = 0; i < PQntuples(result); i++) {
		learn_type(catalog, result, i);
	}
	projects = make_relation(catalog, result, 2, map->schema, map->projects.table);
	catalog->assignments =
	    make_relation(catalog, result, 1, map->schema, map->assignments.table);
	catalog->requests = make_relation(catalog, result, 3, "public", RELATION_REQUESTS);
	if (projects == NULL || catalog->assignments == NULL || catalog->requests == NULL ||
	    !describe_columns(catalog, projects, result, 2) ||
	    !describe_columns(catalog, catalog->assignments, result, 1) ||
	    !describe_columns(catalog, catalog->requests, result, 3)) {
		fault_fatal(fault, "out of memory");
		goto out;
	}
	if (!relation_check(projects, fault) || !relation_check(catalog->assignments, fault) ||
	    !relation_check(catalog->requests, fault)) {
		goto out;
	}
	catalog->shown = make_shown(catalog, projects);
	if (catalog->shown == NULL || catalog->shown->has_failed || !describe_tables(catalog)) {
		fault_fatal(fault, "out of memory");
		goto out;
	}
	ok = make_statements(catalog);
	if (!ok) {
		fault_fatal(fault, "the tables changed too often since the start: start again");
	}
out:
	relation_let_go(projects);
	return ok;
}

static void on_loaded(struct pg_request *request)
{
	struct catalog *catalog = container_of(request, struct catalog, request);
	struct fault fault = request->fault;

	catalog->loading = false;
	if (fault.kind == FAULT_NONE) {
		(void)!take_catalog(catalog, request->result, &fault);
	}
	catalog->loaded(catalog, &fault);
}

void catalog_init(struct catalog *catalog, struct pg *pg, const struct settings *settings)
{
	*catalog = (struct catalog){.pg = pg, .settings = settings};
}

void catalog_load(struct catalog *catalog,
		  void (*loaded)(struct catalog *catalog, const struct fault *fault))
{
	catalog->loaded = loaded;
	if (catalog->loading) {
		return; /* the answer under way goes to the newest caller */
	}
	catalog->loading = true;
	catalog->request = (struct pg_request){.sql = LOAD_SQL,
					       .params = {catalog->settings->map.schema,
							  catalog->settings->map.assignments.table,
							  catalog->settings->map.projects.table},
					       .param_count = 3,
					       .done = on_loaded};
	pg_send(catalog->pg, &catalog->request);
}

void catalog_close(struct catalog *catalog)
{
	forget_types(catalog);
	forget_relations(catalog);
	for (int kind = 0; kind < SCOPE_KINDS; kind++) {
		free(catalog->walk_sql[kind]);
	}
	free(catalog->requests_sql);
	free(catalog->lookup_sql);
	for (int i = 0; i < catalog->old_count; i++) {
		free(catalog->old[i]);
	}
}

/* ---- rows ---- */

static void read_values(const PGresult *result, int row, int first, int count,
			struct pgoutput_value *values)
{
	for (int i = 0; i < count; i++) {
		const char *text = pg_text(result, row, first + i);

		values[i] = (struct pgoutput_value){.kind = text != NULL ? 't' : 'n',
						    .text = text != NULL ? text : ""};
		if (text != NULL) {
			values[i].length = (uint32_t)PQgetlength(result, row, first + i);
		}
	}
}

bool catalog_read_row(const struct relation *relation, bool with_project, const PGresult *result,
		      int row, struct catalog_row *out)
{
	if (pg_text(result, row, 1 + relation->at.id) == NULL) {
		return false;
	}
	read_values(result, row, 1, relation->column_count, out->values);
	out->has_project = false;
	if (with_project) {
		read_values(result, row, 1 + relation->column_count, 5, out->project);
		out->has_project = out->project[0].kind == 't';
	}
	return true;
}
