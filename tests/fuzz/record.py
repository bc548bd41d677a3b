#!/usr/bin/python3
"""record.py - records a real pgoutput stream, and makes the seeds of fuzz_pgoutput of it.

usage: record.py

Writes tests/fixtures/pgoutput.stream and tests/fuzz/corpus/fuzz_pgoutput/recorded-*.  The stream
has every message of protocol 1 and every kind of type; its first lines count what was done, as the
host app counts it.
"""
import collections
import io
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from parts import recorder  # noqa: E402
from parts.postgres import Postgres  # noqa: E402
from parts.process import ROOT, Folder  # noqa: E402

STREAM = ROOT / "tests/fixtures/pgoutput.stream"
SEEDS = ROOT / "tests/fuzz/corpus/fuzz_pgoutput"
ADA, ALAN, ACME, OTHER = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 5))
FIRST, SECOND, THIRD, FOURTH, FIFTH = (f"10000000-0000-4000-8000-00000000000{n}"
                                       for n in range(1, 6))

BEFORE = f"""
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN price AS numeric(8, 2);
ALTER TABLE project_assignments
    ADD c_bool bool, ADD c_int2 int2, ADD c_int8 int8, ADD c_float4 float4, ADD c_float8 float8,
    ADD c_numeric numeric(12, 3), ADD c_any numeric, ADD c_money money, ADD c_date date,
    ADD c_time time, ADD c_timetz timetz, ADD c_ts timestamp, ADD c_ts3 timestamp(3),
    ADD c_tstz timestamptz, ADD c_interval interval, ADD c_bytea bytea, ADD c_bit bit(5),
    ADD c_json json, ADD c_jsonb jsonb, ADD c_text text[], ADD c_int int[], ADD c_inet inet,
    ADD c_mood mood, ADD c_moods mood[], ADD c_price price,
    ADD c_made int GENERATED ALWAYS AS (length(notes)) STORED;
ALTER TABLE project_assignments ALTER notes SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX of_person ON project_assignments (id, user_id);
CREATE TABLE small (n int PRIMARY KEY, t text);
ALTER PUBLICATION calrelay ADD TABLE small;
INSERT INTO profiles (id, email) VALUES
    ('{ADA}', 'ada@example.com'), ('{ALAN}', 'alan@example.com');
SELECT pg_replication_origin_create('elsewhere');
"""

TYPES = ("c_bool, c_int2, c_int8, c_float4, c_float8, c_numeric, c_any, c_money, c_date, c_time, "
         "c_timetz, c_ts, c_ts3, c_tstz, c_interval, c_bytea, c_bit, c_json, c_jsonb, c_text, "
         "c_int, c_inet, c_mood, c_moods, c_price")
VALUES = r"""true, -2, 9007199254740993, 1e-45, 1e300, 1.5, 3.1400, 12.5, 'infinity', '01:02:03.5',
'01:02:03+02', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678', '-infinity',
'1 year 2 days -3 seconds', '\x00ff', '10101', '{"a": 1}', '{"b": [null]}',
ARRAY['x', NULL, 'y "z"'], ARRAY[[1, 2], [3, 4]], '::1/64', 'sad', ARRAY['happy', 'sad']::mood[],
12.5"""

# One transaction each; the operations a statement's rows count for come first.
WORK = (
    (("I", f"INSERT INTO projects (id, client_name, start_date, end_date, notes) VALUES "
      f"('{ACME}', E'\\u00c5lo \"Acme\"\\n', '2026-03-02', '2026-03-06', NULL), "
      f"('{OTHER}', 'Other', NULL, NULL, '')"),),
    (("I", f"INSERT INTO project_assignments (id, project_id, user_id, notes, {TYPES}) VALUES "
      f"('{FIRST}', '{ACME}', '{ADA}', E'a\\u0001\\\\b\"\\u00e5\\U0001F4C5', {VALUES})"),
     ("I", f"INSERT INTO project_assignments (id, project_id, user_id) VALUES "
      f"('{SECOND}', '{ACME}', '{ADA}'), ('{THIRD}', '{OTHER}', '{ALAN}')")),
    (("U", "UPDATE project_assignments SET booking_status = 'confirmed'"),),
    (("U", f"UPDATE project_assignments SET notes = repeat('0123456789', 300) "
      f"WHERE id = '{FIRST}'"),),
    (("U", f"UPDATE project_assignments SET booking_status = 'option' WHERE id = '{FIRST}'"),),
    (("U", f"UPDATE project_assignments SET user_id = '{ALAN}', notes = 'short' "
      f"WHERE id = '{FIRST}'"),),
    ((None, "SAVEPOINT s"), (None, f"DELETE FROM project_assignments WHERE id = '{SECOND}'"),
     (None, "ROLLBACK TO s"),
     ("D", f"DELETE FROM project_assignments WHERE id = '{SECOND}'")),
    (("U", f"UPDATE projects SET client_name = 'Acme 2', end_date = '2026-04-01' "
      f"WHERE id = '{ACME}'"),
     ("U", f"UPDATE projects SET sales_amount = 12.50 WHERE id = '{ACME}'")),
    (("I", f"INSERT INTO calendar_sync_requests (user_id, kind) VALUES ('{ADA}', 'full')"),),
    (("I", "INSERT INTO small VALUES (1, 'one'), (2, NULL)"),
     ("U", "UPDATE small SET t = 'two' WHERE n = 2"), ("U", "UPDATE small SET n = 3 WHERE n = 2"),
     ("D", "DELETE FROM small WHERE n = 3")),
    (("I", "COPY small FROM STDIN"),),
    ((None, "ALTER TABLE project_assignments ADD c_later varchar(10) DEFAULT 'x', DROP c_inet"),
     ("I", f"INSERT INTO project_assignments (id, project_id, user_id, c_later) VALUES "
      f"('{FOURTH}', '{OTHER}', '{ADA}', 'later')")),
    ((None, "ALTER TABLE project_assignments REPLICA IDENTITY USING INDEX of_person"),
     ("U", f"UPDATE project_assignments SET booking_status = 'x' WHERE id = '{FOURTH}'"),
     ("U", f"UPDATE project_assignments SET user_id = '{ALAN}' WHERE id = '{FOURTH}'"),
     ("D", f"DELETE FROM project_assignments WHERE id = '{FOURTH}'")),
    ((None, "SELECT pg_logical_emit_message(true, 'inside', 'of a transaction')"),
     ("I", "INSERT INTO small VALUES (7, '')")),
    ((None, "SELECT pg_replication_origin_session_setup('elsewhere')"),
     (None, "SELECT pg_replication_origin_xact_setup('0/1', now())"),
     ("I", "INSERT INTO small VALUES (8, 'from elsewhere')")),
    ((None, "SELECT pg_replication_origin_session_reset()"),
     ("T", "TRUNCATE small, project_assignments CASCADE")),
    (("I", f"INSERT INTO project_assignments (id, project_id, user_id) VALUES "
      f"('{FIFTH}', '{OTHER}', '{ADA}')"),
     ("D", f"DELETE FROM project_assignments WHERE id = '{FIFTH}'")),
)


def run(cursor, statement):
    """The rows it changed."""
    if statement.startswith("COPY"):
        cursor.copy_expert(statement, io.StringIO("4\tfour\n5\t\\N\n6\tsix\n"))
        return 3
    cursor.execute(statement)
    return 1 if statement.startswith("TRUNCATE") else cursor.rowcount


def work(connection):
    """{operation: rows} of what was committed."""
    counts = collections.Counter()
    connection.autocommit = False
    cursor = connection.cursor()
    for transaction in WORK:
        for operation, statement in transaction:
            changed = run(cursor, statement)
            counts.update({operation: changed} if operation else {})
        connection.commit()
    connection.close()
    return counts


def transactions_of(messages):
    """Each transaction's messages, behind the newest announcement of every relation so far."""
    relations, current = {}, []
    for message in messages:
        current.append(message)
        if message[:1] == b"R":
            relations[message[1:5]] = message
        if message[:1] == b"C":
            used = {inner[1:5] for inner in current if inner[:1] in b"IUD"}
            told = {inner[1:5] for inner in current if inner[:1] == b"R"}
            yield [relations[oid] for oid in sorted(used - told)] + current
            current = []


def write_seeds(messages):
    for old in SEEDS.glob("recorded-*"):
        old.unlink()
    SEEDS.mkdir(parents=True, exist_ok=True)
    for number, transaction in enumerate(transactions_of(messages)):
        seed = b"".join(struct.pack(">H", len(message)) + message for message in transaction)
        (SEEDS / f"recorded-{number:02}").write_bytes(seed)


def main():
    folder = Folder()
    postgres = Postgres(folder.path).start()
    postgres.create_template()
    postgres.create_database("recorded")
    postgres.execute("recorded", BEFORE)
    recording = recorder.Recorder(postgres, "recorded")
    counts = work(postgres.connect("recorded"))
    messages = recording.end()
    postgres.stop("immediate")
    recorder.write(STREAM, messages, [
        "pgoutput.stream - recorded from PostgreSQL 15 by tests/fuzz/record.py",
        " ".join(f"{kind}={counts[kind]}" for kind in "IUDT")])
    write_seeds([message for _, message in messages])
    print(f"{len(messages)} messages, {dict(counts)}")


if __name__ == "__main__":
    main()
