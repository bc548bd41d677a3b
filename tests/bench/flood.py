"""flood.py - a topic full of records as our producer writes them, and their mapping rows."""
import itertools
import uuid

import confluent_kafka
import crowd
from office import PARTITIONS
from parts.murmur2 import partition

MAPPINGS = """
INSERT INTO synced_calendar_events (assignment_id, connection_id, external_event_id, last_synced_at,
    state, change_key, content_hash, applied_pos) VALUES %s
"""
MAPPING = "(%s, %s, %s, now(), 'synced', 'ZlnW4RIAV06KYQAAAAAAAAAC', %s, %s)"


class Flood:
    """Assignments of the office's members, each with some versions, like one real record."""

    def __init__(self, office, each):
        self.office, system = office, office.system
        self.connections = {str(row["user_id"]): str(row["id"]) for row in system.sql(
            "SELECT id, user_id FROM calendar_connections")}
        self.assignments = [(str(uuid.uuid4()), user) for _ in range(each)
                            for user in self.connections]
        self.pattern = self._pattern()

    def _pattern(self):
        """The record of an update, as our producer writes it, which then may go."""
        system = self.office.system
        user = system.value("INSERT INTO profiles (email) VALUES ('stranger@example.com') "
                            "RETURNING id")  # no connection: nothing is done about these two
        project = system.create_project("Client 1", notes="Contact: front desk, 2nd floor; badge")
        assignment = system.value(
            "INSERT INTO project_assignments (project_id, user_id, notes) VALUES (%s, %s, %s) "
            "RETURNING id", project, user, "on site, from 9:00")
        system.update_assignment_status(assignment, "confirmed")
        system.wait_published()
        assert system.producer.sigterm() == 0
        record = system.kafka.read(system.topic)[-1]
        self.found = str(assignment).encode(), str(user).encode()
        return record

    @staticmethod
    def position(version):
        """Behind everything that the pattern's own database may have."""
        return f"00000001:{0x7000000000000000 + version:016x}:00000010"

    def write(self, versions):
        """Version by version, as a history would have them; how many records."""
        writer = confluent_kafka.Producer({
            "bootstrap.servers": self.office.kafka.bootstrap, "linger.ms": 20, "log_level": 0,
            "compression.type": "lz4", "queue.buffering.max.messages": 500_000})
        for version, (assignment, user) in itertools.product(versions, self.assignments):
            self._produce(writer, version, assignment, user)
        assert writer.flush(60) == 0
        return len(versions) * len(self.assignments)

    def _produce(self, writer, version, assignment, user):
        key, value = (text.replace(self.found[0], assignment.encode())
                      .replace(self.found[1], user.encode())
                      for text in (self.pattern.key, self.pattern.value))
        headers = {**self.pattern.headers, "calrelay.pos": self.position(version)}
        while True:
            try:
                writer.produce(self.office.topic, value, key,
                               partition(user.encode(), PARTITIONS), headers=headers)
                return
            except BufferError:
                writer.poll(0.1)

    def apply(self, version):
        """As if a worker had brought that version into the calendars."""
        crowd.insert(self.office.system, MAPPINGS, [
            (assignment, self.connections[user], f"AAkALg{assignment}", "0" * 64,
             self.position(version)) for assignment, user in self.assignments], MAPPING)
        self.office.system.sql("ANALYZE")
