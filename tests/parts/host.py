"""host.py - a host app that does something at random with its plan, at once or steadily."""
import threading

from .system import today

STATUSES = ("tentative", "option", "requested", "confirmed", "cancelled", "on hold")
ASSIGNMENTS_MOST = 400  # from there on as many go as come


class HostApp:
    """Random actions of a host app on its own plan."""

    def __init__(self, system, people, dice):
        self.system, self.people, self.dice = system, people, dice
        self.projects = [system.create_project(f"Client {number}") for number in range(6)]
        self.assignments = []

    def act(self):
        actions = (self.create, self.create, self.change, self.change, self.bulk, self.reassign,
                   self.remove, self.redate)
        self.dice.choice(actions if self.assignments else (self.create,))()

    def create(self):
        people = self.dice.choices(self.people, k=self.dice.randint(1, 8))
        self.assignments += self.system.create_assignments(
            self.dice.choice(self.projects), people, self.dice.choice(STATUSES))
        while len(self.assignments) > ASSIGNMENTS_MOST:
            self.remove()

    def change(self):
        self.system.update_assignment_status(self.dice.choice(self.assignments),
                                             self.dice.choice(STATUSES))

    def bulk(self):
        some = self.dice.sample(self.assignments, self.dice.randint(1, len(self.assignments)))
        self.system.bulk_update_assignment_status(some, self.dice.choice(STATUSES))

    def reassign(self):
        self.system.reassign(self.dice.choice(self.assignments), self.dice.choice(self.people))

    def remove(self):
        self.system.remove_assignment(
            self.assignments.pop(self.dice.randrange(len(self.assignments))))

    def redate(self):
        start = self.dice.randint(0, 60)
        self.system.redate_project(self.dice.choice(self.projects), today(start),
                                   today(start + self.dice.randint(0, 9)))


class Steadily:
    """Lets the host app act until the block ends; nobody else may use its system's SQL meanwhile."""

    def __init__(self, host, pause_s):
        self.host, self.pause_s, self.acts = host, pause_s, 0
        self.stop, self.failure = threading.Event(), None
        self.thread = threading.Thread(target=self._work)

    def _work(self):
        try:
            while not self.stop.is_set():
                self.host.act()
                self.acts += 1
                self.stop.wait(self.pause_s)
        except Exception as problem:  # noqa: BLE001 - whoever ends the block gets it
            self.failure = problem

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        if self.failure is not None:
            raise self.failure
