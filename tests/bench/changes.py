"""changes.py - 9,000 changes of 300 people wait: how fast are they in the calendars, and at what cost?"""
import time

import rivals
from office import LATENCY_MS, PARTITIONS, Office
from stage import say
from table import Figure

PEOPLE, EACH = 300, 30
CHANGES = PEOPLE * EACH
SHARE = 300  # of the calls that are made one after the other; the rest would take as long, each
AT_ONCE = 16
UPDATE = "UPDATE project_assignments SET booking_status = %s, updated_at = now() WHERE project_id = %s"
SHOWN = """
SELECT a.id, p.client_name, p.start_date::text, (p.end_date + 1)::text AS after, a.notes,
    p.notes AS project_notes FROM project_assignments a JOIN projects p ON p.id = a.project_id
"""


class Round:
    """One change of every assignment, in a transaction for each project, and who brings it."""

    def __init__(self, office, number):
        self.office, self.number = office, number
        self.status = ("confirmed", "tentative")[number % 2]
        self.before = getattr(office, "since", [0] * PARTITIONS)
        office.since = self.since = office.ends()
        for project in office.system.sql("SELECT id FROM projects"):
            office.system.sql(UPDATE, self.status, project["id"])
        office.system.wait_published(60)
        assert sum(office.ends()) - sum(self.since) == CHANGES
        self.tokens = {str(member.user_id): member.token for member in office.members}
        self.calls = office.calls()

    def run(self, start, watch, count=CHANGES):
        """When it was started, the first call began and the last was answered (s since 1970)."""
        office = self.office
        mark = office.fake.mark()
        before = office.fake.stats()["requests"].get("update", {}).get("200", 0)
        started = time.time()
        start()
        office.wait_updates(before, count, watch)
        updates = office.updated(mark)
        assert len({update["assignment"] for update in updates}) == len(updates) == count
        times = [update["at_ms"] / 1000 for update in updates]
        return started, min(times) - LATENCY_MS / 1000, max(times)

    def worker(self):
        office = self.office
        times = self.run(office.start_worker, office.worker)
        office.wait_settled()
        cost = office.worker.cpu_seconds() * 1e6 / CHANGES, office.worker.memory_mib("VmHWM")
        office.stop_worker()
        self.assert_shown()
        return times, cost

    def assert_shown(self):
        office = self.office
        office.system.connected = {member.email for member in office.members}
        office.system.assert_calendars_equal_plan()

    def client(self, count, in_flight):
        """Seconds per call, from the start of its process."""
        rows = {str(row["id"]): row for row in self.office.system.sql(SHOWN)}
        calls = [(self.tokens[user], f"/me/events/{event}",
                  rivals.event_of(rows[assignment], self.status))
                 for assignment, user, event in self.calls[:count]]
        process = rivals.graph_client(self.office, calls, in_flight)
        started, _, last = self.run(process.start, process, count)
        process.stop()
        return (last - started) / count

    def parallel(self):
        group = f"parallel{self.number}"
        self.office.commit(group, self.since)
        process = rivals.parallel_consumer(self.office, group, [
            (assignment, self.tokens[user], event) for assignment, user, event in self.calls])
        times = self.run(process.start, process)
        peak = process.memory_mib("VmHWM")
        process.kill9()
        return times, peak


def cpu_of_start(office):
    """Of a worker that has nothing to do, until it is ready."""
    office.start_worker()
    office.worker.wait_ready()
    cpu_us = office.worker.cpu_seconds() * 1e6 / CHANGES
    office.stop_worker()
    return cpu_us


def rate(times, since):
    """Changes per second up to the last answer, since the start (0) or the first call (1)."""
    return CHANGES / (times[2] - times[since])


def measure(rounds):
    office = Office(PEOPLE)
    try:
        office.fill(EACH)
        return figures_of(office, rounds)
    finally:
        office.close()


def figures_of(office, rounds):
    start_us = cpu_of_start(office)
    ours, theirs, alone, abreast = [], [], [], []
    for number in range(rounds):
        turn = Round(office, number)
        ours.append(turn.worker())
        theirs.append(turn.parallel())
        abreast.append(1 / turn.client(CHANGES, AT_ONCE))
        alone.append(1 / turn.client(SHARE, 1))
        say(f"round {number + 1}: worker {rate(ours[-1][0], 0):,.0f} changes/s, Parallel Consumer "
            f"{rate(theirs[-1][0], 0):,.0f}, client {abreast[-1]:,.0f} and {alone[-1]:,.1f}")
    worker = [rate(times, 0) for times, _ in ours]
    first = [rate(times, 1) for times, _ in ours]
    rival = [rate(times, 1) for times, _ in theirs]
    cpu_us, peaks = zip(*(cost for _, cost in ours))
    return [
        Figure("changes: worker, from its start", "per s", worker, None),
        Figure(f"changes: graph client, one call at a time ({SHARE} of {CHANGES:,} calls)",
               "per s", alone, None),
        Figure(f"changes: graph client, {AT_ONCE} calls in flight", "per s", abreast, None),
        Figure("changes: of the client's pace, one call at a time", "x",
               [our / their for our, their in zip(worker, alone)], (">=", 10)),
        Figure(f"changes: of the client's pace, {AT_ONCE} in flight", "x",
               [our / their for our, their in zip(worker, abreast)], (">=", 3)),
        Figure("cpu: per change, the start included", "us", cpu_us, ("<=", 100)),
        Figure("cpu: of that the start, without changes", "us", [start_us], None),
        Figure("parallel: worker, first call to last answer", "per s", first, None),
        Figure("parallel: Parallel Consumer, first call to last answer", "per s", rival, None),
        Figure("parallel: Parallel Consumer, from its start", "per s",
               [rate(times, 0) for times, _ in theirs], None),
        Figure("parallel: of its pace, from the first call", "x",
               [our / their for our, their in zip(first, rival)], None),
        Figure("parallel: of its pace, from the start", "x",
               [our / rate(times, 0) for our, (times, _) in zip(worker, theirs)], None),
        Figure("parallel: peak memory of the worker", "MiB", peaks, None),
        Figure("parallel: peak memory of Parallel Consumer", "MiB",
               [peak for _, peak in theirs], None),
    ]
