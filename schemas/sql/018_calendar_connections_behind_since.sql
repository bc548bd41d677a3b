-- Since when a parked person's calendar lacks a change: the records are done, so no offset tells it any
-- more.  The worker writes it when it parks somebody, and takes it away once the calendar is compared.
ALTER TABLE public.calendar_connections ADD COLUMN behind_since timestamptz;
COMMENT ON COLUMN public.calendar_connections.behind_since IS
    'when the oldest change was made that waits with a parked person; null: none does';
CREATE INDEX calendar_connections_behind ON public.calendar_connections (behind_since)
    WHERE behind_since IS NOT NULL;
