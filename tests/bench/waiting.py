"""waiting.py - Microsoft hangs and 100,000 records wait: how much memory does a worker take?"""
import time

from flood import Flood
from office import Office
from table import Figure

PEOPLE, EACH = 1000, 100
HANGING_MS, HANGING_SECONDS = 600_000, 45  # beyond the worker's own deadline of 30 s


def while_microsoft_hangs(office):
    """Peak and resident memory with an update waiting for every event, and no answer to any."""
    flood = Flood(office, EACH)
    flood.apply(0)
    assert flood.write([1]) == PEOPLE * EACH
    office.fake.latency(HANGING_MS)
    office.start_worker()
    time.sleep(HANGING_SECONDS)
    office.worker.assert_running()
    assert office.worker.metric("calrelay_worker_in_flight_users") > 0
    return office.worker.memory_mib("VmHWM"), office.worker.memory_mib("VmRSS")


def measure(_rounds):
    office = Office(PEOPLE)
    try:
        idle = office.warm_up()
        peak, resident = while_microsoft_hangs(office)
    finally:
        office.close()
    return [
        Figure("memory: peak of a worker that has nothing to do", "MiB", [idle], None),
        Figure(f"memory: peak with 100,000 records, Microsoft hanging for {HANGING_SECONDS} s",
               "MiB", [peak], ("<=", 64)),
        Figure("memory: resident at the end of that", "MiB", [resident], None),
    ]
