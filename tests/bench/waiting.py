"""waiting.py - Microsoft hangs and 100,000 records wait: how much memory does a worker take?"""
import time

from flood import Flood
from office import Office
from stage import say
from table import Figure

PEOPLE, EACH = 1000, 100
HANGING_MS, HANGING_SECONDS = 600_000, 45  # beyond the worker's own deadline of 30 s


def measure(_rounds):
    office = Office(PEOPLE)
    try:
        flood = Flood(office, EACH)
        flood.apply(0)
        flood.write([1])
        office.fake.latency(HANGING_MS)
        office.start_worker()
        time.sleep(HANGING_SECONDS)
        office.worker.assert_running()
        hanging = office.worker.memory_mib("VmHWM")
        resident = office.worker.memory_mib("VmRSS")
        say(f"in flight: {office.worker.metric('calrelay_worker_in_flight_users'):.0f}")
    finally:
        office.close()
    return [
        Figure(f"memory: peak, Microsoft hanging for {HANGING_SECONDS} s", "MiB", [hanging],
               ("<=", 64)),
        Figure("memory: resident at the end of that", "MiB", [resident], None),
    ]
