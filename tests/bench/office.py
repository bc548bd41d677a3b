"""office.py - PostgreSQL, Kafka, the fake, a producer, a worker, and many people's calendars."""
import contextlib
import time

import confluent_kafka
import crowd
from parts.process import wait_until
from parts.programs import build_folder
from parts.system import Backbone, System
from stage import say

PARTITIONS = 12
LATENCY_MS = 100
WAIT_SECONDS = 600
PROJECTS = """
INSERT INTO projects (client_name, start_date, end_date, notes)
    SELECT 'Client ' || n, date '2026-03-02' + n %% 200, date '2026-03-06' + n %% 200,
           'Contact: front desk, 2nd floor; bring the badge' FROM generate_series(1, %s) n
"""
ASSIGNMENTS = """
INSERT INTO project_assignments (project_id, user_id, booking_status, notes)
    SELECT p.id, c.user_id, 'tentative', 'on site, from 9:00'
    FROM projects p, calendar_connections c ORDER BY p.id, c.user_id
"""
BEHIND = """
SELECT %s - coalesce(sum(committed_offset), 0) AS behind FROM calrelay_partition_progress
WHERE consumer_group = %s AND topic = %s
"""


class Office:
    """The whole pipeline but for connect; its worker is not started."""

    def __init__(self, members, partitions=PARTITIONS, latency_ms=LATENCY_MS):
        self.partitions, self.latency_ms = partitions, latency_ms
        self.backbone = Backbone().start()
        self.system = System(self.backbone, build_folder("release"), number="")
        self.kafka, self.fake, self.worker = (self.system.kafka, self.system.fake,
                                              self.system.worker)
        self.topic = self.system.topic
        self.fake.start().wait_ready()
        self.system.producer.with_settings(CALRELAY_PARTITIONS=partitions)
        self.system.producer.start().wait_ready()  # by then the topics exist
        started = time.monotonic()
        self.members = crowd.add_members(self.system, members, partitions)
        say(f"{members} people connected in {time.monotonic() - started:.1f} s")

    def close(self):
        self.backbone.stop()

    # the plan

    def fill(self, projects):
        """Everybody on each of so many projects; the worker makes the events; then the fake slows."""
        self.system.sql(PROJECTS, projects)
        self.system.sql(ASSIGNMENTS)
        self.system.wait_published(120)
        self.start_worker()
        self.wait_settled()
        self.stop_worker()
        self.fake.latency(self.latency_ms)

    def calls(self):
        """(assignment, user, event) of all, so that neighbours are different people's."""
        return [(str(row["assignment_id"]), str(row["user_id"]), row["external_event_id"])
                for row in self.system.sql(
                    "SELECT e.assignment_id, c.user_id, e.external_event_id "
                    "FROM synced_calendar_events e JOIN calendar_connections c "
                    "ON c.id = e.connection_id JOIN project_assignments a "
                    "ON a.id = e.assignment_id ORDER BY a.project_id, c.user_id")]

    # the worker

    def start_worker(self):
        """When it was started (s since 1970)."""
        started = time.time()
        self.worker.start()
        return started

    def stop_worker(self):
        status = self.worker.sigterm()
        assert status == 0, f"the worker ended with {status}:\n{self.worker.log_tail()}"

    def warm_up(self):
        """The broker's first group takes its time; how much memory a worker takes to be ready."""
        self.start_worker()
        self.worker.wait_ready()
        peak = self.worker.memory_mib("VmHWM")
        self.stop_worker()
        return peak

    def behind(self, end):
        """Records that Kafka has no offset of the worker's for, by what it noted afterwards."""
        return self.system.value(BEHIND, end, self.worker.settings["CALRELAY_GROUP"], self.topic)

    def wait_settled(self):
        """Until Kafka has the worker's offset of everything in the topic."""
        end = sum(self.ends())
        wait_until(lambda: self.behind(end) == 0, WAIT_SECONDS, "all is committed", [self.worker])

    # the fake's records

    def updated(self, since):
        """The answered updates, in the order in which they came."""
        return [record for record in self.fake.requests(since, kinds={"update"})
                if record["status"] == 200]

    def wait_updates(self, since, count, watch):
        """Asks for numbers only: the fake has one thread, which the contestants need."""
        def answered():
            return self.fake.stats()["requests"].get("update", {}).get("200", 0) - since >= count
        deadline = time.monotonic() + WAIT_SECONDS
        while not answered():
            watch.assert_running()
            assert time.monotonic() < deadline, f"not {count} updates:\n{watch.log_tail()}"
            time.sleep(0.25)

    # Kafka

    def ends(self):
        """The next offset of each partition."""
        with self.reader("bench") as reader:
            return [reader.get_watermark_offsets(
                confluent_kafka.TopicPartition(self.topic, number), timeout=10)[1]
                for number in range(self.partitions)]

    def commit(self, group, offsets):
        """As if the group had come that far."""
        with self.reader(group) as reader:
            reader.commit(asynchronous=False, offsets=[
                confluent_kafka.TopicPartition(self.topic, number, offset)
                for number, offset in enumerate(offsets)])

    @contextlib.contextmanager
    def reader(self, group):
        made = confluent_kafka.Consumer({"bootstrap.servers": self.kafka.bootstrap,
                                         "group.id": group, "log_level": 0,
                                         "enable.auto.commit": False})
        try:
            yield made
        finally:
            made.close()
