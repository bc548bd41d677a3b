"""workload.py - a host app that does everything with its tables, the same for the same seed."""
import io
import random
import uuid

ASSIGNMENTS = "project_assignments"
MAKE_TYPES = """
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('happy', 'sad', 'it''s "so" so');
CREATE DOMAIN price AS numeric(8, 2);
CREATE DOMAIN dearer AS price CHECK (value > 0);
CREATE DOMAIN short_text AS varchar(10);
CREATE DOMAIN moment AS timestamp(3);
"""
CHARACTERS = ("abc XYZ 019", "äßÅéñ", "日本語한국", "\U0001F600\U0001F4C5\U0010FFFF", "\"\\/'",
              "\t\r\n\b\f", "\x01\x1b\x1f\x7f\x80\x9f", "\u2028\u2029\ufeff\ufffd\uffff\ue000", "{}[],:\u00ad\u0300")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def some_text(r, most=20):
    pools = r.sample(CHARACTERS, r.randint(1, 3))
    return "".join(r.choice(r.choice(pools)) for _ in range(r.randint(0, most)))


def long_text(r):
    """Too long for the row itself, and not to be compressed into it."""
    return f"{r.getrandbits(32):08x}" * 3 + "".join(f"{r.getrandbits(64):016x}" for _ in range(400))


def decimal(r, digits, scale):
    number = r.choice((r.randint(-10 ** digits + 1, 10 ** digits - 1), r.randint(-300, 300), 0))
    return f"{number / 10 ** scale:.{scale}f}" if scale else str(number)


def moment(r, digits=6, least=1):
    """Mostly of our times, sometimes far away.  least: no year before it."""
    year = r.choice((r.randint(1970, 2100), r.randint(least, 4000), r.randint(9990, 12000)))
    text = (f"{year:04}-{r.randint(1, 12):02}-{r.randint(1, 28):02} {r.randint(0, 23):02}:"
            f"{r.randint(0, 59):02}:{r.randint(0, 59):02}")
    return text + (f".{r.randint(0, 10 ** digits - 1):0{digits}}" if digits else "")


def any_date(r):
    """Also what Debezium's snapshots, unlike its streams, write as other days."""
    return quoted(r.choice((moment(r)[:-16], "infinity", "-infinity", "0044-03-15 BC")))


def elements(r, one):
    several = (r.choice((one(r), one(r), "NULL")) for _ in range(r.randint(0, 4)))
    return f"ARRAY[{', '.join(several)}]"


def array_of(type_name, one):
    return f"{type_name}[]", lambda r: f"{elements(r, one)}::{type_name}[]"


def of_uuid(r):
    return quoted(str(uuid.UUID(int=r.getrandbits(128))))


def bits(r, least, most):
    return "B'" + "".join(r.choice("01") for _ in range(r.randint(least, most))) + "'"


def number_range(r):
    low = r.randint(-100, 100)
    return r.choice((f"'[{low},{low + r.randint(1, 9)})'", f"'({low},)'", "'empty'", "'(,)'"))


def some_float(r, *more):
    """What every JDK writes alike: before 19 it was not always the shortest form."""
    return r.choice((*more, "'NaN'", "'Infinity'", "'-Infinity'", "0", "'-0'", "0.1", "1e10",
                     "16777216", str(r.randint(-9999, 9999) / 8)))


# What Debezium writes as the producer does.  What it writes otherwise: test_debezium.DIFFERENCES.
TYPES = {
    "c_bool": ("bool", lambda r: r.choice(("true", "false"))),
    "c_int2": ("int2", lambda r: str(r.randint(-32768, 32767))),
    "c_int4": ("int4", lambda r: str(r.randint(-2 ** 31, 2 ** 31 - 1))),
    "c_int8": ("int8", lambda r: str(r.randint(-2 ** 63, 2 ** 63 - 1))),
    "c_oid": ("oid", lambda r: str(r.randint(0, 2 ** 32 - 1))),
    "c_float4": ("float4", lambda r: some_float(r, "3.4028235e38", "1e-45")),
    "c_float8": ("float8", lambda r: some_float(
        r, "5e-324", f"{r.randint(-9999, 9999)}e{r.randint(-290, 290)}")),
    "c_numeric": ("numeric(12, 3)", lambda r: decimal(r, 12, 3)),
    "c_whole": ("numeric(30, 0)", lambda r: decimal(r, 30, 0)),
    "c_any": ("numeric", lambda r: decimal(r, 15, r.randint(0, 9))),
    "c_money": ("money", lambda r: quoted(decimal(r, 9, 2))),
    "c_date": ("date", lambda r: quoted(moment(r)[:-16])),
    "c_time": ("time", lambda r: quoted(moment(r)[-15:])),
    "c_time3": ("time(3)", lambda r: quoted(moment(r, 3)[-12:])),
    "c_timetz": ("timetz", lambda r: quoted(moment(r)[-15:] + r.choice(("+00", "+05:30", "-12")))),
    "c_ts": ("timestamp", lambda r: quoted(r.choice((moment(r), "infinity", "-infinity")))),
    "c_ts0": ("timestamp(0)", lambda r: quoted(moment(r, 0))),
    "c_ts3": ("timestamp(3)", lambda r: quoted(r.choice((moment(r, 3), "infinity")))),
    "c_tstz": ("timestamptz", lambda r: quoted(r.choice((
        moment(r) + r.choice(("Z", "+13", "-03:30")), "infinity", "-infinity")))),
    "c_tstz3": ("timestamptz(3)", lambda r: quoted(moment(r, 3) + "+02")),
    "c_interval": ("interval", lambda r: quoted(
        f"{r.randint(-9, 9)} years {r.randint(-11, 11)} mons {r.randint(-40, 40)} days "
        f"{r.choice('+-')}{r.randint(0, 200)}:{r.randint(0, 59)}:{r.randint(0, 59)}."
        f"{r.randint(0, 999999):06}")),
    "c_bytea": ("bytea", lambda r: f"'\\x{r.randbytes(r.randint(0, 9)).hex()}'"),
    "c_bit1": ("bit(1)", lambda r: bits(r, 1, 1)),
    "c_bit": ("bit(11)", lambda r: bits(r, 11, 11)),
    "c_varbit": ("varbit", lambda r: bits(r, 0, 20)),
    "c_text": ("text", lambda r: quoted(some_text(r))),
    "c_varchar": ("varchar(20)", lambda r: quoted(some_text(r))),
    "c_char": ("char(6)", lambda r: quoted(r.choice("aé") * r.randint(0, 6))),
    "c_chr": ('"char"', lambda r: quoted(r.choice("xyz"))),
    "c_citext": ("citext", lambda r: quoted(some_text(r))),
    "c_ltree": ("ltree", lambda r: quoted(r.choice(("a.b", "Top.Science_2")))),
    "c_uuid": ("uuid", of_uuid),
    "c_json": ("json", lambda r: quoted(r.choice(('{"a" : [1, null]}', '"x\\u00e9"', "3")))),
    "c_jsonb": ("jsonb", lambda r: quoted(r.choice(('{"b": {"é": 1e3}}', "[]", "null")))),
    "c_xml": ("xml", lambda r: quoted(r.choice(("<a>é &amp; b</a>", "<a/>")))),
    "c_inet": ("inet", lambda r: quoted(r.choice(("10.0.0.1", "::1/64", "10.1.0.0/16")))),
    "c_cidr": ("cidr", lambda r: quoted(r.choice(("10.0.0.0/8", "2001:db8::/32")))),
    "c_mac": ("macaddr", lambda r: "'08:00:2b:01:02:03'"),
    "c_mac8": ("macaddr8", lambda r: "'08:00:2b:01:02:03:04:05'"),
    "c_tsvector": ("tsvector", lambda r: "'fat:2 cat:3A'"),
    "c_int4range": ("int4range", number_range),
    "c_int8range": ("int8range", number_range),
    "c_numrange": ("numrange", number_range),
    "c_tsrange": ("tsrange", lambda r: "'[2026-01-01, 2026-01-02 03:04:05.6)'"),
    "c_tstzrange": ("tstzrange", lambda r: "'[2026-01-01 00:00+02, infinity)'"),
    "c_daterange": ("daterange", lambda r: "'[2026-01-01, 2026-01-05]'"),
    "c_mood": ("mood", lambda r: r.choice(("'happy'", "'sad'", "'it''s \"so\" so'"))),
    "c_price": ("price", lambda r: decimal(r, 8, 2)),
    "c_dearer": ("dearer", lambda r: f"{r.randint(1, 99999999) / 100:.2f}"),
    "c_short": ("short_text", lambda r: quoted(some_text(r, 10))),
    "c_moment": ("moment", lambda r: quoted(moment(r, 3))),
    "a_text": array_of("text", lambda r: quoted(some_text(r, 5))),
    "a_varchar": array_of("varchar(9)", lambda r: quoted(some_text(r, 5))),
    "a_bool": array_of("bool", lambda r: r.choice(("true", "false"))),
    "a_int2": array_of("int2", lambda r: str(r.randint(-9, 9))),
    "a_int4": array_of("int4", lambda r: str(r.randint(-9, 9))),
    "a_int8": array_of("int8", lambda r: str(r.randint(-2 ** 60, 2 ** 60))),
    "a_float8": array_of("float8", lambda r: str(r.randint(-64, 64) / 8)),
    "a_numeric": array_of("numeric(8, 2)", lambda r: decimal(r, 8, 2)),
    "a_date": array_of("date", lambda r: quoted(moment(r, least=1600)[:-16])),
    "a_time": array_of("time", lambda r: quoted(moment(r, 3)[-12:])),
    "a_timetz": array_of("timetz", lambda r: quoted(moment(r, 0)[-8:] + "+02")),
    "a_ts": array_of("timestamp", lambda r: quoted(moment(r, least=1600))),
    "a_tstz": array_of("timestamptz", lambda r: quoted(moment(r, least=1600) + "+02")),
    "a_bytea": array_of("bytea", lambda r: f"'\\x{r.randbytes(3).hex()}'::bytea"),
    "a_uuid": array_of("uuid", of_uuid),
    "a_json": array_of("json", lambda r: "'{\"a\": 1}'"),
    "a_jsonb": array_of("jsonb", lambda r: "'{\"a\": 1}'"),
    "a_inet": array_of("inet", lambda r: "'10.0.0.1'"),
    "a_citext": array_of("citext", lambda r: quoted(some_text(r, 5))),
    "a_oid": array_of("oid", lambda r: str(r.randint(0, 9))),
    "a_int4range": array_of("int4range", lambda r: "'[1,5)'"),
    # large ones, which the log leaves out where they did not change
    "t_text": ("text", lambda r: quoted(r.choice((long_text(r), some_text(r))))),
    "t_bytea": ("bytea", lambda r: f"'\\x{r.randbytes(r.choice((9, 5000))).hex()}'"),
    "t_array": ("text[]", lambda r: f"ARRAY[{quoted(long_text(r))}, NULL, 'x']"),
    # with defaults
    "d_text": ("text DEFAULT 'tentative'", lambda r: quoted(some_text(r))),
    "d_int": ("int DEFAULT 42", lambda r: str(r.randint(0, 99))),
    "d_tstz": ("timestamptz DEFAULT now()", lambda r: quoted(moment(r) + "Z")),
}


class Workload:
    """nulls: whether NULL may stand in a column that has a default."""

    def __init__(self, system, seed, nulls=True):
        self.random = random.Random(seed)
        self.nulls = nulls
        self.types = dict(TYPES)
        self.connection = system.postgres.connect(system.database)
        self.cursor = self.connection.cursor()
        self.users, self.projects = [self._uuid() for _ in range(9)], []
        self.run(MAKE_TYPES)
        self.run(f"ALTER TABLE {ASSIGNMENTS} " + ", ".join(
            f"ADD {name} {kind}" for name, (kind, _) in TYPES.items()))
        for name in ("notes", *(name for name in TYPES if name.startswith("t_"))):
            self.run(f"ALTER TABLE {ASSIGNMENTS} ALTER {name} SET STORAGE EXTERNAL")
        for user in self.users:
            self.run(f"INSERT INTO profiles (id, email) VALUES ('{user}', '{user}@example.com')")
        for _ in range(4):
            self.add_project()

    def close(self):
        self.connection.close()

    def run(self, statement):
        self.cursor.execute(statement)

    def _uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def some(self, most):
        """Ids of a few assignments, as a list for IN."""
        self.run(f"SELECT id FROM {ASSIGNMENTS} ORDER BY id")
        ids = [row["id"] for row in self.cursor.fetchall()] or [self._uuid()]
        chosen = self.random.sample(ids, min(len(ids), self.random.randint(1, most)))
        return ", ".join(f"'{one}'" for one in chosen)

    def value(self, name):
        kind, make = self.types[name]
        may_be_null = "NOT NULL" not in kind and (self.nulls or "DEFAULT" not in kind)
        return "NULL" if may_be_null and self.random.random() < 0.15 else make(self.random)

    def columns(self, most):
        return self.random.sample(sorted(self.types), self.random.randint(1, most))

    def row(self, names):
        fixed = (f"'{self._uuid()}', '{self.random.choice(self.projects)}', "
                 f"'{self.random.choice(self.users)}', {quoted(some_text(self.random))}")
        return f"({fixed}, " + ", ".join(self.value(name) for name in names) + ")"

    # one statement each

    def add(self, rows=1):
        names = self.columns(30)
        self.run(f"INSERT INTO {ASSIGNMENTS} (id, project_id, user_id, notes, {', '.join(names)}) "
                 f"VALUES {', '.join(self.row(names) for _ in range(rows))}")

    def add_many(self):
        self.add(self.random.randint(2, 5))

    def copy(self):
        """Rows that share one place in the log."""
        lines = []
        for _ in range(self.random.randint(2, 7)):
            notes = self.random.choice(("\\N", "plain", "t\\tn\\nb\\\\é\U0001F600"))
            lines.append("\t".join((self._uuid(), self.random.choice(self.projects),
                                    self.random.choice(self.users), notes)) + "\n")
        self.cursor.copy_expert(f"COPY {ASSIGNMENTS} (id, project_id, user_id, notes) FROM STDIN",
                                io.StringIO("".join(lines)))

    def change(self):
        sets = ", ".join(f"{name} = {self.value(name)}" for name in self.columns(6))
        self.run(f"UPDATE {ASSIGNMENTS} SET {sets} WHERE id IN ({self.some(4)})")

    def change_nothing(self):
        self.run(f"UPDATE {ASSIGNMENTS} SET notes = notes WHERE id IN ({self.some(4)})")

    def reassign(self):
        self.run(f"UPDATE {ASSIGNMENTS} SET user_id = '{self.random.choice(self.users)}' "
                 f"WHERE id IN ({self.some(3)})")

    def rename(self):
        self.run(f"UPDATE {ASSIGNMENTS} SET id = '{self._uuid()}' WHERE id IN ({self.some(1)})")

    def remove(self):
        self.run(f"DELETE FROM {ASSIGNMENTS} WHERE id IN ({self.some(2)})")

    def upsert(self):
        self.run(f"INSERT INTO {ASSIGNMENTS} (id, project_id, user_id, notes) SELECT id, project_id,"
                 f" user_id, 'upserted' FROM {ASSIGNMENTS} WHERE id IN ({self.some(3)}) "
                 "ON CONFLICT (id) DO UPDATE SET notes = excluded.notes")

    def merge(self):
        self.run(f"MERGE INTO {ASSIGNMENTS} a USING (SELECT id, row_number() OVER (ORDER BY id) n "
                 f"FROM {ASSIGNMENTS} WHERE id IN ({self.some(4)})) s ON a.id = s.id "
                 "WHEN MATCHED AND s.n = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET notes = 'merged'")

    def add_project(self):
        self.projects.append(self._uuid())
        self.run("INSERT INTO projects (id, client_name, notes) VALUES "
                 f"('{self.projects[-1]}', {quoted(some_text(self.random))}, NULL)")

    def change_project(self):
        what = self.random.choice(("client_name = 'Acme \U0001F600'", "sales_amount = 3.5"))
        self.run(f"UPDATE projects SET {what} WHERE id = '{self.random.choice(self.projects)}'")

    def remove_project(self):
        """Its assignments go with it."""
        if len(self.projects) > 3:
            project = self.random.choice(self.projects[:-1])
            self.projects.remove(project)
            self.run(f"DELETE FROM projects WHERE id = '{project}'")

    def emit_message(self):
        self.run("SELECT pg_logical_emit_message(true, 'somebody', 'says')")

    def fail_inside(self):
        """A subtransaction that PL/pgSQL takes back, and one that stays."""
        ids = self.some(2)
        self.run(f"""DO $$ BEGIN
            BEGIN UPDATE {ASSIGNMENTS} SET notes = 'gone' WHERE id IN ({ids}); RAISE 'no';
            EXCEPTION WHEN raise_exception THEN NULL; END;
            BEGIN UPDATE {ASSIGNMENTS} SET notes = 'stays' WHERE id IN ({ids});
            EXCEPTION WHEN raise_exception THEN NULL; END; END $$""")

    def come_from_elsewhere(self):
        """As a subscriber writes what its publisher sent."""
        self.run("SELECT pg_replication_origin_create('elsewhere') WHERE NOT EXISTS "
                 "(SELECT FROM pg_replication_origin WHERE roname = 'elsewhere')")
        self.run("SELECT pg_replication_origin_session_setup('elsewhere')")
        self.run("BEGIN")
        self.run(f"SELECT pg_replication_origin_xact_setup('0/{self.random.getrandbits(24):X}', now())")
        self.add_many()
        self.change()
        self.run("COMMIT")
        self.run("SELECT pg_replication_origin_session_reset()")

    STATEMENTS = ((add, 4), (add_many, 3), (copy, 3), (change, 8), (change_nothing, 2), (reassign, 4),
                  (rename, 1), (remove, 2), (upsert, 2), (merge, 1), (add_project, 1),
                  (change_project, 3), (emit_message, 1), (fail_inside, 2))

    def statement(self):
        makers, weights = zip(*self.STATEMENTS)
        self.random.choices(makers, weights)[0](self)

    # transactions

    def savepoints(self):
        """Some of it is taken back, at two depths."""
        projects = list(self.projects)
        self.run("SAVEPOINT one")
        self.statement()
        self.run("SAVEPOINT two")
        self.statement()
        if self.random.random() < 0.5:
            self.run(f"ROLLBACK TO {self.random.choice(('one', 'two'))}")
            self.projects = projects
        else:
            self.run("RELEASE one")
        self.statement()

    def transaction(self):
        projects = list(self.projects)
        self.run("BEGIN")
        for _ in range(self.random.randint(2, 5)):
            self.savepoints() if self.random.random() < 0.4 else self.statement()
        if self.random.random() < 0.2:
            self.run("ROLLBACK")
            self.projects = projects
        else:
            self.run("COMMIT")

    def step(self):
        choice = self.random.random()
        if choice < 0.35:
            self.transaction()
        elif choice < 0.37:
            self.remove_project()
        elif choice < 0.40:
            self.come_from_elsewhere()
        else:
            self.statement()

    def steps(self, count):
        for _ in range(count):
            self.step()

    def mark(self):
        """An assignment to wait for; its id."""
        mark = self._uuid()
        self.run(f"INSERT INTO {ASSIGNMENTS} (id, project_id, user_id) VALUES "
                 f"('{mark}', '{self.projects[-1]}', '{self.users[0]}')")
        return mark

    def truncate(self):
        self.run(f"TRUNCATE {ASSIGNMENTS}")

    # the table itself

    def alter(self, what, **types):
        """types: columns that come with it, None: that go."""
        for statement in what.split(";"):
            self.run(statement.format(table=f"ALTER TABLE {ASSIGNMENTS}"))
        self.types.update(types)
        self.types = {name: made for name, made in self.types.items() if made is not None}
