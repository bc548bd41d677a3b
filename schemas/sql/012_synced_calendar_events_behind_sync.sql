-- Set where a record that names no transaction was applied: it may be older than what the last sync
-- had read, so records that this sync had seen must not be passed by any more.
ALTER TABLE public.synced_calendar_events ADD COLUMN behind_sync boolean NOT NULL DEFAULT false;
