"""Random rows of every type: what stands in the topic, read as docs/events.md says, is what stood
in the table; and what PostgreSQL's own plugin decodes from the same log is the same work."""
import collections
import io
import random
import re

import psycopg2.extras

from parts import rows
from parts.kafka import as_json
from parts.records import add_users, position, records_of

SEED = 20260302
KEY = {"id": rows.Column("uuid", rows.a_uuid), "user_id": rows.Column("uuid", rows.a_uuid),
       "project_id": rows.Column("uuid", rows.a_uuid),
       "booking_status": rows.Column("text", rows.a_text)}
Change = collections.namedtuple("Change", "kind old new")  # I U D; rows as texts by column
# as test_decoding writes a row's first columns
DECODED = re.compile(r"id\[uuid\]:'([^']+)' project_id\[uuid\]:'[^']+' user_id\[uuid\]:'([^']+)'")


class Host:
    """Makes random changes in transactions of its own, and remembers each row as text."""

    def __init__(self, system, seed, columns):
        self.system, self.random = system, random.Random(seed)
        self.columns = {**KEY, **columns}
        self.made = list(columns)
        self.users = add_users(system, 5)
        self.projects = [system.create_project(f"Client {number}") for number in range(3)]
        self.rows, self.changes = {}, []
        self.connection = system.postgres.connect(system.database)
        self.connection.autocommit = False
        self.cursor = self.connection.cursor()
        self.returning = "RETURNING " + ", ".join(
            f"{column.selected(name)} AS {name}" for name, column in self.columns.items())

    def value(self, name):
        return None if self.random.random() < 0.1 else self.columns[name].make(self.random)

    def note(self, kind, returned):
        for row in returned:
            old = self.rows.pop(row["id"], None)
            if kind != "D":
                self.rows[row["id"]] = dict(row)
            self.changes.append(Change(kind, old, None if kind == "D" else dict(row)))

    def insert(self, count):
        names = ["project_id", "user_id", *self.made]
        template = "(" + ", ".join(f"%s::{self.columns[name].kind}" for name in names) + ")"
        values = [[self.random.choice(self.projects), self.random.choice(self.users),
                   *map(self.value, self.made)] for _ in range(count)]
        self.note("I", psycopg2.extras.execute_values(
            self.cursor, f"INSERT INTO project_assignments ({', '.join(names)}) VALUES %s "
            + self.returning, values, template, 100, fetch=True))

    def update(self, count):
        """Each of some rows in some columns; one in ten gets another person."""
        for key in self.random.sample(sorted(self.rows), count):
            changed = {name: self.value(name) for name in self.made if self.random.random() < 0.2}
            if self.random.random() < 0.1:
                changed["user_id"] = self.random.choice(self.users)
            changed["booking_status"] = self.random.choice(("confirmed", "option"))
            assigned = ", ".join(f"{name} = %s::{self.columns[name].kind}" for name in changed)
            self.cursor.execute(f"UPDATE project_assignments SET {assigned} WHERE id = %s "
                                + self.returning, [*changed.values(), key])
            self.note("U", self.cursor.fetchall())

    def update_all(self, status):
        self.cursor.execute("UPDATE project_assignments SET booking_status = %s "
                            + self.returning, [status])
        self.note("U", self.cursor.fetchall())

    def delete(self, count):
        keys = self.random.sample(sorted(self.rows), count)
        self.cursor.execute("DELETE FROM project_assignments WHERE id = ANY(%s::uuid[]) "
                            + self.returning, [keys])
        self.note("D", self.cursor.fetchall())

    def commit(self):
        self.connection.commit()

    def close(self):
        self.connection.close()


def records_in_order(system):
    """(position, key, value) of what the stream published, in the source's order."""
    found = [(position(record), *as_json(record)) for record in records_of(system, "row")]
    return sorted(found, key=lambda record: record[0])


def expected_records(changes):
    """(operation, person, before, after) of each record; a tombstone is None, and has no rows."""
    for change in changes:
        old = change.old and change.old["user_id"]
        new = change.new and change.new["user_id"]
        if old and old != new:
            yield "d", old, change.old, None
            yield None, old, None, None
        if new:
            operation = "u" if old == new else "c"
            yield operation, new, change.old if operation == "u" else None, change.new


def read_json(columns, row):
    return row and {name: column.read_json(row[name]) for name, column in columns.items()}


def read_text(columns, row):
    return row and {name: column.read_text(row[name]) for name, column in columns.items()}


def assert_same_row(columns, told, stood, where):
    """Column by column, so that a failure shows just the value."""
    assert (told is None) == (stood is None), where
    told_values, stood_values = read_json(columns, told), read_text(columns, stood)
    for name in columns if told else ():
        assert told_values[name] == stood_values[name], (
            f"{where}, {name}: {told[name]!r:.300} is not {stood[name]!r:.300}")


def assert_round_trip(system, host):
    records = records_in_order(system)
    expected = list(expected_records(host.changes))
    assert len(records) == len(expected)
    for (where, key, value), (operation, person, before, after) in zip(records, expected):
        assert key["user_id"] == person, where
        assert (value and value["op"]) == operation, where
        if value is not None:
            assert_same_row(host.columns, value["before"], before, f"{where} before")
            assert_same_row(host.columns, value["after"], after, f"{where} after")


def assert_told_by_fan_out(system, host):
    """A project's edit tells each of its assignments, read with a query: the same row again."""
    told = {}
    for record in records_of(system, "project"):
        key, value = as_json(record)
        told[key["id"]] = value["after"]
    assert sorted(told) == sorted(host.rows)
    for key, row in host.rows.items():
        assert_same_row(host.columns, told[key], row, f"fan-out of {key}")


def test_random_rows_of_every_type_come_back_as_they_were(source):
    columns = rows.columns()
    source.sql(rows.TYPES_SQL)
    source.sql("ALTER TABLE project_assignments " + ", ".join(
        f"ADD {name} {column.kind}" for name, column in columns.items()))
    host = Host(source, SEED, columns)

    for count in (1, 500, 700):
        host.insert(count)
        host.commit()
    host.update(500)
    host.commit()
    host.update_all("of all")  # what is stored elsewhere is not sent again
    host.delete(300)
    host.insert(100)
    host.update(100)
    host.commit()
    host.close()
    source.sql("UPDATE projects SET client_name = 'Another'")
    source.wait_published()

    assert_round_trip(source, host)
    assert_told_by_fan_out(source, host)


def test_the_longest_numeric_and_a_long_text_come_back_as_they_were(source):
    columns = {"c_numeric": rows.SCALARS["numeric"], "c_text": rows.SCALARS["text"]}
    source.sql("ALTER TABLE project_assignments ADD c_numeric numeric, ADD c_text text")
    host = Host(source, SEED, columns)
    columns["c_numeric"] = host.columns["c_numeric"] = rows.Column(
        "numeric", rows.one_of(rows.HUGE, "-" + rows.HUGE, "0." + "0" * 16382 + "1"),
        rows.decimal_from_text, rows.decimal_from_json(None))
    host.columns["c_text"] = rows.Column(
        "text", lambda chosen: "".join(chosen.choices("".join(rows.ALPHABETS), k=100000)))

    host.insert(2)
    host.update_all("again")
    host.commit()
    host.close()
    source.wait_published()

    assert_round_trip(source, host)


# PostgreSQL's own plugin


def decoded(system, slot):
    """[(operation, id, person before, person after)] per transaction, as test_decoding says."""
    transactions = []
    for row in system.sql("SELECT data FROM pg_logical_slot_get_changes(%s, NULL, NULL, "
                          "'include-xids', '0', 'skip-empty-xacts', '1')", slot):
        table, _, what = row["data"].partition(": ")
        if row["data"] == "BEGIN":
            transactions.append([])
        elif table == "table public.project_assignments":
            operation, _, values = what.partition(": ")
            ends = [match.groups() for match in map(DECODED.match, re.split(
                r"old-key: |new-tuple: ", values)) if match]
            transactions[-1].append((operation, ends[0][0],
                                     None if operation == "INSERT" else ends[0][1],
                                     None if operation == "DELETE" else ends[-1][1]))
    return [transaction for transaction in transactions if transaction]


def published(system):
    """The same of our records: a c that follows a d of its own row message is an update."""
    transactions, moved = collections.OrderedDict(), {}
    for where, key, value in records_in_order(system):
        _, commit, ordinal = where.split(":")
        work = transactions.setdefault(commit, [])
        operation, person = value and value["op"], key["user_id"]
        if operation == "d":
            moved[commit, int(ordinal, 16) + 2] = person
            work.append(("DELETE", key["id"], person, None))
        elif operation == "u":
            work.append(("UPDATE", key["id"], person, person))
        elif operation == "c":
            before = moved.get((commit, int(ordinal, 16)))
            if before:
                assert work.pop() == ("DELETE", key["id"], before, None)
            work.append(("UPDATE" if before else "INSERT", key["id"], before, person))
    return list(transactions.values())


class TwoHosts:
    """Two transactions at a time, in turns, each on a project of its own so that none waits."""

    def __init__(self, system, users):
        self.random, self.users = random.Random(SEED), users
        self.projects = [system.create_project(name) for name in ("Mine", "Yours")]
        self.cursors = [system.postgres.connect(system.database).cursor() for _ in self.projects]
        for cursor in self.cursors:
            cursor.connection.autocommit = False

    def work(self, turns):
        for _ in range(turns):
            side = self.random.randrange(2)
            self.turn(self.cursors[side], self.projects[side])
        for cursor in self.cursors:
            cursor.connection.commit()
            cursor.connection.close()

    def turn(self, cursor, project):
        some = ("id IN (SELECT id FROM project_assignments WHERE project_id = %s "
                "ORDER BY md5(id::text || %s) LIMIT 3)")
        chosen = (project, str(self.random.random()))
        choice = self.random.random()
        if choice < 0.3:
            psycopg2.extras.execute_values(
                cursor, "INSERT INTO project_assignments (project_id, user_id) VALUES %s",
                [(project, self.random.choice(self.users)) for _ in range(4)])
        elif choice < 0.4:
            cursor.copy_expert("COPY project_assignments (project_id, user_id) FROM STDIN",
                               io.StringIO(f"{project}\t{self.users[0]}\n" * 3))
        elif choice < 0.55:
            cursor.execute(f"UPDATE project_assignments SET notes = 'n' WHERE {some}", chosen)
        elif choice < 0.7:
            cursor.execute(f"UPDATE project_assignments SET user_id = %s WHERE {some}",
                           (self.random.choice(self.users), *chosen))
        elif choice < 0.78:
            cursor.execute(f"DELETE FROM project_assignments WHERE {some}", chosen)
        elif choice < 0.86:
            cursor.execute("SAVEPOINT here")
            cursor.execute(f"UPDATE project_assignments SET notes = 'undone' WHERE {some}", chosen)
            cursor.execute(f"{self.random.choice(('ROLLBACK TO', 'RELEASE'))} here")
        elif choice < 0.96:
            cursor.connection.commit()
        else:
            cursor.connection.rollback()


def test_the_records_are_the_work_that_postgresqls_own_plugin_decodes(source):
    slot = f"{source.slot}_test"
    hosts = TwoHosts(source, add_users(source, 4))
    source.sql("SELECT pg_create_logical_replication_slot(%s, 'test_decoding')", slot)
    try:
        hosts.work(1500)
        source.wait_published()

        theirs = decoded(source, slot)
    finally:
        source.sql("SELECT pg_drop_replication_slot(%s)", slot)
    ours = published(source)
    assert len(theirs) > 100
    assert {work[0] for transaction in theirs for work in transaction} == {
        "INSERT", "UPDATE", "DELETE"}
    assert ours == theirs
