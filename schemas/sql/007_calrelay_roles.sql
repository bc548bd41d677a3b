-- The roles of the three programs, and what each of them, and the browser, may do.
--
-- Grant them to login roles.  REPLICATION is not inherited: the producer's login role has to hold it
-- itself (ALTER ROLE … REPLICATION).
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['calrelay_producer', 'calrelay_worker', 'calrelay_connect'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role_name);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- somebody was faster, for another database of this server
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % is missing and % may not create it: have an administrator run CREATE ROLE % NOLOGIN',
                    role_name, current_user, role_name;
        END;
    END LOOP;
END
$$;

-- Supabase grants every new table in public to its API roles; ours are not for them.
DO $$
DECLARE
    role_name text;
BEGIN
    FOR role_name IN
        SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
        UNION ALL SELECT 'public'
    LOOP
        EXECUTE format('REVOKE ALL ON public.calendar_connections, public.synced_calendar_events,
            public.calendar_sync_requests, public.calrelay_partition_owner,
            public.calrelay_partition_progress, public.calrelay_source,
            public.calrelay_oauth_states FROM %s',
            CASE role_name WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role_name) END);
    END LOOP;
END
$$;

-- The browser sees its own connection without the tokens and files its own requests; the policies say
-- which rows, these privileges which columns.  Everything else goes through connect.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        GRANT SELECT (id, user_id, provider, token_expires_at, outlook_email, calendar_id, created_at,
                updated_at, status, status_reason, scopes, time_zone, not_before, last_synced_at)
            ON public.calendar_connections TO authenticated;
        GRANT INSERT (user_id, kind) ON public.calendar_sync_requests TO authenticated;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO calrelay_producer, calrelay_worker, calrelay_connect;

GRANT SELECT ON public.projects, public.project_assignments, public.calendar_sync_requests
    TO calrelay_producer;
GRANT SELECT, INSERT, UPDATE ON public.calrelay_source TO calrelay_producer;

GRANT SELECT ON public.projects, public.project_assignments TO calrelay_worker;
GRANT SELECT, UPDATE, DELETE ON public.calendar_connections TO calrelay_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.synced_calendar_events TO calrelay_worker;
GRANT SELECT, INSERT, UPDATE ON public.calendar_sync_requests TO calrelay_worker;
GRANT SELECT, INSERT, UPDATE ON public.calrelay_partition_owner, public.calrelay_partition_progress
    TO calrelay_worker;

GRANT SELECT (id, email) ON public.profiles TO calrelay_connect;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.calendar_connections TO calrelay_connect;
GRANT SELECT ON public.synced_calendar_events TO calrelay_connect;
GRANT SELECT, INSERT ON public.calendar_sync_requests TO calrelay_connect;
-- Connecting the same mailbox again cancels a disconnect that is still under way.
GRANT UPDATE (state, error, finished_at) ON public.calendar_sync_requests TO calrelay_connect;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.calrelay_oauth_states TO calrelay_connect;

-- Row security shows a role without a policy an empty table, without an error: a snapshot of nothing.
-- So each role has a policy on every table it reads, the host's too; there it matters only where the host
-- has row security enabled, and does not enable it.
CREATE POLICY calrelay_reads ON public.projects
    FOR SELECT TO calrelay_producer, calrelay_worker USING (true);
CREATE POLICY calrelay_reads ON public.project_assignments
    FOR SELECT TO calrelay_producer, calrelay_worker USING (true);
CREATE POLICY calrelay_reads ON public.profiles
    FOR SELECT TO calrelay_connect USING (true);

-- On our own tables the privileges above decide what a role may do, so the policies let all through.
CREATE POLICY calrelay_programs ON public.calendar_connections
    TO calrelay_worker, calrelay_connect USING (true) WITH CHECK (true);
CREATE POLICY calrelay_programs ON public.synced_calendar_events
    TO calrelay_worker, calrelay_connect USING (true) WITH CHECK (true);
CREATE POLICY calrelay_programs ON public.calendar_sync_requests
    TO calrelay_producer, calrelay_worker, calrelay_connect USING (true) WITH CHECK (true);
CREATE POLICY calrelay_programs ON public.calrelay_partition_owner
    TO calrelay_worker USING (true) WITH CHECK (true);
CREATE POLICY calrelay_programs ON public.calrelay_partition_progress
    TO calrelay_worker USING (true) WITH CHECK (true);
CREATE POLICY calrelay_programs ON public.calrelay_source
    TO calrelay_producer USING (true) WITH CHECK (true);
CREATE POLICY calrelay_programs ON public.calrelay_oauth_states
    TO calrelay_connect USING (true) WITH CHECK (true);
