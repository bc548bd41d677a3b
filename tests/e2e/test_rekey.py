"""Keys for tokens are rotated while everything runs, and no token is lost over it."""
import base64
import os
import subprocess
import threading

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parts.process import ROOT

DOCUMENT = ROOT / "docs/key-rotation.md"
COLUMNS = ("access_token", "refresh_token")


class Key:
    """One key of a keyring, which can do by itself what the programs do."""

    def __init__(self, name):
        self.name, self.bytes = name, os.urandom(32)
        self.line = f"{name}:{base64.b64encode(self.bytes).decode()}\n"

    @staticmethod
    def _place(row, column):
        return f"calendar_connections|{row}|{column}".encode()

    def seal(self, row, column, plain):
        nonce = os.urandom(12)
        sealed = AESGCM(self.bytes).encrypt(nonce, plain.encode(), self._place(row, column))
        return f"v1:{self.name}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, row, column, sealed):
        version, name, text = sealed.split(":")
        raw = base64.b64decode(text)
        assert (version, name) == ("v1", self.name)
        return AESGCM(self.bytes).decrypt(raw[:12], raw[12:], self._place(row, column)).decode()


@pytest.fixture
def old():
    return Key("old")


@pytest.fixture
def new():
    return Key("new")


def keyring(system, *keys):
    (system.folder / "token-keys").write_text("".join(key.line for key in keys))


def rekey(system):
    """(exit status, its last line, the connections that it named)"""
    done = subprocess.run([*map(str, system.connect.argv), "rekey"], env=system.connect.env,
                          capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert not done.stderr or done.returncode == 1, done.stderr
    return done.returncode, lines[-1], sorted({line.split("\t")[0] for line in lines
                                               if "\t" in line})


def restart(system):
    for program in (system.connect, system.worker):
        assert program.sigterm() == 0
        program.start().wait_ready()


def key_ids(system):
    """The ids of all keys that any stored token is sealed with."""
    rows = system.sql("SELECT DISTINCT split_part(token, ':', 2) AS id FROM calendar_connections, "
                      "unnest(ARRAY[access_token, refresh_token]) AS token")
    return {row["id"] for row in rows}


def change_all_with_new_tokens(system, assignments, status):
    system.sql("UPDATE calendar_connections SET token_expires_at = now()")
    system.bulk_update_assignment_status(assignments, status)


def step(system, command):
    """A command of the document, where the keyring lies; then worker and connect read it."""
    assert f"    {command} " in DOCUMENT.read_text()
    subprocess.run(["bash", "-ec", command], cwd=system.folder, check=True)
    restart(system)


def test_a_key_is_rotated_while_the_worker_refreshes_tokens(system, old):
    keyring(system, old)
    people = system.start().connect_people(6)
    ada, assignments = people[0], system.create_assignments(system.create_project(), people)
    system.wait_calendars_equal_plan()

    step(system, 'echo "k2:$(openssl rand -base64 32)" >> token-keys')
    assert key_ids(system) == {"old"}
    step(system, "sed -i '1!G;h;$!d' token-keys")
    mark = system.fake.mark()
    system.fake.fault("token", "delay", account=ada.email, ms=2000)
    change_all_with_new_tokens(system, assignments[:3], "confirmed")
    system.wait_until(lambda: system.fake.requests(mark, ada.email, {"token"}), 20,
                      "her refresh is under way")
    status, line, _ = rekey(system)
    assert status == 0 and line.endswith(", unreadable 0"), line
    assert key_ids(system) == {"k2"}
    system.wait_calendars_equal_plan()
    assert len(system.fake.requests(mark, ada.email, {"token"})) == 1, "what it brought was stored"
    assert rekey(system) == (0, "rekeyed 0, already 6, unreadable 0", [])

    step(system, "sed -i '2,$d' token-keys")
    change_all_with_new_tokens(system, assignments, "tentative")
    system.wait_calendars_equal_plan()
    assert system.value("SELECT bool_and(status = 'active') FROM calendar_connections")
    assert key_ids(system) == {"k2"} and system.dlq_records() == []

    keyring(system, old)  # what a key that is missing too early does
    restart(system)
    system.update_assignment_status(assignments[0], "confirmed")
    system.wait_until(lambda: ada.connection()["status"] == "needs_reconnect", 20)
    assert rekey(system)[:2] == (1, "rekeyed 0, already 0, unreadable 6")


def store(system, row, key, plain):
    return system.sql("UPDATE calendar_connections SET access_token = %s, refresh_token = %s "
                      "WHERE id = %s", *(key.seal(row, column, plain) for column in COLUMNS), row)


def stored(system, row, key):
    """What the row's two tokens are under that key."""
    found, = system.sql("SELECT access_token, refresh_token FROM calendar_connections "
                        "WHERE id = %s", row)
    return [key.open(row, column, found[column]) for column in COLUMNS]


def add_connections(system, count, key):
    """Rows without mailboxes, in the order that rekey meets them in."""
    rows = system.sql(
        "WITH people AS (INSERT INTO profiles (id, email, full_name) SELECT gen_random_uuid(), "
        "'p' || n || '@example.com', 'P' FROM generate_series(1, %s) n RETURNING id) "
        "INSERT INTO calendar_connections (user_id, access_token, refresh_token, "
        "token_expires_at) SELECT id, '', '', now() FROM people RETURNING id::text", count)
    ids = sorted(row["id"] for row in rows)
    for row in ids:
        store(system, row, key, "first")
    return ids


@pytest.fixture
def desk(system, old, new):
    """Nothing runs: rekey needs PostgreSQL alone."""
    keyring(system, new, old)
    return system


def test_rekey_names_what_does_not_open_and_leaves_it(desk, old, new):
    rows = add_connections(desk, 3, old)
    store(desk, rows[1], Key("lost"), "first")
    before = desk.sql("SELECT * FROM calendar_connections WHERE id = %s", rows[1])
    assert rekey(desk) == (1, "rekeyed 2, already 0, unreadable 1", [rows[1]])
    assert rekey(desk) == (1, "rekeyed 0, already 2, unreadable 1", [rows[1]])
    assert stored(desk, rows[0], new) == stored(desk, rows[2], new) == ["first"] * 2
    assert desk.sql("SELECT * FROM calendar_connections WHERE id = %s", rows[1]) == before

    store(desk, rows[1], new, "again")
    desk.sql("UPDATE calendar_connections SET refresh_token = access_token WHERE id = %s", rows[0])
    assert rekey(desk) == (1, "rekeyed 0, already 2, unreadable 1", [rows[0]])


def test_rekey_overwrites_and_overlooks_nothing_that_is_stored_meanwhile(desk, old, new):
    rows = add_connections(desk, 450, old)
    newer, gone, first = rows[3], rows[5], "00000000-0000-0000-0000-000000000001"
    other = desk.postgres.connect(desk.database)
    other.autocommit = False
    results = []
    with other.cursor() as cursor:
        cursor.execute("UPDATE calendar_connections SET access_token = %s, refresh_token = %s "
                       "WHERE id = %s", [*(old.seal(newer, column, "newer")
                                           for column in COLUMNS), newer])
        rekeying = threading.Thread(target=lambda: results.append(rekey(desk)))
        rekeying.start()
        desk.wait_until(lambda: desk.value("SELECT count(*) FROM pg_stat_activity "
                                           "WHERE wait_event_type = 'Lock'") > 0, 20)
        assert desk.value("SELECT count(*) FROM calendar_connections "
                          "WHERE access_token LIKE 'v1:new:%%'") == 3, "row by row"
        desk.sql("DELETE FROM calendar_connections WHERE id = %s", gone)
        desk.sql("UPDATE calendar_connections SET id = %s WHERE id = %s", first, rows[0])
        store(desk, first, old, "behind it")
        other.commit()
    rekeying.join(60)
    other.close()
    assert results == [(1, "rekeyed 449, already 0, unreadable 0", [])]
    assert stored(desk, newer, new) == ["newer"] * 2
    assert key_ids(desk) == {"old", "new"}

    assert rekey(desk) == (0, "rekeyed 1, already 448, unreadable 0", [])
    assert stored(desk, first, new) == ["behind it"] * 2
    assert key_ids(desk) == {"new"}
