"""Workers are killed and frozen at random while Microsoft fails in every way; nothing of it stays.

CALRELAY_CHAOS_SEED repeats a run, CALRELAY_CHAOS_ROUNDS makes the long one longer.  Judged from the
fake's record of requests, PostgreSQL's rows and Kafka's offsets.
"""
import collections
import os
import random
import time

import pytest

from parts import faults
from parts.host import HostApp, Steadily

SESSION_S = 6  # a worker that is silent for longer has lost its partitions
SHORT_S = 2  # less than a session, also for one who is killed right after it
PAUSE_S = 0.15


class WorkerTrouble:
    """Kills and freezes workers, several at a time, and brings each of them back."""

    def __init__(self, workers, dice):
        self.workers, self.dice, self.count = workers, dice, collections.Counter()
        self.due = []  # [(when, worker, what to do then)]
        self.history = []  # [(when, what)]

    def strike(self):
        """One more of those that are well; False where none is."""
        busy = {worker for _, worker, _ in self.due}
        well = [worker for worker in self.workers if worker not in busy]
        if not well:
            return False
        self.dice.choice((self.kill, self.kill, self.freeze_for_long, self.freeze_for_long,
                          self.freeze, self.stop))(self.dice.choice(well))
        return True

    def kill(self, worker):
        worker.kill9()
        self._later("kills", worker, self.dice.uniform(0, 1.5 * SESSION_S), worker.start)

    def freeze_for_long(self, worker):
        worker.pause()
        self._later("freezes beyond the session", worker,
                    self.dice.uniform(SESSION_S + 1, 2 * SESSION_S), worker.cont)

    def freeze(self, worker):
        worker.pause()
        self._later("short freezes", worker, self.dice.uniform(0, SHORT_S), worker.cont)

    def stop(self, worker):
        worker.expected = False
        worker.child.terminate()
        self._later("stops", worker, 0, lambda: (worker.wait(40), worker.start()))

    def _later(self, what, worker, after_s, action):
        self.count[what] += 1
        self.history.append((round(time.time(), 2), f"{worker.name}: {what}, {after_s:.2f} s"))
        self.due.append((time.monotonic() + after_s, worker, action))

    def heal(self, all_of_them=False):
        """Brings back whose time has come."""
        now = time.monotonic()
        while self.due and all_of_them:
            now = max(when for when, _, _ in self.due)
            time.sleep(max(0, now - time.monotonic()))
            all_of_them = False
        for entry in sorted(self.due, key=lambda entry: entry[0]):
            if entry[0] <= now:
                self.due.remove(entry)
                entry[2]()


class Chaos:
    """A system under steady work, with what a seed does to it."""

    def __init__(self, system, seed):
        self.system, self.dice = system, random.Random(seed)
        self.people = system.connect_people(6)
        self.host = HostApp(system, self.people, random.Random(seed + 1))
        self.trouble = WorkerTrouble(system.workers, self.dice)
        self.faults = collections.Counter()
        self.sql = system.postgres.connect(system.database)  # the host app uses the system's

    def rows(self, statement, *values):
        with self.sql.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall()

    def fail(self, draw):
        on, deed, more = draw(self.dice)
        account = self.dice.choice(self.people).email if self.dice.random() < 0.5 else None
        self.system.fake.fault(on, deed, account, **more)
        what = "hang" if draw is faults.hang else deed
        self.faults[f"{on} {what}"] += more.get("times", 1)

    def work(self, seconds, draws, strikes_every_s):
        """Strikes and fails while the host app works."""
        end = time.monotonic() + seconds
        strike_at = 0
        with Steadily(self.host, PAUSE_S) as host:
            while time.monotonic() < end:
                if time.monotonic() >= strike_at and self.trouble.strike():
                    strike_at = time.monotonic() + self.dice.uniform(0, 2 * strikes_every_s)
                self.fail(self.dice.choice(draws))
                time.sleep(self.dice.uniform(0, 1.5))
                self.trouble.heal()
                self.assert_committed_is_done()
                if faults.hang not in draws:
                    self.assert_one_call_at_a_time()
        self.trouble.heal(all_of_them=True)
        self.system.fake.clear_faults()
        return host.acts

    def wait_still(self, timeout):
        """Until everything is where it belongs, nothing is owed and nothing is under way."""
        system = self.system
        for program in system.programs:
            program.wait_ready(90)
        system.wait_calendars_equal_plan(timeout)
        system.wait_committed(timeout)

    def wait_settled(self, timeout):
        """Until what was lost has landed or been asserted again: no quarantine is left."""
        self.wait_still(timeout)
        self.system.wait_until(lambda: self.system.fake.stats()["calls"] == 0, timeout,
                               "no call is left at Microsoft")
        self.system.wait_until(lambda: self.rows(
            "SELECT (SELECT count(*) FROM synced_calendar_events"
            "   WHERE dirty OR pending_pos IS NOT NULL OR attempt IS NOT NULL)"
            " + (SELECT count(*) FROM calendar_sync_requests"
            "   WHERE state IN ('requested', 'running')) AS owed")[0]["owed"] == 0, timeout,
            "no dirty row, no unfinished intent, no open request")
        self.wait_still(timeout)

    # what must hold

    def assert_committed_is_done(self):
        system = self.system
        for topic in (system.topic, system.requests_topic):
            committed = system.kafka.committed(system.group, topic)  # read before what it is below
            done = {row["partition"]: row["done_offset"] or 0 for row in self.rows(
                "SELECT partition, done_offset FROM calrelay_partition_progress"
                " WHERE consumer_group = %s AND topic = %s", system.group, topic)}
            beyond = {number: (offset, done.get(number)) for number, offset in committed.items()
                      if offset > done.get(number, 0)}
            assert not beyond, f"{topic}: committed but not done: {beyond}"

    def assert_one_call_at_a_time(self):
        """Only where no call outlives its worker's session."""
        stats, last = self.system.fake.stats(), self.trouble.history[-8:]
        assert stats["max_calls_per_mailbox"] == 1, last
        assert stats["max_in_flight_per_mailbox"] <= 4, last

    def assert_never_two(self, mark):
        """At no time had an assignment two events in one calendar."""
        live = collections.defaultdict(set)
        for record in self.system.fake.writes(mark):
            key = record["account"], record["assignment"]
            if record["kind"] == "create" and record["status"] == 201:
                live[key].add(record["event_id"])
                assert len(live[key]) == 1, f"{key} has {live[key]} at {record['seq']}"
            elif record["kind"] == "delete" and record["status"] == 204:
                live[key].discard(record["event_id"])

    def assert_all_well(self):
        system = self.system
        system.assert_calendars_equal_plan()
        self.assert_committed_is_done()
        assert system.lag() == 0
        assert system.dlq_records() == []
        assert not self.rows("SELECT * FROM calendar_connections WHERE status <> 'active'")
        mapped = self.rows(
            "SELECT lower(o.outlook_email) AS email, e.external_event_id AS id"
            "  FROM synced_calendar_events e JOIN calendar_connections o ON o.id = e.connection_id"
            " WHERE e.external_event_id IS NOT NULL")
        there = {(person.email, event["id"]) for person in self.people
                 for event in system.calendar(person.email)}
        assert {(row["email"], row["id"]) for row in mapped} == there, "each event has its row"

    def report(self, acts):
        print(f"{acts} actions; {dict(self.trouble.count)}; faults {dict(self.faults)}")


def seed_of_run():
    seed = int(os.environ.get("CALRELAY_CHAOS_SEED") or random.randrange(10 ** 6))
    print(f"CALRELAY_CHAOS_SEED={seed}")
    return seed


def test_workers_killed_and_frozen_under_work_leave_every_calendar_right(system):
    chaos = Chaos(system.start(workers=3), seed_of_run())
    system.fake.latency(50)
    mark = system.fake.mark()

    acts = chaos.work(10, faults.PASSING, 1)

    system.fake.latency(0)
    chaos.wait_still(60)
    chaos.report(acts)
    chaos.assert_all_well()
    chaos.assert_never_two(mark)


@pytest.mark.slow
def test_whatever_lands_late_or_is_lost_while_workers_die_nothing_is_left_of_it(system):
    chaos = Chaos(system.start(workers=3), seed_of_run())
    rounds = int(os.environ.get("CALRELAY_CHAOS_ROUNDS") or 2)
    system.fake.latency(50)
    mark = system.fake.mark()
    acts = 0

    for _ in range(rounds):
        acts += chaos.work(90, faults.PASSING, 3)
    chaos.wait_still(120)
    chaos.assert_never_two(mark)
    for _ in range(rounds):
        acts += chaos.work(60, (*faults.PASSING, faults.hang, faults.hang), 3)

    system.fake.latency(0)
    chaos.wait_settled(240)
    chaos.report(acts)
    chaos.assert_all_well()
