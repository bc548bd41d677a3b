"""nothing.py - a million records that need no call: how fast are they done with?"""
import time

from flood import Flood
from office import Office
from stage import say
from table import Figure

PEOPLE, EACH, VERSIONS = 1000, 100, 10


def pass_by(office, group, count):
    """Records per second from the worker's start until Kafka has its offsets of all; us of CPU each."""
    office.worker.with_settings(CALRELAY_GROUP=group)
    started = time.monotonic()
    office.start_worker()
    office.wait_settled()
    took = time.monotonic() - started
    cpu_us = office.worker.cpu_seconds() * 1e6 / count
    peak = office.worker.memory_mib("VmHWM")
    office.stop_worker()
    say(f"{group}: {count:,} records in {took:.1f} s, {cpu_us:.1f} us of CPU each, {peak:.0f} MiB")
    return count / took


def measure(rounds):
    office = Office(PEOPLE)
    try:
        office.start_worker()  # the broker's first group takes its time
        office.worker.wait_ready()
        office.stop_worker()
        flood = Flood(office, EACH)
        count = flood.write(range(VERSIONS))
        flood.apply(VERSIONS)
        mark = office.fake.mark()
        applied = [pass_by(office, f"applied{number}", count) for number in range(rounds)]
        office.system.sql("DELETE FROM calendar_connections")
        nobody = [pass_by(office, f"nobody{number}", count) for number in range(rounds)]
        assert not office.fake.requests(mark)
    finally:
        office.close()
    return [
        Figure("nothing: records that are applied already", "per s", applied, (">=", 100_000)),
        Figure("nothing: records of people without a connection", "per s", nobody,
               (">=", 100_000)),
    ]
