/* store_sql.h - the grouped statements of the worker; one statement is one transaction. */
#ifndef CALRELAY_WORKER_STORE_SQL_H
#define CALRELAY_WORKER_STORE_SQL_H

#include "worker/change.h"
#include "worker/store.h"

/* xmin, the transaction that wrote the row, changes with every write, whoever writes: what a
 * compare-and-set compares.  A row that is dirty can be settled once due_at is over. */
#define STORE_ROW                                                                                  \
	"json_build_array(e.assignment_id, e.xmin::text::bigint, e.state, e.incarnation,"          \
	"  e.external_event_id, e.change_key, e.content_hash, e.applied_pos, e.pending_pos,"       \
	"  e.attempt, e.dirty, e.dirty AND coalesce(e.due_at <= now(), true), e.behind_sync,"      \
	"  e.category, e.shares_categories)"

/* Times go both ways as distances from now: ours and PostgreSQL's clock may be hours apart. */
static const char STORE_LOAD_SQL[] =
    "WITH input AS (SELECT * FROM jsonb_to_recordset($1::jsonb)"
    "  AS i(r int, user_id uuid, ids uuid[], everything boolean)) "
    "SELECT i.r, c.id, c.status, c.access_token, c.refresh_token,"
    "  (extract(epoch FROM c.refreshed_at - now()) * 1000)::bigint,"
    "  (extract(epoch FROM least(greatest(c.token_expires_at, 'epoch'::timestamptz),"
    "     now() + interval '10 days') - now()) * 1000)::bigint,"
    "  c.token_version,"
    "  (extract(epoch FROM CASE WHEN c.not_before IS NOT NULL THEN least(c.not_before,"
    "     now() + interval '10 days') - now() END) * 1000)::bigint,"
    "  c.time_zone, c.adopted_at IS NOT NULL, c.synced_snapshot, c.scopes,"
    "  CASE WHEN i.everything THEN (SELECT json_agg(" STORE_ROW ")"
    "     FROM public.synced_calendar_events e WHERE e.connection_id = c.id)"
    "   ELSE (SELECT json_agg(" STORE_ROW ") FROM unnest(i.ids) wanted (id)"
    "     JOIN public.synced_calendar_events e"
    "       ON e.assignment_id = wanted.id AND e.connection_id = c.id) END,"
    "  (SELECT json_agg(json_build_array(q.id, q.kind, q.remove_events,"
    "       q.created_at < now() - interval '1 day') ORDER BY q.created_at)"
    "     FROM public.calendar_sync_requests q"
    "    WHERE i.everything AND q.user_id = i.user_id AND q.state IN ('requested', 'running')"
    "      AND (q.due_at IS NULL OR q.due_at <= now())),"
    "  c." STORE_IDLE ","
    "  (extract(epoch FROM now() - c.behind_since) * 1000)::bigint "
    "FROM input i LEFT JOIN public.calendar_connections c"
    "  ON c.user_id = i.user_id AND c.provider = 'microsoft'";

/* The fence: the rows of the partitions whose epoch is still the one we claimed.  FOR SHARE lets
 * groups of different workers run side by side and makes a claim wait for them. */
#define STORE_HELD                                                                                 \
	"held AS MATERIALIZED (SELECT o.partition, o.epoch FROM public.calrelay_partition_owner o" \
	"  WHERE o.consumer_group = $2 AND o.topic = $3"                                           \
	"    AND (o.partition, o.epoch) IN (SELECT partition, epoch FROM input)"                   \
	"  ORDER BY o.partition FOR SHARE) "

/* What a row's columns become.  A row written behind a call (no intent under way) tells the person
 * when the calendar was last right. */
#define STORE_SET                                                                                  \
	"state = i.state, incarnation = i.incarnation, external_event_id = i.event_id,"            \
	"    change_key = i.change_key, content_hash = i.hash, applied_pos = i.applied,"           \
	"    pending_pos = i.pending, attempt = i.attempt, dirty = i.dirty, behind_sync = "        \
	"i.behind,"                                                                                \
	"    category = i.category, shares_categories = i.shares,"                                 \
	"    due_at = CASE WHEN i.quarantine THEN now() + $4::int * interval '1 second'"           \
	"      WHEN i.dirty THEN e.due_at END,"                                                    \
	"    last_error = i.error, updated_at = now(),"                                            \
	"    last_synced_at = CASE WHEN i.pending IS NULL THEN now() ELSE e.last_synced_at END "

/* tx1 and tx2: rows that are as the protocol saw them become what it says (compare-and-set under
 * the fence).  A row made dirty has its person's calendar compared again behind the quarantine. */
static const char STORE_WRITE_SQL[] =
    "WITH input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb)"
    "  AS i(r int, k int, partition int, epoch bigint, connection uuid, assignment uuid,"
    "       version bigint, state text, incarnation int, event_id text, change_key text, hash text,"
    "       applied text, pending text, attempt uuid, dirty boolean, behind boolean, quarantine "
    "boolean,"
    "       error text, category text, shares boolean)), " STORE_HELD ", "
    "made AS (INSERT INTO public.synced_calendar_events AS e (assignment_id, connection_id, state,"
    "    incarnation, external_event_id, change_key, content_hash, applied_pos, pending_pos,"
    "    attempt, dirty, behind_sync, last_error, category, shares_categories)"
    "  SELECT i.assignment, i.connection, i.state, i.incarnation, i.event_id, i.change_key, i.hash,"
    "      i.applied, i.pending, i.attempt, i.dirty, i.behind, i.error, i.category, i.shares"
    "    FROM input i JOIN held h USING (partition, epoch)"
    "      JOIN public.calendar_connections c ON c.id = i.connection"
    "   WHERE i.version IS NULL"
    "  ON CONFLICT (assignment_id, connection_id) DO NOTHING"
    "  RETURNING e.assignment_id, e.connection_id, e.xmin::text::bigint AS version,"
    "    e.pending_pos IS NULL AS is_settled), "
    "changed AS (UPDATE public.synced_calendar_events e SET " STORE_SET
    "  FROM input i JOIN held h USING (partition, epoch)"
    "  WHERE e.assignment_id = i.assignment AND e.connection_id = i.connection"
    "    AND e.xmin::text::bigint = i.version"
    "  RETURNING e.assignment_id, e.connection_id, e.xmin::text::bigint AS version,"
    "    e.pending_pos IS NULL AS is_settled), "
    "written AS (SELECT * FROM made UNION ALL SELECT * FROM changed), "
    "touched AS (UPDATE public.calendar_connections SET last_synced_at = now()"
    "  WHERE id IN (SELECT connection_id FROM written WHERE is_settled)), "
    "filed AS (INSERT INTO public.calendar_sync_requests (user_id, kind, due_at)"
    "  SELECT DISTINCT c.user_id, 'full', now() + $4::int * interval '1 second'"
    "    FROM input i JOIN written w"
    "      ON w.assignment_id = i.assignment AND w.connection_id = i.connection"
    "    JOIN public.calendar_connections c ON c.id = i.connection"
    "   WHERE i.quarantine AND NOT EXISTS (SELECT FROM public.calendar_sync_requests q"
    "     WHERE q.user_id = c.user_id AND q.kind = 'full' AND q.state = 'requested'"
    "       AND q.due_at > now())) "
    "SELECT i.r, i.k, h.partition IS NOT NULL, w.version"
    "  FROM input i LEFT JOIN held h USING (partition, epoch)"
    "    LEFT JOIN written w ON w.assignment_id = i.assignment AND w.connection_id = i.connection";

#endif
