-- The mapping: which event in whose calendar stands for which assignment, and how far it is.
--
-- Two deliberate changes of the plan's table:
--   * assignment_id has no foreign key.  With ON DELETE CASCADE, removing an assignment would erase
--     the very row that says which event has to go: an orphan in the calendar, without any fault.
--     The row of a removed assignment stays, as a tombstone (state 'deleted').
--   * external_event_id may be null: the intent to create an event is written before Microsoft is
--     asked, and its id is known only afterwards.
CREATE TABLE public.synced_calendar_events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    assignment_id uuid NOT NULL,
    connection_id uuid NOT NULL REFERENCES public.calendar_connections (id) ON DELETE CASCADE,
    external_event_id text,
    last_synced_at timestamptz DEFAULT now(),

    state text NOT NULL DEFAULT 'synced' CHECK (state IN ('synced', 'deleted', 'failed')),
    incarnation integer NOT NULL DEFAULT 1,
    content_hash text,
    change_key text,
    applied_pos text COLLATE "C",
    pending_pos text COLLATE "C",
    attempt uuid,
    dirty boolean NOT NULL DEFAULT false,
    due_at timestamptz,
    last_error text,
    updated_at timestamptz NOT NULL DEFAULT now(),

    UNIQUE (assignment_id, connection_id)
);

-- Positions have parts of fixed width, so under "C" they compare as text exactly as they do in time.
COMMENT ON COLUMN public.synced_calendar_events.applied_pos IS
    'position of the newest record that the calendar shows';
COMMENT ON COLUMN public.synced_calendar_events.pending_pos IS
    'position of the record that an unfinished attempt is bringing to the calendar';
COMMENT ON COLUMN public.synced_calendar_events.attempt IS
    'unique per attempt: a result is stored only where this is still its own';
COMMENT ON COLUMN public.synced_calendar_events.incarnation IS
    'grows when an event has to be made anew; part of the transactionId of its creation';
COMMENT ON COLUMN public.synced_calendar_events.dirty IS
    'a lost request may still land: assert the applied state again at due_at';

CREATE INDEX synced_calendar_events_connection ON public.synced_calendar_events (connection_id);
CREATE INDEX synced_calendar_events_due ON public.synced_calendar_events (due_at) WHERE dirty;

ALTER TABLE public.synced_calendar_events ENABLE ROW LEVEL SECURITY;
