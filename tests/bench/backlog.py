"""backlog.py - 300,000 row changes wait in the log: how fast do they reach Kafka?"""
import shutil
import time

from parts.debezium import Debezium
from parts.process import Process
from stage import NOTHING, say
from table import Figure

CHANGES = 300_000
OPTIONS = ("proto_version=1", "messages=true", "publication_names=calrelay,calrelay_requests")


class Reference:
    """pg_recvlogical, which throws away what the producer decodes: the walsender's own pace."""

    SLOT = "reference"

    def __init__(self, stage, end):
        self.stage, postgres = stage, stage.system.postgres
        self.process = Process("pg_recvlogical", [
            f"{postgres.bin}/pg_recvlogical", "--start", "--no-loop", f"--slot={self.SLOT}",
            f"--endpos={end}", "--file=/dev/null", "-d", postgres.url(stage.system.database),
            *(word for option in OPTIONS for word in ("-o", option))],
            stage.system.folder / "pg_recvlogical.log")

    def run(self):
        """Rows per second from its start to its end."""
        self.stage.rewind(self.SLOT, f"{self.stage.system.slot}_origin")
        started = time.monotonic()
        status = self.process.start().wait(300)
        assert status == 0, self.process.log_tail()
        return CHANGES / (time.monotonic() - started)


class Rival:
    """Debezium in Kafka Connect, as it is shipped; begins each run with its first offsets."""

    def __init__(self, stage):
        self.stage = stage
        self.debezium = Debezium(stage.system, java=("-Xmx1g",),
                                 connector={"topic.creation.default.partitions": 12})
        self.offsets = self.debezium.folder / "offsets"
        self.debezium.start()
        self.debezium.wait_streaming()
        self.debezium.stop()
        shutil.copy(self.offsets, f"{self.offsets}.first")
        stage.keep_origin(self.debezium.slot)

    def run(self):
        """Rows per second from the first record to the last: its JVM's start does not count."""
        shutil.copy(f"{self.offsets}.first", self.offsets)
        self.stage.rewind(self.debezium.slot)
        self.stage.renew_topics()
        self.debezium.start()
        self.stage.wait_count(self.debezium.topic, NOTHING, CHANGES, self.debezium)
        self.debezium.kill9()  # it would take its time, and nothing of it is needed
        first, last = self.stage.span(self.debezium.topic, NOTHING)
        return CHANGES / (last - first)


def run_producer(stage):
    """Rows per second from its start, and from its first record; microseconds of CPU per event."""
    stage.rewind(stage.system.slot)
    stage.renew_topics()
    since = stage.ends(stage.topic)
    started = stage.start_producer()
    stage.wait_count(stage.topic, since, CHANGES, stage.producer)
    cpu_us = stage.cpu_seconds() * 1e6 / CHANGES
    stage.stop_producer()
    first, last = stage.span(stage.topic, since)
    return CHANGES / (last - started), CHANGES / (last - first), cpu_us


def measure(stage, rounds):
    stage.keep_origin(stage.system.slot)
    rival = Rival(stage)
    stage.book(CHANGES)
    reference = Reference(stage, stage.system.value("SELECT pg_current_wal_lsn()"))
    theirs, limits, ours = [], [], []
    for number in range(rounds):
        limits.append(reference.run())
        ours.append(run_producer(stage))
        theirs.append(rival.run())
        say(f"round {number + 1}: pg_recvlogical {limits[-1]:,.0f} rows/s, producer "
            f"{ours[-1][0]:,.0f}, Debezium {theirs[-1]:,.0f}")
    from_start, from_first, cpu_us = zip(*ours)
    return [
        Figure("backlog: producer, start to last record", "rows/s", from_start, None),
        Figure("backlog: producer, first to last record", "rows/s", from_first, None),
        Figure("backlog: pg_recvlogical to /dev/null, start to end", "rows/s", limits, None),
        Figure("backlog: Debezium, first to last record", "rows/s", theirs, None),
        Figure("backlog: of pg_recvlogical's pace, from the start", "x",
               [our / limit for our, limit in zip(from_start, limits)], (">=", 0.7)),
        Figure("backlog: of Debezium's pace, from the first record", "x",
               [our / their for our, their in zip(from_first, theirs)], (">=", 5)),
        Figure("backlog: CPU per event, all threads", "us", cpu_us, ("<=", 8)),
    ]
