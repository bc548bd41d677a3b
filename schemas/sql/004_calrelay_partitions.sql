-- Who owns which Kafka partition, and how far its records are done.
--
-- Two tables, because every mapping transaction reads the owner's row FOR SHARE (the fence) while
-- progress is written all the time: in one row the fence's readers would deadlock with the writers.
CREATE TABLE public.calrelay_partition_owner (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    epoch bigint NOT NULL,
    member text NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition)
);

CREATE TABLE public.calrelay_partition_progress (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    done_offset bigint,
    committed_offset bigint,
    replay_to bigint,
    PRIMARY KEY (consumer_group, topic, partition)
);

COMMENT ON COLUMN public.calrelay_partition_progress.done_offset IS
    'every record below is done: its result is in this database';
COMMENT ON COLUMN public.calrelay_partition_progress.committed_offset IS
    'written after Kafka acknowledged a commit: a lower position given at assignment is a reset';
COMMENT ON COLUMN public.calrelay_partition_progress.replay_to IS
    'a replay runs to this offset, and nothing is committed beyond it until it is done; null: none';

ALTER TABLE public.calrelay_partition_owner ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.calrelay_partition_progress ENABLE ROW LEVEL SECURITY;
