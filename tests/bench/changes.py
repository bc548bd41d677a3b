"""changes.py - 9,000 changes of 300 people wait: how fast are they in the calendars, how dear?"""
import collections
import time

import rivals
from office import LATENCY_MS, PARTITIONS, Office
from stage import say
from table import Figure

PEOPLE, EACH = 300, 30
CHANGES = PEOPLE * EACH
SHARE = 300  # of the calls that are made one after the other; the rest would take as long, each
AT_ONCE = 16
UPDATE = """
UPDATE project_assignments SET booking_status = %s, updated_at = now() WHERE project_id = %s
"""
SHOWN = """
SELECT a.id, p.client_name, p.start_date::text, (p.end_date + 1)::text AS after, a.notes,
    p.notes AS project_notes FROM project_assignments a JOIN projects p ON p.id = a.project_id
"""


class Run:
    """How one contestant fared, in seconds since 1970, by the fake's records."""

    def __init__(self, started, updates):
        self.started = started
        self.answered = sorted(update["at_ms"] / 1000 for update in updates)

    def rate_from_start(self):
        return CHANGES / (self.answered[CHANGES - 1] - self.started)

    def rate_from_first_call(self):
        return CHANGES / (self.answered[CHANGES - 1] - self.answered[0] + LATENCY_MS / 1000)

    def rate_of_last(self):
        """Of the changes after the first 9,000, which warmed it up."""
        return CHANGES / (self.answered[-1] - self.answered[-CHANGES - 1])


class Round:
    """One change of every assignment, in a transaction for each project, and who brings it."""

    def __init__(self, office, number):
        self.office, self.number = office, number
        self.status = ("confirmed", "tentative")[number % 2]
        self.since = office.ends()
        for project in office.system.sql("SELECT id FROM projects"):
            office.system.sql(UPDATE, self.status, project["id"])
        office.system.wait_published(60)
        assert sum(office.ends()) - sum(self.since) == CHANGES
        self.tokens = {str(member.user_id): member.token for member in office.members}
        self.calls = office.calls()

    def run(self, start, watch, count):
        """Until so many updates were answered, as often of one assignment as of another."""
        office = self.office
        mark = office.fake.mark()
        before = office.fake.stats()["requests"].get("update", {}).get("200", 0)
        started = time.time()
        start()
        office.wait_updates(before, count, watch)
        updates = office.updated(mark)
        times = collections.Counter(update["assignment"] for update in updates)
        assert len(updates) == count and set(times.values()) == {max(count // CHANGES, 1)}
        return Run(started, updates)

    def worker(self):
        """How it fared, microseconds of CPU per change, and its peak memory."""
        office = self.office
        run = self.run(office.start_worker, office.worker, CHANGES)
        office.wait_settled()
        cpu_us = office.worker.cpu_seconds() * 1e6 / CHANGES
        peak = office.worker.memory_mib("VmHWM")
        office.stop_worker()
        office.system.connected = {member.email for member in office.members}
        office.system.assert_calendars_equal_plan()
        return run, cpu_us, peak

    def parallel(self, since):
        """The same for Parallel Consumer, which does what came before this round first."""
        group = f"parallel{self.number}"
        self.office.commit(group, since)
        process = rivals.parallel_consumer(self.office, group, [
            (assignment, self.tokens[user], event) for assignment, user, event in self.calls])
        run = self.run(process.start, process, 2 * CHANGES)
        peak = process.memory_mib("VmHWM")
        process.kill9()
        return run, peak

    def client(self, count, in_flight):
        """Calls per second, from the start of its process."""
        rows = {str(row["id"]): row for row in self.office.system.sql(SHOWN)}
        calls = [(self.tokens[user], f"/me/events/{event}",
                  rivals.event_of(rows[assignment], self.status))
                 for assignment, user, event in self.calls[:count]]
        process = rivals.graph_client(self.office, calls, in_flight)
        run = self.run(process.start, process, count)
        assert process.wait(10) == 0, process.log_tail()
        return count / (run.answered[-1] - run.started)


def cpu_of_start(office):
    """Of a worker that has nothing to do, until it is ready."""
    office.start_worker()
    office.worker.wait_ready()
    cpu_us = office.worker.cpu_seconds() * 1e6 / CHANGES
    office.stop_worker()
    return cpu_us


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
    since = [0] * PARTITIONS  # before the first round the topic holds one creation of each
    for number in range(rounds):
        turn = Round(office, number)
        ours.append(turn.worker())
        theirs.append(turn.parallel(since))
        abreast.append(turn.client(CHANGES, AT_ONCE))
        alone.append(turn.client(SHARE, 1))
        since = turn.since
        say(f"round {number + 1}: worker {ours[-1][0].rate_from_start():,.0f} changes/s, Parallel "
            f"Consumer {theirs[-1][0].rate_from_start():,.0f}, client {abreast[-1]:,.0f} and "
            f"{alone[-1]:,.1f}")
    return [*of_client([run.rate_from_start() for run, _, _ in ours], alone, abreast),
            Figure("cpu: per change, the start included", "us",
                   [cpu_us for _, cpu_us, _ in ours], ("<=", 100)),
            Figure("cpu: of that the start, without changes", "us", [start_us], None),
            *of_parallel(ours, theirs)]


def of_client(ours, alone, abreast):
    return [
        Figure("changes: worker, from its start", "per s", ours, None),
        Figure(f"changes: graph client, one call at a time ({SHARE} of {CHANGES:,} calls)",
               "per s", alone, None),
        Figure(f"changes: graph client, {AT_ONCE} calls in flight", "per s", abreast, None),
        Figure("changes: of the client's pace, one call at a time", "x",
               [our / their for our, their in zip(ours, alone)], (">=", 10)),
        Figure(f"changes: of the client's pace, {AT_ONCE} in flight", "x",
               [our / their for our, their in zip(ours, abreast)], (">=", 3)),
    ]


def of_parallel(ours, theirs):
    first = [run.rate_from_first_call() for run, _, _ in ours]
    rival = [run.rate_from_first_call() for run, _ in theirs]
    warm = [run.rate_of_last() for run, _ in theirs]
    return [
        Figure("parallel: worker, first call to last answer", "per s", first, None),
        Figure("parallel: Parallel Consumer, first call to last answer", "per s", rival, None),
        Figure("parallel: Parallel Consumer, once it is warm", "per s", warm, None),
        Figure("parallel: of its pace", "x",
               [our / their for our, their in zip(first, rival)], None),
        Figure("parallel: of its pace once it is warm", "x",
               [our / their for our, their in zip(first, warm)], None),
        Figure("parallel: peak memory of the worker", "MiB", [peak for _, _, peak in ours], None),
        Figure("parallel: peak memory of Parallel Consumer", "MiB",
               [peak for _, peak in theirs], None),
    ]
