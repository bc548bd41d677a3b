"""records.py - what the event topics hold, and what the host's tables say they must hold."""
import collections
import json
import random
import threading
import uuid

from .kafka import as_json
from .process import wait_until

AUDIT = """
CREATE TABLE audit (n bigserial, op text, id uuid, user_id uuid, old_user uuid);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (op, id, user_id, old_user) VALUES (TG_OP, coalesce(NEW.id, OLD.id),
        NEW.user_id, OLD.user_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON project_assignments
    FOR EACH ROW EXECUTE FUNCTION audit();
"""


def add_users(system, count):
    return [str(system.value("INSERT INTO profiles (email) VALUES (%s) RETURNING id",
                             f"{uuid.uuid4()}@example.com")) for _ in range(count)]


def add_assignments(system, project, users):
    rows = system.sql("INSERT INTO project_assignments (project_id, user_id) "
                      "SELECT %s, unnest(%s::uuid[]) RETURNING id", project, users)
    return [str(row["id"]) for row in rows]


def records_of(system, cause=None, topic=None):
    return [record for record in system.kafka.read(topic or system.topic)
            if cause is None or record.headers["calrelay.cause"] == cause.encode()]


def operation(record):
    return "tombstone" if record.value is None else json.loads(record.value)["op"]


def position(record):
    return record.headers["calrelay.pos"].decode()


def newest_values(system):
    """{(user, assignment): the newest value} as compaction would leave it."""
    newest = {}
    for record in records_of(system):
        key, value = as_json(record)
        newest[key["user_id"], key["id"]] = value
    return {key: value for key, value in newest.items() if value is not None}


def assert_topic_equals_tables(system):
    rows = system.sql("SELECT a.*, p.client_name FROM project_assignments a "
                      "JOIN projects p ON p.id = a.project_id")
    wanted = {(str(row["user_id"]), str(row["id"])): (row["booking_status"], row["notes"],
                                                     row["client_name"]) for row in rows}
    found = {key: (value["after"]["booking_status"], value["after"]["notes"],
                   value["project"]["client_name"])
             for key, value in newest_values(system).items()}
    assert found == wanted


def assert_ordered_and_unique(system):
    lanes = collections.defaultdict(list)
    for record in records_of(system):
        lanes[record.partition].append(position(record))
    for positions in lanes.values():
        assert positions == sorted(set(positions))


class HostAtWork:
    """Changes of all kinds, one after the other, until the block ends."""

    def __init__(self, system, users, projects, pause_s=0):
        self.system, self.users, self.projects = system, users, projects
        self.pause_s = pause_s
        self.random = random.Random(4711)
        self.made, self.stop, self.failure = 0, threading.Event(), None
        self.thread = threading.Thread(target=self._work)

    def __enter__(self):
        self.thread.start()
        return self

    def _work(self):
        connection = self.system.postgres.connect(self.system.database)
        cursor = connection.cursor()
        try:
            while not self.stop.is_set():
                self._change(cursor)
                self.made += 1
                self.stop.wait(self.pause_s)
        except Exception as problem:  # noqa: BLE001 - told by the main thread
            self.failure = problem
        finally:
            connection.close()

    def _change(self, cursor):
        pick = self.random.choice
        some = "id IN (SELECT id FROM project_assignments ORDER BY random() LIMIT %s)"
        choice = self.random.random()
        if choice < 0.4:
            cursor.execute(f"UPDATE project_assignments SET booking_status = %s WHERE {some}",
                           (pick(("confirmed", "tentative", "option")), 3))
        elif choice < 0.55:
            cursor.execute(f"UPDATE project_assignments SET user_id = %s WHERE {some}",
                           (pick(self.users), 1))
        elif choice < 0.75:
            cursor.execute("INSERT INTO project_assignments (project_id, user_id) VALUES (%s, %s)",
                           (pick(self.projects), pick(self.users)))
        elif choice < 0.85:
            cursor.execute(f"DELETE FROM project_assignments WHERE {some}", (1,))
        else:
            cursor.execute("UPDATE projects SET client_name = %s WHERE id = %s",
                           (f"Client {self.random.random()}", pick(self.projects)))

    def wait_made(self, count):
        target = self.made + count
        wait_until(lambda: self.made >= target or self.failure, 60, "the host goes on")

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        assert self.failure is None, self.failure


def expected_operations(system):
    """What the audit says must have been published, as counts of (op, user, assignment)."""
    counts = collections.Counter()
    for row in system.sql("SELECT * FROM audit"):
        user, old, where = str(row["user_id"]), str(row["old_user"]), str(row["id"])
        if row["op"] == "INSERT":
            counts["c", user, where] += 1
        elif row["op"] == "DELETE":
            counts["d", old, where] += 1
        elif user == old:
            counts["u", user, where] += 1
        else:
            counts["d", old, where] += 1
            counts["c", user, where] += 1
    return counts


def assert_rows_published_once(system):
    """Every change that the audit saw, and nothing else; needs AUDIT before the first of them."""
    published = collections.Counter()
    for record in records_of(system, "row"):
        key, value = as_json(record)
        if value is not None:
            published[value["op"], key["user_id"], key["id"]] += 1
    expected = expected_operations(system)
    missing, surplus = expected - published, published - expected
    assert not missing and not surplus, \
        f"of {expected.total()}: missing {missing.total()}, surplus {surplus.total()}: " \
        f"{list(missing.items())[:3]} {list(surplus.items())[:3]}"



def confirmed(system):
    return system.value("SELECT confirmed_flush_lsn::text FROM pg_replication_slots "
                        "WHERE slot_name = %s", system.slot)
