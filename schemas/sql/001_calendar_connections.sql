-- One row per user and provider: whose calendar we may write to, and the sealed tokens for it.
--
-- The plan's table and policies, with what the programs need beyond it.  Two notes:
--   * gen_random_uuid() stands where the plan has uuid_generate_v4(): the same kind of value, built
--     into PostgreSQL since 13, so it works where the extension uuid-ossp is absent.
--   * access_token and refresh_token hold sealed text, v1:<key id>:<base64>, never a bare token.  They
--     are never null: at the end of a disconnect the whole row goes.
CREATE TABLE public.calendar_connections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    provider text NOT NULL DEFAULT 'microsoft',
    access_token text NOT NULL,
    refresh_token text NOT NULL,
    token_expires_at timestamptz NOT NULL,
    outlook_email text,
    calendar_id text DEFAULT 'primary',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),

    status text NOT NULL DEFAULT 'active'
        CHECK (status IN ('active', 'needs_reconnect', 'disconnecting')),
    status_reason text,
    scopes text,
    time_zone text,
    token_version bigint NOT NULL DEFAULT 0,
    not_before timestamptz,
    last_synced_at timestamptz,
    tenant_id text,
    account_id text,
    adopted_at timestamptz,
    synced_snapshot text,
    refresh_lease_until timestamptz,
    refresh_lease_by text,

    UNIQUE (user_id, provider)
);

COMMENT ON COLUMN public.calendar_connections.token_version IS
    'counts refreshes: a refresher stores its tokens only where this is still what it read';
COMMENT ON COLUMN public.calendar_connections.not_before IS
    'no call to this mailbox before then: Graph''s Retry-After has to survive a change of worker';
COMMENT ON COLUMN public.calendar_connections.tenant_id IS 'Microsoft''s tid';
COMMENT ON COLUMN public.calendar_connections.account_id IS 'Microsoft''s oid';
COMMENT ON COLUMN public.calendar_connections.adopted_at IS
    'when one complete listing of the mailbox''s marked events had been read; nothing is created before';
COMMENT ON COLUMN public.calendar_connections.synced_snapshot IS
    'pg_current_snapshot() of the last read of the tables: a record whose transaction it saw is old';

ALTER TABLE public.calendar_connections ENABLE ROW LEVEL SECURITY;

-- The plan's policies speak of auth.uid(), which is Supabase's.  Where it is missing no browser talks to
-- PostgreSQL, and a table with row security and no policy shows nobody anything.
DO $$
BEGIN
    IF to_regprocedure('auth.uid()') IS NULL THEN
        RAISE NOTICE 'auth.uid() does not exist: no policies for the browser role';
        RETURN;
    END IF;
    CREATE POLICY "Users can view own connections" ON public.calendar_connections
        FOR SELECT USING (user_id = auth.uid());
    CREATE POLICY "Users can insert own connections" ON public.calendar_connections
        FOR INSERT WITH CHECK (user_id = auth.uid());
    CREATE POLICY "Users can update own connections" ON public.calendar_connections
        FOR UPDATE USING (user_id = auth.uid());
    CREATE POLICY "Users can delete own connections" ON public.calendar_connections
        FOR DELETE USING (user_id = auth.uid());
END
$$;
