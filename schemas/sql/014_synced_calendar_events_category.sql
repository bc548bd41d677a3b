-- Which category of ours the event carries, so that an update that leaves it as it is need not mention
-- categories, and those that the person has added stay.  Null: unknown, as in every row of before.
-- shares_categories: there were such when we last saw the event; then an update that changes ours reads
-- the event first.
ALTER TABLE public.synced_calendar_events
    ADD COLUMN category text,
    ADD COLUMN shares_categories boolean NOT NULL DEFAULT false;
