"""Every command of docs/operations.md, run as it stands there, does what the document says.

One pipeline for all of them, in the document's order; each story leaves it whole.
"""
import os
import pathlib
import re
import shlex
import subprocess

import pytest

from parts.kafka import KAFKA_TOOLS
from parts.murmur2 import partition
from parts.process import ROOT
from parts.programs import build_folder

DOCUMENT = ROOT / "docs/operations.md"
BLOCK = re.compile(r"^```(\S*) ?(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = {name: text for _, name, text in BLOCK.findall(DOCUMENT.read_text())}


def make_tools(system):
    """A folder for PATH: the programs, and Kafka's tools under the names that Kafka gives them."""
    folder = system.folder / "bin"
    folder.mkdir()
    for room in ("producer", "worker", "connect"):
        os.symlink(build_folder() / room / f"calrelay-{room}", folder / f"calrelay-{room}")
    for name, java_class in KAFKA_TOOLS.items():
        script = folder / f"{name}.sh"
        script.write_text(f"#!/bin/sh\nexec {shlex.join(system.kafka.java())} {java_class} \"$@\"\n")
        script.chmod(0o755)
    return folder


class Operator:
    """Somebody at a terminal with the document."""

    def __init__(self, system):
        self.system, self.tools = system, make_tools(system)

    def environment(self, program=None, **more):
        program = program or self.system.worker
        return {**program.env, "PATH": f"{self.tools}:{os.environ['PATH']}",
                "CALRELAY_SLOT": self.system.slot,
                "OWNER_URL": self.system.postgres.url(self.system.database),
                "ADMIN_URL": self.system.postgres.url("postgres"),
                "WORKER": f"127.0.0.1:{self.system.worker.port}",
                **{name: str(value) for name, value in more.items()}}

    def run(self, name, program=None, status=0, **more):
        """What the command prints."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", COMMANDS[name]],
                              cwd=self.system.folder, env=self.environment(program, **more),
                              capture_output=True, text=True, timeout=100)
        assert done.returncode == status, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name, program):
        """A command that is a program and stays."""
        program.argv = ["bash", "-c", COMMANDS[name]]
        program.env = self.environment(program)
        return program.start()

    def end(self, name, *programs):
        """Programs that the command tells to end; each does, with exit status 0."""
        for program in programs:
            program.expected = False
        pids = " ".join(str(program.child.pid) for program in programs)
        self.run(name, WORKER_PID=pids, WORKER_PIDS=pids)
        assert [program.wait(40) for program in programs] == [0] * len(programs)

    def stop_workers(self):
        self.end("replay-stop", *self.system.workers)

    def start_workers(self):
        for worker in self.system.workers:
            self.start("replay-start", worker)
        for worker in self.system.workers:
            worker.wait_ready()

    def lags(self):
        """{(topic, partition): lag} as the document's command shows it; "-": nothing committed."""
        rows = [line.split() for line in self.run("lag").splitlines()]
        return {(row[1], int(row[2])): row[5] for row in rows
                if row and row[0] == self.system.group}

    def assert_over(self):
        """Every calendar is true, and nothing is left to do."""
        self.system.wait_calendars_equal_plan(90)
        self.system.wait_committed(60)

    def assert_said_over(self):
        """And the document's two commands say so."""
        self.assert_over()
        assert set(self.lags().values()) <= {"0", "-"}
        count = len(self.system.connected)
        assert f"calendars: {count} as planned, 0 not (0 events), 0 not compared" in self.run("true")


@pytest.fixture(scope="module")
def operator(shared_system):
    system = shared_system.start()
    system.assignments = system.create_assignments(
        system.create_project(), system.connect_people(3) * 3)
    system.wait_calendars_equal_plan()
    return Operator(system)


@pytest.fixture
def system(operator):
    return operator.system


@pytest.fixture
def people(system):
    return list(system.people.values())


def event_ids(system):
    return sorted(event["id"] for email in system.connected
                  for event in system.fake.events(email, folder=None))


def change_all(system, status):
    system.bulk_update_assignment_status(system.assignments, status)


def stray_by_hand(system, person):
    """Somebody deletes one event of a calendar and alters another."""
    first, second = system.calendar(person.email)[:2]
    system.fake.delete_event(person.email, first["id"])
    system.fake.edit_event(person.email, second["id"], subject="Changed by hand")
    assert system.differences()
    return system.fake.mark()


def repaired(system, mark):
    return sorted((write["kind"], write["account"]) for write in system.fake.writes(mark))


def test_each_command_of_the_document_is_run_by_a_story():
    stories = pathlib.Path(__file__).read_text()
    blocks = BLOCK.findall(DOCUMENT.read_text())
    assert {language for language, _, _ in blocks} == {"sh"}
    names = [name for _, name, _ in blocks if name != "kubernetes"]
    assert len(names) == len(set(names)) and len(names) > 20
    run = set(re.findall(r'\.(?:run|start|end)\("([a-z-]+)"', stories))
    assert run == set(names)


def test_workers_are_added_and_taken_away_while_they_work(operator, system):
    events, second = event_ids(system), system.new_worker()

    change_all(system, "confirmed")
    operator.start("scale-up", second).wait_ready()
    wait_stable(operator, 2)
    change_all(system, "tentative")
    operator.end("scale-down", second)
    system.workers.remove(second)

    operator.assert_over()
    wait_stable(operator, 1)
    assert event_ids(system) == events


def wait_stable(operator, members):
    """Until the group has settled on so many, as the document's command shows it."""
    def is_stable():
        line = operator.run("members").strip().splitlines()[-1].split()
        return line[-2:] == ["Stable", str(members)]
    operator.system.wait_until(is_stable, 60, f"{members} members are stable")


def test_a_rolling_update_doubles_nothing(operator, system):
    second = system.new_worker().start().wait_ready()
    events, mark = event_ids(system), system.fake.mark()
    for status, worker in (("confirmed", system.worker), ("tentative", second)):
        change_all(system, status)
        operator.end("rolling-end", worker)
        operator.start("rolling-start", worker)
        operator.run("rolling-wait", WORKER=f"127.0.0.1:{worker.port}")
    operator.assert_over()
    assert event_ids(system) == events
    assert not [write for write in system.fake.writes(mark) if write["kind"] != "update"]
    operator.end("scale-down", second)
    system.workers.remove(second)


def test_one_persons_calendar_is_replayed_and_nobody_elses(operator, system, people):
    ada, alan, _ = people
    mark = stray_by_hand(system, ada)
    stray_by_hand(system, alan)

    operator.run("replay-person", USER_ID=ada.user_id)

    def is_done():
        said = operator.run("replay-person-over", USER_ID=ada.user_id).strip()
        assert not said.startswith("failed")
        return said == "done|3|3|0|"
    system.wait_until(is_done, 30, "her request is done")
    assert {write["account"] for write in system.fake.writes(mark)
            if write["kind"] != "delete"} == {ada.email}
    operator.run("replay-person", USER_ID=alan.user_id)
    operator.assert_over()


def test_one_persons_assignments_are_told_again(operator, system, people):
    before = len(system.kafka.read(system.topic))

    operator.run("resnapshot-person", system.producer, USER_ID=people[0].user_id)

    system.wait_until(lambda: len(system.kafka.read(system.topic)) == before + 3, 30)
    operator.assert_over()


def test_one_partition_is_replayed(operator, system, people):
    ada = people[0]
    mark = stray_by_hand(system, ada)
    operator.stop_workers()
    line = operator.run("partition-of-person", USER_ID=ada.user_id)
    number = int(re.search(r"Partition:(\d+)", line).group(1))
    assert number == partition(str(ada.user_id).encode(), 12)

    said = operator.run("replay-partition", PARTITION=number)
    assert [line.split()[2] for line in said.splitlines() if system.group in line] == [str(number)]
    assert [where for where, lag in operator.lags().items() if lag not in "0-"] == [
        (system.topic, number)]
    operator.start_workers()

    operator.assert_over()
    assert repaired(system, mark) == [("create", ada.email), ("update", ada.email)]


def test_everything_is_replayed(operator, system, people):
    mark = stray_by_hand(system, people[0])
    stray_by_hand(system, people[1])
    operator.stop_workers()

    operator.run("replay-everything")
    assert set(operator.lags().values()) > {"0"}
    assert system.differences()
    operator.start_workers()

    operator.assert_said_over()
    assert repaired(system, mark) == sorted(
        (kind, person.email) for person in people[:2] for kind in ("create", "update"))


def test_a_lost_mapping_is_found_again_in_the_mailboxes(operator, system):
    events = event_ids(system)
    operator.stop_workers()
    system.sql("TRUNCATE synced_calendar_events")
    change_all(system, "confirmed")
    system.wait_published()
    mark = system.fake.mark()

    operator.run("lost-mapping")
    operator.start_workers()

    system.wait_until(lambda: system.value(
        "SELECT count(*) FROM synced_calendar_events WHERE state = 'synced'") == 9, 60)
    operator.assert_over()
    assert event_ids(system) == events
    assert {write["kind"] for write in system.fake.writes(mark)} == {"update"}


def test_what_a_lost_slot_left_out_is_told(operator, system):
    assert system.producer.sigterm() == 0
    system.postgres.drop_slot(system.slot)
    change_all(system, "confirmed")
    system.remove_assignment(system.assignments.pop())
    assert system.producer.start().wait(30) == 1
    assert f"slot {system.slot} is gone" in system.producer.log_text()

    operator.run("slot-lost")
    operator.start("slot-start", system.producer).wait_ready()

    operator.assert_over()


def test_an_outage_of_microsoft_needs_nobody(operator, system):
    system.fake.fault("any", "error", times=100000, status=503)
    change_all(system, "tentative")
    system.wait_until(lambda: 'service="graph"} 1' in operator.run("outage"), 60, "it shows")
    system.fake.clear_faults()
    system.wait_until(lambda: "} 1" not in operator.run("outage"), 60, "it is over")
    operator.assert_over()


def test_a_backup_is_restored_and_armed(operator, system, people):
    operator.run("backup")
    system.create_assignments(system.create_project("Since the backup"), people)
    system.wait_calendars_equal_plan()
    operator.stop_workers()
    for program in (system.producer, system.connect):
        assert program.sigterm() == 0
    system._connection.close()

    operator.run("restore")
    operator.run("slot-lost")
    operator.start("slot-start", system.producer).wait_ready()
    system.connect.start()
    mark = system.fake.mark()
    operator.start("replay-start", system.worker)
    system.wait_until(lambda: system.worker.metric("calrelay_worker_disarmed") == 1, 40)
    assert "this database is a copy" in operator.run("check-armed", status=1)
    assert not [request for request in system.fake.requests(mark) if request["account"]]
    assert len(system.differences()) == 3

    said = operator.run("arm")
    assert said.startswith("was armed: ") and "\nis armed: " in said
    operator.run("restore-compare")

    system.worker.wait_ready()
    operator.assert_said_over()
