/* store_sql.h - the grouped statements of the worker; one statement is one transaction. */
#ifndef CALRELAY_WORKER_STORE_SQL_H
#define CALRELAY_WORKER_STORE_SQL_H

#include "worker/change.h"

static const char STORE_LOAD_SQL[] =
    "WITH input AS (SELECT * FROM jsonb_to_recordset($1::jsonb)"
    "  AS i(r int, user_id uuid, ids uuid[], everything boolean)) "
    "SELECT i.r, c.id, c.status, c.access_token, c.refresh_token,"
    "  (extract(epoch FROM coalesce(c.updated_at, c.created_at, now())) * 1000)::bigint,"
    "  (extract(epoch FROM least(greatest(c.token_expires_at, 'epoch'::timestamptz),"
    "     now() + interval '10 days')) * 1000)::bigint,"
    "  c.token_version,"
    "  (extract(epoch FROM CASE WHEN c.not_before IS NOT NULL"
    "     THEN least(c.not_before, now() + interval '10 days') END) * 1000)::bigint,"
    "  c.time_zone, c.adopted_at IS NOT NULL, c.synced_snapshot,"
    "  (SELECT json_agg(json_build_array(e.assignment_id, e.state, e.external_event_id,"
    "       e.change_key, e.incarnation, e.content_hash, e.applied_pos, e.pending_pos, e.dirty))"
    "     FROM public.synced_calendar_events e"
    "    WHERE e.connection_id = c.id AND (i.everything OR e.assignment_id = ANY (i.ids))),"
    "  (SELECT json_agg(json_build_array(q.id, q.kind, q.remove_events) ORDER BY q.created_at)"
    "     FROM public.calendar_sync_requests q"
    "    WHERE i.everything AND q.user_id = i.user_id AND q.state IN ('requested', 'running')"
    "      AND (q.due_at IS NULL OR q.due_at <= now())) "
    "FROM input i LEFT JOIN public.calendar_connections c"
    "  ON c.user_id = i.user_id AND c.provider = 'microsoft'";

/* The fence: the rows of the partitions whose epoch is still the one we claimed.  FOR SHARE lets
 * groups of different workers run side by side and makes a claim wait for them. */
#define STORE_HELD                                                                                 \
	"held AS MATERIALIZED (SELECT o.partition, o.epoch FROM public.calrelay_partition_owner o" \
	"  WHERE o.consumer_group = $2 AND o.topic = $3"                                           \
	"    AND (o.partition, o.epoch) IN (SELECT partition, epoch FROM input)"                   \
	"  ORDER BY o.partition FOR SHARE) "

/* A request that may still land makes its row dirty: the user's calendar is compared again once it
 * can't any more. */
#define STORE_FILE_AGAIN(dirty)                                                                    \
	"filed AS (INSERT INTO public.calendar_sync_requests (user_id, kind, due_at)"              \
	"  SELECT DISTINCT c.user_id, 'full', now() + $4::int * interval '1 second'"               \
	"    FROM " dirty " d JOIN public.calendar_connections c ON c.id = d.connection_id"        \
	"   WHERE d.dirty AND NOT EXISTS (SELECT FROM public.calendar_sync_requests q"             \
	"     WHERE q.user_id = c.user_id AND q.kind = 'full' AND q.state = 'requested'"           \
	"       AND q.due_at > now())) "

/* tx1.  pos '' keeps the row's own position: the mailbox decides, not the guard. */
static const char STORE_INTENT_SQL[] =
    "WITH input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb)"
    "  AS i(r int, k int, partition int, epoch bigint, connection uuid, assignment uuid, pos text,"
    "       attempt uuid)), " STORE_HELD ", "
    "written AS (INSERT INTO public.synced_calendar_events AS e"
    "    (assignment_id, connection_id, pending_pos, attempt)"
    "  SELECT i.assignment, i.connection,"
    "      CASE WHEN i.pos <> '' THEN i.pos COLLATE \"C\""
    "        ELSE greatest(p.applied_pos, p.pending_pos, '" CHANGE_POS_FLOOR "' COLLATE \"C\") END,"
    "      i.attempt"
    "    FROM input i JOIN held h USING (partition, epoch)"
    "      JOIN public.calendar_connections c ON c.id = i.connection"
    "      LEFT JOIN public.synced_calendar_events p"
    "        ON p.assignment_id = i.assignment AND p.connection_id = i.connection"
    "  ON CONFLICT (assignment_id, connection_id) DO UPDATE SET"
    "    dirty = e.dirty OR e.pending_pos IS NOT NULL,"
    "    due_at = CASE WHEN e.pending_pos IS NOT NULL"
    "      THEN now() + $4::int * interval '1 second' ELSE e.due_at END,"
    "    pending_pos = excluded.pending_pos, attempt = excluded.attempt, updated_at = now()"
    "  WHERE excluded.pending_pos >="
    "    greatest(coalesce(e.applied_pos, ''), coalesce(e.pending_pos, ''))"
    "  RETURNING e.assignment_id, e.connection_id, e.dirty), " STORE_FILE_AGAIN(
	"written") "SELECT i.r, i.k, h.partition IS NOT NULL, w.assignment_id IS NOT NULL"
		   "  FROM input i LEFT JOIN held h USING (partition, epoch)"
		   "    LEFT JOIN written w ON w.assignment_id = i.assignment AND w.connection_id "
		   "= i.connection";

/* tx2.  attempt null: the row alone learns, no request was sent.  what 'released': the request was
 * refused before it did anything, the intent is taken back. */
static const char STORE_RESULT_SQL[] =
    "WITH input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb)"
    "  AS i(r int, partition int, epoch bigint, connection uuid, assignment uuid, attempt uuid,"
    "       pos text, what text, event_id text, change_key text, hash text, incarnation int,"
    "       error text)), " STORE_HELD ", "
    "recorded AS (INSERT INTO public.synced_calendar_events AS e (assignment_id, connection_id,"
    "      state, external_event_id, change_key, content_hash, incarnation, applied_pos, "
    "last_error)"
    "  SELECT i.assignment, i.connection, i.what, i.event_id, i.change_key, i.hash, i.incarnation,"
    "      CASE WHEN i.pos <> '' THEN i.pos COLLATE \"C\""
    "        ELSE greatest(p.applied_pos, p.pending_pos, '" CHANGE_POS_FLOOR "' COLLATE \"C\") END,"
    "      i.error"
    "    FROM input i JOIN held h USING (partition, epoch)"
    "      JOIN public.calendar_connections c ON c.id = i.connection"
    "      LEFT JOIN public.synced_calendar_events p"
    "        ON p.assignment_id = i.assignment AND p.connection_id = i.connection"
    "   WHERE i.attempt IS NULL"
    "  ON CONFLICT (assignment_id, connection_id) DO UPDATE SET"
    "    dirty = e.dirty OR e.pending_pos IS NOT NULL,"
    "    due_at = CASE WHEN e.pending_pos IS NOT NULL"
    "      THEN now() + $4::int * interval '1 second' ELSE e.due_at END,"
    "    state = excluded.state, external_event_id = excluded.external_event_id,"
    "    change_key = excluded.change_key, content_hash = excluded.content_hash,"
    "    incarnation = excluded.incarnation, applied_pos = excluded.applied_pos,"
    "    pending_pos = NULL, attempt = NULL, last_error = excluded.last_error,"
    "    last_synced_at = now(), updated_at = now()"
    "  WHERE excluded.applied_pos >="
    "    greatest(coalesce(e.applied_pos, ''), coalesce(e.pending_pos, ''))"
    "  RETURNING e.connection_id, e.dirty), "
    "mine AS (UPDATE public.synced_calendar_events e SET state = i.what,"
    "    external_event_id = i.event_id, change_key = i.change_key, content_hash = i.hash,"
    "    incarnation = i.incarnation, applied_pos = e.pending_pos, pending_pos = NULL,"
    "    attempt = NULL, last_error = i.error, last_synced_at = now(), updated_at = now()"
    "  FROM input i JOIN held h USING (partition, epoch)"
    "  WHERE e.assignment_id = i.assignment AND e.connection_id = i.connection"
    "    AND e.attempt = i.attempt AND i.what <> 'released'"
    "  RETURNING e.connection_id), "
    "released AS (UPDATE public.synced_calendar_events e SET pending_pos = NULL, attempt = NULL,"
    "    updated_at = now()"
    "  FROM input i JOIN held h USING (partition, epoch)"
    "  WHERE e.assignment_id = i.assignment AND e.connection_id = i.connection"
    "    AND e.attempt = i.attempt AND i.what = 'released'), "
    "others AS (UPDATE public.synced_calendar_events e SET dirty = true,"
    "    due_at = now() + $4::int * interval '1 second', updated_at = now()"
    "  FROM input i JOIN held h USING (partition, epoch)"
    "  WHERE e.assignment_id = i.assignment AND e.connection_id = i.connection"
    "    AND i.attempt IS NOT NULL AND e.attempt IS DISTINCT FROM i.attempt"
    "  RETURNING e.connection_id, e.dirty), "
    "unsure AS (SELECT * FROM others UNION SELECT * FROM recorded WHERE dirty), "
    "touched AS (UPDATE public.calendar_connections SET last_synced_at = now()"
    "  WHERE id IN (SELECT connection_id FROM mine UNION SELECT connection_id FROM "
    "recorded)), " STORE_FILE_AGAIN(
	"unsure") "SELECT i.r, bool_and(h.partition IS NOT NULL)"
		  "  FROM input i LEFT JOIN held h USING (partition, epoch) GROUP BY i.r";

#endif
