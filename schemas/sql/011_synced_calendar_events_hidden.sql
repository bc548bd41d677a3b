-- An event that its person deleted, where CALRELAY_DELETED_EVENTS=respect: it stays away until the
-- assignment goes, or until the worker runs with the default policy again.
ALTER TABLE public.synced_calendar_events
    DROP CONSTRAINT synced_calendar_events_state_check,
    ADD CONSTRAINT synced_calendar_events_state_check
        CHECK (state IN ('synced', 'deleted', 'failed', 'hidden'));
