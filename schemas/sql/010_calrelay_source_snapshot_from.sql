-- Where an epoch's snapshot goes on after its producer was killed: every assignment with a smaller id is
-- in Kafka.  Null: from the first.
ALTER TABLE public.calrelay_source ADD COLUMN snapshot_from uuid;
