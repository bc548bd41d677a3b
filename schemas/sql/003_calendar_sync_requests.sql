-- What people (and the worker, for later) ask for: a full synchronisation, or a disconnect.
--
-- user_id and kind alone are enough to file one.  The insert travels through Kafka to the worker that
-- owns the user; the worker writes its progress into the row.
CREATE TABLE public.calendar_sync_requests (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.profiles (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('full', 'disconnect')),
    state text NOT NULL DEFAULT 'requested'
        CHECK (state IN ('requested', 'running', 'done', 'failed')),
    total integer NOT NULL DEFAULT 0,
    done integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    error text,
    due_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    remove_events boolean NOT NULL DEFAULT false
);

COMMENT ON COLUMN public.calendar_sync_requests.due_at IS 'not before then; null: at once';
COMMENT ON COLUMN public.calendar_sync_requests.remove_events IS
    'of a disconnect: whether our events leave the calendar too';

CREATE INDEX calendar_sync_requests_due ON public.calendar_sync_requests (due_at)
    WHERE state IN ('requested', 'running');
CREATE INDEX calendar_sync_requests_user ON public.calendar_sync_requests (user_id, created_at DESC);

ALTER TABLE public.calendar_sync_requests ENABLE ROW LEVEL SECURITY;

DO $$
BEGIN
    IF to_regprocedure('auth.uid()') IS NOT NULL THEN
        CREATE POLICY "Users can file own sync requests" ON public.calendar_sync_requests
            FOR INSERT WITH CHECK (user_id = auth.uid());
    END IF;
END
$$;
