-- Which database may write to real calendars: this one, as long as it is where it was armed.
--
-- A copy brings the row along and is somewhere else: another server, database or Kafka, or an older state of
-- the same.  Its workers do nothing until somebody arms it (calrelay-worker arm).  A database that
-- was never armed arms itself.
CREATE TABLE public.calrelay_armed (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    system_identifier text NOT NULL,
    timeline integer NOT NULL,
    database bigint NOT NULL,
    kafka_cluster text NOT NULL,
    armed_at timestamptz NOT NULL DEFAULT now(),
    armed_by text NOT NULL DEFAULT session_user
);

COMMENT ON COLUMN public.calrelay_armed.database IS
    'its oid: a database that is restored into the same server has another one';

ALTER TABLE public.calrelay_armed ENABLE ROW LEVEL SECURITY;

DO $$
DECLARE
    role_name text;
BEGIN
    FOR role_name IN
        SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
        UNION ALL SELECT 'public'
    LOOP
        EXECUTE format('REVOKE ALL ON public.calrelay_armed FROM %s',
            CASE role_name WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role_name) END);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE ON public.calrelay_armed TO calrelay_worker;
CREATE POLICY calrelay_programs ON public.calrelay_armed
    TO calrelay_worker USING (true) WITH CHECK (true);
