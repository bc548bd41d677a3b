"""demo.py - scripts/demo's story: the whole pipeline at work, every step with its time."""
import argparse
import datetime
import os
import signal
import sys
import time

from . import truth
from .process import end_everything
from .programs import build_folder
from .system import Backbone, System

PEOPLE, ASSIGNMENTS, WORKERS = 8, 30, 2
CLIENTS = ("Acme Corp", "Globex", "Initech", "Umbrella Health", "Stark Industries")
STATUSES = ("tentative", "option", "requested", "confirmed")
STEP_SECONDS_MAX = 90


class Screen:
    """Lines for people; colour only where somebody looks."""

    def __init__(self):
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        sys.stdout.reconfigure(line_buffering=True, errors="replace")

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def title(self, text):
        print(f"\n{self.paint('1', text)}")

    def step(self, what, seconds, detail=""):
        took = self.paint("32", f"{seconds:7.2f} s")
        print(f"  {what:<34} {took}  {self.paint('2', detail)}")

    def verdict(self, good, text):
        print(self.paint("1;32" if good else "1;31", text))


def week(number):
    """Monday to Friday of a week near the middle of this month."""
    middle = datetime.date.today().replace(day=8) + datetime.timedelta(weeks=number)
    monday = middle - datetime.timedelta(days=middle.weekday())
    return monday.isoformat(), (monday + datetime.timedelta(days=4)).isoformat()


class Demo:
    def __init__(self, screen):
        self.screen = screen
        self.backbone, self.system = Backbone(), None
        self.people, self.projects, self.assignments = [], [], []

    def timed(self, what, act, detail=""):
        """Runs one part of the preparations and prints how long it took."""
        started = time.monotonic()
        result = act()
        self.screen.step(what, time.monotonic() - started, detail)
        return result

    def until_calendars_are_right(self, what, act, detail=""):
        """Does something in the host app and measures until every calendar shows it."""
        started = time.monotonic()
        act()
        self.system.wait_calendars_equal_plan(STEP_SECONDS_MAX)
        self.screen.step(what, time.monotonic() - started, detail)

    # preparations

    def prepare(self):
        self.screen.title("Real parts")
        self.timed("PostgreSQL and Kafka", self.backbone.start,
                   f"ports {self.backbone.postgres.port} and {self.backbone.kafka.port}, "
                   f"data in {self.backbone.folder.path}")
        self.system = System(self.backbone, build_folder("release"), number="")
        self.timed("fake Microsoft, producer, 2 workers", lambda: self.system.start(WORKERS))
        self.screen.title("People and plan")
        self.timed("seeded", self.seed, f"{PEOPLE} people, {ASSIGNMENTS} assignments")
        self.timed("connected through OAuth", self.connect_everybody,
                   "sign-in, consent, callback, first sync for each")
        self.until_calendars_are_right("calendars equal the plan", lambda: None)

    def seed(self):
        self.people = self.system.add_people(PEOPLE)
        for number, client in enumerate(CLIENTS):
            start, end = week(number - 1)
            self.projects.append(self.system.create_project(client, start, end))
        for number in range(ASSIGNMENTS):
            self.assignments.append(self.system.create_assignment(
                self.projects[number % len(CLIENTS)], self.people[number % PEOPLE],
                STATUSES[number // PEOPLE % len(STATUSES)], f"Day plan {number + 1}"))

    def connect_everybody(self):
        for person in self.people:
            person.connect()
        self.system.wait_connected(self.people)

    # the story

    def play(self):
        system, ada = self.system, self.people[0]
        self.screen.title("The story: from COMMIT in PostgreSQL to the calendar")
        made = []
        self.until_calendars_are_right(
            "assignment created",
            lambda: made.append(system.create_assignment(self.projects[1], ada, "tentative")),
            f"{ada.email}, {CLIENTS[1]}")
        self.until_calendars_are_right(
            "confirmed", lambda: system.update_assignment_status(made[0], "confirmed"),
            "tentative becomes busy, yellow becomes green")
        self.until_calendars_are_right(
            "project re-dated", lambda: system.redate_project(self.projects[0], *week(3)),
            f"{CLIENTS[0]}: a week later for everybody")
        self.until_calendars_are_right(
            "bulk status change",
            lambda: system.bulk_update_assignment_status(self.assignments, "confirmed"),
            f"{ASSIGNMENTS} assignments of {PEOPLE} people in one statement")
        self.until_calendars_are_right(
            "re-assigned", lambda: system.reassign(made[0], self.people[1]),
            f"from {ada.email} to {self.people[1].email}")
        self.until_calendars_are_right(
            "removed", lambda: system.remove_assignment(made[0]), "the event is gone")
        self.until_calendars_are_right(
            "a worker killed", self.kill_a_worker,
            "kill -9 during a bulk change; the other one takes over")
        system.workers[0].start().wait_ready()
        self.until_calendars_are_right(
            "the topic replayed", self.replay,
            "3 events deleted and 1 altered by hand, offsets reset with Kafka's own tool")

    def kill_a_worker(self):
        system = self.system
        mark = system.fake.mark()
        system.fake.latency(150)
        system.bulk_update_assignment_status(self.assignments, "option")
        system.wait_until(lambda: system.fake.writes(mark), 20, "the bulk change begins")
        system.workers[0].kill9()
        system.fake.latency(0)
        system.wait_committed(STEP_SECONDS_MAX)  # the killed one's partitions have a new owner

    def replay(self):
        system = self.system
        system.wait_committed(STEP_SECONDS_MAX)
        for worker in system.workers:
            worker.sigterm()
        for person in self.people[:3]:
            system.fake.delete_event(person.email, system.calendar(person.email)[0]["id"])
        altered = self.people[3].email
        system.fake.edit_event(altered, system.calendar(altered)[0]["id"], subject="Altered")
        system.kafka.reset_offsets(system.group)
        for worker in system.workers:
            worker.start()
        system.wait_committed(STEP_SECONDS_MAX)

    # the end

    def compare(self):
        """Calendar vs plan, each read from its own side; whether they are equal."""
        self.screen.title("Calendar vs plan")
        print(f"  {'person':<28} {'plan':>5} {'calendar':>9}   equal")
        good, planned, found = True, 0, 0
        for person in self.people:
            plan, events = self.system.plan(person.email), self.system.calendar(person.email)
            lines = truth.differences(plan, events)
            wanted = len(truth.expected(plan))
            planned, found = planned + wanted, found + len(events)
            print(f"  {person.email:<28} {wanted:>5} {len(events):>9}   "
                  f"{'no' if lines else 'yes'}")
            for line in lines:
                print(f"      {line}")
            good = good and not lines
        print(f"  {'all':<28} {planned:>5} {found:>9}   {'yes' if good else 'no'}")
        return good

    def show_addresses(self):
        system, month = self.system, datetime.date.today().strftime("%Y-%m")
        self.screen.title("Have a look (Ctrl-C ends everything)")
        for what, where in (
                ("settings page", self.people[0].sign_in_link()),
                ("the people's calendars", f"{system.fake.url}/calendars?month={month}"),
                ("worker metrics", f"{system.worker.url}/metrics"),
                ("Kafka", f"{system.kafka.bootstrap}  (topic {system.topic})")):
            print(f"  {what:<24} {where}")

    def stay(self):
        while True:
            for program in self.system.programs:
                program.assert_running()
            time.sleep(0.5)

    def show_logs(self):
        for program in self.system.programs if self.system else ():
            print(f"\n-- {program.name}\n{program.log_tail(8)}")


def run(options, screen):
    demo = Demo(screen)
    try:
        demo.prepare()
        demo.play()
        good = demo.compare()
    except (AssertionError, RuntimeError) as problem:
        demo.show_logs()
        screen.verdict(False, f"\n{problem}")
        return 1
    screen.verdict(good, "\nAll calendars equal the plan." if good
                   else "\nThe calendars are not what was planned.")
    if not options.once:
        demo.show_addresses()
        demo.stay()
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.split(" - ")[1])
    parser.add_argument("--once", action="store_true",
                        help="end after the story; exit 0 only if all calendars equal the plan")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    started = time.monotonic()
    screen = Screen()
    try:
        status = run(options, screen)
    except KeyboardInterrupt:
        status = 0 if not options.once else 130
    end_everything()
    print(f"\nEverything is stopped and removed after {time.monotonic() - started:.0f} s.")
    return status


if __name__ == "__main__":
    sys.exit(main())
