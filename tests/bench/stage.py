"""stage.py - PostgreSQL, Kafka, one producer, and a plan whose changes it publishes."""
import functools
import os
import pathlib
import re
import sys
import time

import confluent_kafka
from parts.process import wait_until
from parts.programs import build_folder
from parts.system import Backbone, System

PEOPLE, PROJECTS, PARTITIONS = 1000, 500, 12
TOPIC_CONFIG = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime",
                "max.message.bytes": "10485760"}
SEED = f"""
INSERT INTO profiles (id, email, full_name)
    SELECT gen_random_uuid(), 'person' || n || '@example.com', 'Person ' || n
    FROM generate_series(0, {PEOPLE - 1}) n;
INSERT INTO projects (client_name, start_date, end_date, notes)
    SELECT 'Client ' || n, date '2026-03-02' + n % 200, date '2026-03-06' + n % 200,
           'Contact: front desk' FROM generate_series(0, {PROJECTS - 1}) n;
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
        self.system.sql(SEED)
        self.fresh_topics()
        self.producer.start().wait_ready()
        self.stop_producer()

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
        """User and system time of all its threads."""
        words = self._proc("stat").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        return int(re.search(r"VmHWM:\s+(\d+) kB", self._proc("status")).group(1)) / 1024

    def _proc(self, name):
        return pathlib.Path(f"/proc/{self.producer.child.pid}/{name}").read_text()

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

    def fresh_topics(self):
        """Both event topics, and Debezium's, empty; the broker stamps what it appends."""
        prefix = self.system.prefix
        names = [self.topic, self.system.requests_topic,
                 f"{prefix}.debezium.public.project_assignments"]
        self.kafka.delete_topics(prefix)
        wait_until(lambda: not self.kafka.topics(prefix), 20, "the topics are gone")
        for name in names:
            self.kafka.create_topic(name, PARTITIONS, TOPIC_CONFIG)
        for name in names:
            wait_until(lambda: self._is_led(name), 20, f"{name} is led")

    def _is_led(self, topic):
        try:
            return self.ends(topic)
        except confluent_kafka.KafkaException:
            return False

    @functools.cached_property
    def reader(self):
        return confluent_kafka.Consumer({
            "bootstrap.servers": self.kafka.bootstrap, "group.id": "bench", "log_level": 0,
            "enable.auto.commit": False, "fetch.wait.max.ms": 10})

    def ends(self, topic):
        """The next offset of each partition."""
        return [self.reader.get_watermark_offsets(
            confluent_kafka.TopicPartition(topic, number), timeout=10)[1]
            for number in range(PARTITIONS)]

    def wait_count(self, topic, count, watch, timeout=300):
        """Until the topic holds that many records; to ask often would cost the broker."""
        deadline = time.monotonic() + timeout
        while (found := sum(self.ends(topic))) < count:
            watch.assert_running()
            assert time.monotonic() < deadline, f"{found} of {count} records in {topic}"
            time.sleep(0.3)
        assert found == count, f"{found} records in {topic} instead of {count}"

    def span(self, topic, since=(0,) * PARTITIONS):
        """When the broker appended the first and the last record since these offsets."""
        grown = [(number, first, end - 1) for number, (first, end)
                 in enumerate(zip(since, self.ends(topic))) if end > first]
        return (min(self._stamp_s(topic, number, first) for number, first, _ in grown),
                max(self._stamp_s(topic, number, last) for number, _, last in grown))

    def _stamp_s(self, topic, partition, offset):
        return append_time_ms(self._record(topic, partition, offset)) / 1000

    def _record(self, topic, partition, offset):
        self.reader.assign([confluent_kafka.TopicPartition(topic, partition, offset)])
        record = self.reader.poll(10)
        self.reader.unassign()  # or it would go on fetching while something is measured
        assert record is not None and not record.error(), f"no record {partition}:{offset}"
        return record

    def records(self, topic, since):
        """Everything behind these offsets."""
        wanted = sum(self.ends(topic)) - sum(since)
        self.reader.assign([confluent_kafka.TopicPartition(topic, number, first)
                            for number, first in enumerate(since)])
        while wanted > 0:
            batch = self.reader.consume(min(wanted, 1000), 10)
            assert batch, f"{wanted} records are missing"
            wanted -= len(batch)
            yield from batch
        self.reader.unassign()


def say(what):
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def append_time_ms(record):
    kind, stamp_ms = record.timestamp()
    assert kind == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME
    return stamp_ms
