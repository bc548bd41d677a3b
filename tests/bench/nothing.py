"""nothing.py - a million records that need no call: how fast are they done with?"""
import collections
import time

from flood import Flood
from office import Office
from stage import say
from table import Figure

PEOPLE, EACH, VERSIONS = 1000, 100, 10

Pass = collections.namedtuple("Pass", "rate cpu_us peak_mib")


def pass_by(office, group, count):
    """From the worker's start until Kafka has its offsets of all."""
    office.worker.with_settings(CALRELAY_GROUP=group)
    started = time.monotonic()
    office.start_worker()
    office.wait_settled()
    took = time.monotonic() - started
    result = Pass(count / took, office.worker.cpu_seconds() * 1e6 / count,
                  office.worker.memory_mib("VmHWM"))
    office.stop_worker()
    say(f"{group}: {result.rate:,.0f} records/s")
    return result


def passes(office, rounds, count):
    """By records that are applied already, and the same when nobody has a connection."""
    mark = office.fake.mark()
    applied = [pass_by(office, f"applied{number}", count) for number in range(rounds)]
    office.system.sql("DELETE FROM calendar_connections")
    nobody = [pass_by(office, f"nobody{number}", count) for number in range(rounds)]
    assert not office.fake.requests(mark)
    return applied, nobody


def measure(rounds):
    office = Office(PEOPLE)
    try:
        office.warm_up()
        flood = Flood(office, EACH)
        count = flood.write(range(VERSIONS))
        flood.apply(VERSIONS)
        applied, nobody = passes(office, rounds, count)
    finally:
        office.close()
    return [*figures("records that are applied already", applied),
            *figures("records of people without a connection", nobody)]


def figures(what, measured):
    return [
        Figure(f"nothing: {what}", "per s", [one.rate for one in measured], (">=", 100_000)),
        Figure("nothing: CPU for each of them", "us", [one.cpu_us for one in measured], None),
        Figure("nothing: peak memory meanwhile", "MiB", [one.peak_mib for one in measured], None),
    ]
