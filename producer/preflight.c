/* preflight.c - what has to be true of the database before the producer may rely on it. */
#include "producer/preflight.h"

#include <stdio.h>

#include "common/rowsec.h"
#include "producer/pooler.h"

#define HIDES_ROWS ROWSEC_HIDES("w.oid")

/* $1 schema, $2 and $3 the tables of assignments and projects, $4 and $5 their columns that we need
 * (ids first), $6 publication, $7 slot. */
static const char SQL[] =
    "WITH wanted(role, name, oid, columns, ids) AS ("
    "  SELECT 'a', format('%I.%I', $1::text, $2::text), to_regclass(format('%I.%I', $1::text, "
    "$2::text)), $4::text[], 3"
    "  UNION ALL"
    "  SELECT 'p', format('%I.%I', $1::text, $3::text), to_regclass(format('%I.%I', $1::text, "
    "$3::text)), $5::text[], 1"
    "  UNION ALL"
    "  SELECT 'r', 'public.calendar_sync_requests',"
    "         to_regclass('public.calendar_sync_requests'), '{id,user_id}', 2"
    "), attributes AS ("
    "  SELECT w.*, c.name AS wanted_column, c.place, a.attnum, coalesce(nullif(t.typbasetype, 0),"
    "         t.oid) AS type"
    "  FROM wanted w CROSS JOIN unnest(w.columns) WITH ORDINALITY c(name, place)"
    "  LEFT JOIN pg_attribute a ON a.attrelid = w.oid AND a.attname = c.name AND a.attnum > 0"
    "       AND NOT a.attisdropped"
    "  LEFT JOIN pg_type t ON t.oid = a.atttypid WHERE w.oid IS NOT NULL"
    "), publications(role, pubname) AS ("
    "  VALUES ('a', $6::text), ('p', $6::text), ('r', 'calrelay_requests')"
    ") SELECT what FROM ("
    /* the server */
    "  SELECT 10 AS n, format('wal_level is %s: run ALTER SYSTEM SET wal_level = ''logical'' and "
    "restart PostgreSQL', current_setting('wal_level')) AS what"
    "  WHERE current_setting('wal_level') <> 'logical'"
    "  UNION ALL SELECT 11, 'synchronous_standby_names lets commits wait for this program: name "
    "your standbys there'"
    "  WHERE current_setting('synchronous_standby_names') ~ '(\\*|calrelay-producer)'"
    "  UNION ALL SELECT 20, format('role %I lacks REPLICATION, which is not inherited: run ALTER "
    "ROLE %I REPLICATION', rolname, rolname) FROM pg_roles"
    "  WHERE rolname = session_user AND NOT rolreplication AND NOT rolsuper"
    /* the tables */
    "  UNION ALL SELECT 30, format('table %s does not exist: apply schemas/sql, or name the "
    "host''s table in the mapping file', name) FROM wanted WHERE oid IS NULL"
    "  UNION ALL SELECT 31, format('table %s has no column %I: correct the mapping file', name,"
    "         wanted_column) FROM attributes WHERE attnum IS NULL"
    "  UNION ALL SELECT 32, format('column %I of %s is %s, and must be uuid', wanted_column, name,"
    "         type::regtype) FROM attributes WHERE place <= ids AND type <> 'uuid'::regtype"
    "  UNION ALL SELECT 33, format('role %I may not read %s: run GRANT SELECT ON %s TO "
    "calrelay_producer', session_user, name, name) FROM wanted"
    "  WHERE oid IS NOT NULL AND NOT has_table_privilege(oid, 'SELECT')"
    "  UNION ALL SELECT 34, format('row security hides rows of %s from role %I: run CREATE POLICY "
    "calrelay_reads ON %s FOR SELECT TO calrelay_producer USING (true)', name, session_user, name)"
    "  FROM wanted w WHERE oid IS NOT NULL AND " HIDES_ROWS
    "  UNION ALL SELECT 35, format('replica identity of %s does not tell the old %s: run ALTER "
    "TABLE %s REPLICA IDENTITY FULL', name, CASE role WHEN 'a' THEN 'user' ELSE 'row' END, name)"
    "  FROM wanted w JOIN pg_class c ON c.oid = w.oid"
    "  WHERE role IN ('a', 'p') AND relreplident <> 'f' AND NOT (role = 'a' AND relreplident = 'i'"
    "    AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = w.oid AND i.indisreplident AND"
    "      (SELECT count(*) FROM attributes t WHERE t.role = 'a' AND t.place <= 2"
    "       AND t.attnum = ANY (i.indkey)) = 2))"
    /* the publications */
    "  UNION ALL SELECT DISTINCT 40, format('publication %I does not exist: apply schemas/sql, or "
    "run CREATE PUBLICATION %I FOR TABLE %s', b.pubname, b.pubname,"
    "         (SELECT string_agg(w.name, ', ') FROM publications o JOIN wanted w USING (role)"
    "          WHERE o.pubname = b.pubname))"
    "  FROM publications b WHERE NOT EXISTS (SELECT FROM pg_publication p"
    "                                        WHERE p.pubname = b.pubname)"
    "  UNION ALL SELECT 41, format('publication %I does not publish %s: run ALTER PUBLICATION %I "
    "ADD TABLE %s', b.pubname, w.name, b.pubname, w.name)"
    "  FROM publications b JOIN wanted w USING (role) JOIN pg_publication p USING (pubname)"
    "  WHERE w.oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_publication_tables t"
    "    WHERE t.pubname = b.pubname AND format('%I.%I', t.schemaname, t.tablename) = w.name)"
    "  UNION ALL SELECT 42, format('publication %I filters rows or columns of %s: publish the "
    "whole table', t.pubname, w.name)"
    "  FROM publications b JOIN wanted w USING (role) JOIN pg_publication_tables t ON"
    "    t.pubname = b.pubname AND format('%I.%I', t.schemaname, t.tablename) = w.name"
    "  WHERE t.rowfilter IS NOT NULL OR NOT (w.columns <@ t.attnames::text[])"
    "  UNION ALL SELECT 43, format('publication %I must publish insert, update and delete: run "
    "ALTER PUBLICATION %I SET (publish = ''insert, update, delete, truncate'')', pubname, pubname)"
    "  FROM pg_publication WHERE pubname = $6::text AND NOT (pubinsert AND pubupdate AND pubdelete)"
    "  UNION ALL SELECT 44, format('publication %I must publish inserts only: run ALTER "
    "PUBLICATION %I SET (publish = ''insert'')', pubname, pubname) FROM pg_publication"
    "  WHERE pubname = 'calrelay_requests' AND (NOT pubinsert OR pubupdate OR pubdelete)"
    "  UNION ALL SELECT 45, format('publication %I publishes %I.%I, which holds tokens: run ALTER "
    "PUBLICATION %I DROP TABLE %I.%I', pubname, schemaname, tablename, pubname, schemaname,"
    "         tablename) FROM pg_publication_tables"
    "  WHERE pubname IN ($6::text, 'calrelay_requests') AND tablename = 'calendar_connections'"
    "  UNION ALL SELECT 46, format('publication %I publishes %s with updates: keep it only in "
    "calrelay_requests', $6::text, w.name) FROM wanted w JOIN pg_publication_tables t ON"
    "    format('%I.%I', t.schemaname, t.tablename) = w.name"
    "  WHERE w.role = 'r' AND t.pubname = $6::text"
    /* our own table, and the slot */
    "  UNION ALL SELECT 50, 'table public.calrelay_source is missing or old: apply schemas/sql'"
    "  WHERE NOT EXISTS (SELECT FROM pg_attribute"
    "    WHERE attrelid = to_regclass('public.calrelay_source')"
    "      AND attname = 'snapshot_from')"
    "  UNION ALL SELECT 51, format('role %I may not write public.calrelay_source: run GRANT "
    "SELECT, INSERT, UPDATE ON public.calrelay_source TO calrelay_producer', session_user)"
    "  FROM pg_class c WHERE c.oid = to_regclass('public.calrelay_source') AND NOT ("
    "    has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')"
    "    AND has_table_privilege(c.oid, 'UPDATE'))"
    "  UNION ALL SELECT 60, format('slot %I is a %s slot of %s: it must be one of pgoutput in this "
    "database; choose another CALRELAY_SLOT', slot_name, coalesce(plugin, slot_type), coalesce("
    "database, 'no database')) FROM pg_replication_slots"
    "  WHERE slot_name = $7::text AND (plugin IS DISTINCT FROM 'pgoutput'"
    "    OR database IS DISTINCT FROM current_database() OR temporary)"
    "  UNION ALL SELECT 61, format('slot %I is lost: the server removed WAL it needs, so changes "
    "are missing. Drop it and begin anew: SELECT pg_drop_replication_slot(%L); UPDATE "
    "public.calrelay_source SET given_up = true', slot_name, slot_name)"
    "  FROM pg_replication_slots WHERE slot_name = $7::text AND wal_status = 'lost'"
    ") findings ORDER BY n, what";

static void on_answer(struct pg_request *request)
{
	struct preflight *preflight = container_of(request, struct preflight, request);

	if (request->fault.kind != FAULT_NONE &&
	    pooler_mixes_up(request->sqlstate, request->fault.what)) {
		fault_fatal(&request->fault, "%s", POOLER_FINDING);
	}
	preflight->done(request);
}

void preflight_send(struct preflight *preflight, struct pg *pg, const struct settings *settings,
		    void (*done)(struct pg_request *request))
{
	const struct hostmap *map = &settings->map;

	/* the mapping file's names are plain identifiers, so they need no quotes in an array */
	snprintf(preflight->assignment_columns, sizeof preflight->assignment_columns, "{%s,%s,%s}",
		 map->assignments.id, map->assignments.user_id, map->assignments.project_id);
	snprintf(preflight->project_columns, sizeof preflight->project_columns, "{%s,%s,%s,%s,%s}",
		 map->projects.id, map->projects.client_name, map->projects.start_date,
		 map->projects.end_date, map->projects.notes);
	preflight->request = (struct pg_request){
	    .sql = SQL,
	    .params = {map->schema, map->assignments.table, map->projects.table,
		       preflight->assignment_columns, preflight->project_columns,
		       settings->publication, settings->slot},
	    .param_count = 7,
	    .patience_ms = PREFLIGHT_PATIENCE_MS,
	    .done = on_answer};
	preflight->done = done;
	pg_send(pg, &preflight->request);
}
