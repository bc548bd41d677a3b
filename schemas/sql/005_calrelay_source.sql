-- The epochs of the source: in each of them, and only there, log positions can be compared.
--
-- A new one begins whenever system identifier, timeline or slot differ from those of the last: after a
-- restore, a failover, an upgrade or with a new slot, positions start over.
CREATE TABLE public.calrelay_source (
    epoch bigint PRIMARY KEY CHECK (epoch BETWEEN 0 AND 4294967295),
    system_identifier text NOT NULL,
    timeline integer NOT NULL,
    slot text NOT NULL,
    consistent_point pg_lsn
);

ALTER TABLE public.calrelay_source ENABLE ROW LEVEL SECURITY;
