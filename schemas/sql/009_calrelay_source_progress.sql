-- How far an epoch's snapshot is, and what to do about a slot that was lost.
--
-- A row is written when an epoch begins.  Until snapshot_finished_at is set, a producer that starts
-- goes over the tables again (what is in Kafka already is not repeated).  A slot that is gone although
-- its epoch is here has lost changes: the producer stops and says so.  Setting given_up accepts that:
-- at its next start it creates a slot and begins a new epoch, with a snapshot.
ALTER TABLE public.calrelay_source
    ADD COLUMN snapshot_finished_at timestamptz,
    ADD COLUMN given_up boolean NOT NULL DEFAULT false;
