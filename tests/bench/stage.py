"""stage.py - PostgreSQL, Kafka, one producer, and a plan whose changes it publishes."""
import contextlib
import sys
import time

import confluent_kafka
from parts.process import wait_until
from parts.programs import build_folder
from parts.system import Backbone, System

PEOPLE, PROJECTS, PARTITIONS = 1000, 500, 12
NOTHING = (0,) * PARTITIONS
WAIT_SECONDS = 300
TOPIC_CONFIG = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime",
                "max.message.bytes": "10485760"}
SEED = f"""
INSERT INTO profiles (id, email, full_name)
    SELECT gen_random_uuid(), 'person' || n || '@example.com', 'Person ' || n
    FROM generate_series(0, {PEOPLE - 1}) n;
INSERT INTO projects (client_name, start_date, end_date, notes)
    SELECT 'Client ' || n, date '2026-03-02' + n % 200, date '2026-03-06' + n % 200,
           'Contact: front desk' FROM generate_series(0, {PROJECTS - 1}) n;
INSERT INTO project_assignments (project_id, user_id)
    SELECT p.id, u.id FROM projects p, profiles u LIMIT 1;
CREATE TABLE bench_people AS SELECT row_number() OVER () - 1 AS n, id FROM profiles;
CREATE TABLE bench_projects AS SELECT row_number() OVER () - 1 AS n, id FROM projects;
CREATE INDEX ON bench_people (n);
CREATE INDEX ON bench_projects (n);
ANALYZE;
"""
# A team is booked on a project, then half of it confirmed: 30 row changes in two transactions.
BOOK = f"""
DO $$
DECLARE
    booked uuid[];
BEGIN
    FOR turn IN 1..%s LOOP
        WITH made AS (
            INSERT INTO project_assignments (project_id, user_id, booking_status, notes)
            SELECT p.id, u.id, 'tentative', CASE WHEN u.n %% 4 = 0 THEN 'on site, from 9:00' END
            FROM bench_projects p, bench_people u WHERE p.n = turn %% {PROJECTS} AND u.n = ANY
                (ARRAY(SELECT (turn * 37 + k * 41) %% {PEOPLE} FROM generate_series(1, 20) k))
            RETURNING id)
        SELECT array_agg(id) INTO booked FROM made;
        COMMIT;
        EXECUTE 'UPDATE project_assignments SET booking_status = ''confirmed'', updated_at = now()'
            ' WHERE id = ANY ($1)' USING booked[1:10];
        COMMIT;
    END LOOP;
END
$$
"""
CHANGES_PER_TURN = 30


class Stage:
    """One database, a producer that has made its slot and topics, and has stopped."""

    def __init__(self):
        self.backbone = Backbone().start()
        self.system = System(self.backbone, build_folder("release"), number="")
        self.kafka, self.producer = self.system.kafka, self.system.producer
        self.topic = self.system.topic
        self.reader = self._new_reader()
        self.system.sql(SEED)
        self.create_topics()
        self.producer.start().wait_ready()
        self.stop_producer()
        self.first = next(self.records(self.topic, NOTHING))

    def close(self):
        self.reader.close()  # while Kafka is there
        self.backbone.stop()

    def start_producer(self):
        """When it was started (s since 1970)."""
        started = time.time()
        self.producer.start()
        return started

    def stop_producer(self):
        status = self.producer.sigterm()
        assert status == 0, f"the producer ended with {status}:\n{self.producer.log_tail()}"

    def cpu_seconds(self):
        return self.producer.cpu_seconds()

    def peak_mib(self):
        return self.producer.memory_mib("VmHWM")

    # the plan

    def book(self, changes):
        """Commits that many row changes, in transactions of 20 and 10."""
        assert changes % CHANGES_PER_TURN == 0
        self.system.sql(BOOK % (changes // CHANGES_PER_TURN))

    # slots: each has an origin, a copy that stays where it was made, so that every run can begin
    # there again

    def keep_origin(self, slot):
        self.system.sql("SELECT pg_copy_logical_replication_slot(%s, %s)", slot, f"{slot}_origin")

    def rewind(self, slot, origin=None):
        wait_until(lambda: not self.system.sql(
            "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND active", slot))
        self.system.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                        "WHERE slot_name = %s", slot)
        self.system.sql("SELECT pg_copy_logical_replication_slot(%s, %s)",
                        origin or f"{slot}_origin", slot)

    # topics

    def renew_topics(self):
        """As they were when the slot was made: with the one record of the snapshot, without which
        the producer would take them for lost and begin a new epoch."""
        self.kafka.delete_topics(self.system.prefix)
        wait_until(lambda: not self.kafka.topics(self.system.prefix), 20, "the topics are gone")
        self.create_topics()
        self.kafka.produce(self.topic, self.first.partition(), self.first.key(),
                           self.first.value(), self.first.headers())

    def create_topics(self):
        """Both event topics, and Debezium's; the broker stamps what it appends."""
        names = [self.topic, self.system.requests_topic,
                 f"{self.system.prefix}.debezium.public.project_assignments"]
        for name in names:
            self.kafka.create_topic(name, PARTITIONS, TOPIC_CONFIG)
        for name in names:
            wait_until(lambda: self._is_led(name), 20, f"{name} is led")

    def _is_led(self, topic):
        """Asked by a new client, because the old one remembers the topic that is gone."""
        self.reader.close()
        self.reader = self._new_reader()
        try:
            return self.ends(topic)
        except confluent_kafka.KafkaException:
            return False

    def _new_reader(self):
        return confluent_kafka.Consumer({
            "bootstrap.servers": self.kafka.bootstrap, "group.id": "bench", "log_level": 0,
            "enable.auto.commit": False, "fetch.wait.max.ms": 10})

    def ends(self, topic):
        """The next offset of each partition."""
        return [self.reader.get_watermark_offsets(
            confluent_kafka.TopicPartition(topic, number), timeout=10)[1]
            for number in range(PARTITIONS)]

    def wait_count(self, topic, since, count, watch):
        """Until so many records stand behind these offsets; to ask often would cost the broker."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (found := sum(self.ends(topic)) - sum(since)) < count:
            watch.assert_running()
            assert time.monotonic() < deadline, f"{found} of {count} records in {topic}"
            time.sleep(0.3)
        assert found == count, f"{found} records in {topic} instead of {count}"

    def span(self, topic, since):
        """When the broker appended the first and the last record since these offsets."""
        grown = [(number, first, end - 1) for number, (first, end)
                 in enumerate(zip(since, self.ends(topic))) if end > first]
        with self._fetching() as reader:
            return (min(stamp_s(reader, topic, number, first) for number, first, _ in grown),
                    max(stamp_s(reader, topic, number, last) for number, _, last in grown))

    def records(self, topic, since):
        """Everything behind these offsets."""
        wanted = sum(self.ends(topic)) - sum(since)
        with self._fetching() as reader:
            reader.assign([confluent_kafka.TopicPartition(topic, number, first)
                           for number, first in enumerate(since)])
            while wanted > 0:
                batch = reader.consume(min(wanted, 1000), 10)
                assert batch, f"{wanted} records are missing"
                wanted -= len(batch)
                yield from batch

    @contextlib.contextmanager
    def _fetching(self):
        """A client of its own: one that has an assignment goes on fetching in the background."""
        reader = self._new_reader()
        try:
            yield reader
        finally:
            reader.close()


def stamp_s(reader, topic, partition, offset):
    """When the broker appended the record (s since 1970)."""
    reader.assign([confluent_kafka.TopicPartition(topic, partition, offset)])
    record = reader.poll(10)
    assert record is not None and not record.error(), f"no record {partition}:{offset}"
    return append_time_ms(record) / 1000


def say(what):
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def append_time_ms(record):
    kind, stamp_ms = record.timestamp()
    assert kind == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME
    return stamp_ms
