"""Assignments told again: by `calrelay-producer resnapshot`, and by a first fill that was killed."""
import json
import subprocess
import uuid

import pytest

from parts.records import (add_assignments, add_users, assert_ordered_and_unique,
                           assert_topic_equals_tables, position, records_of)


@pytest.fixture
def source(system):
    """The producer alone, streaming."""
    system.producer.start().wait_ready()
    return system


def resnapshot(system, *args):
    return subprocess.run([*system.producer.argv, "resnapshot", *map(str, args)],
                          env=system.producer.env, capture_output=True, text=True, timeout=60)


def told_again(system):
    """Keys of the `r` records of snapshots, in the order of their positions."""
    records = sorted(records_of(system, "snapshot"), key=position)
    for record in records:
        value = json.loads(record.value)
        assert value["op"] == "r" and value["source"]["snapshot"] == "incremental"
    return [json.loads(record.key) for record in records]


def test_resnapshot_tells_the_assignments_of_one_user_again_and_nobody_elses(source):
    user, other = add_users(source, 2)
    projects = [source.create_project(name) for name in ("Acme", "Globex")]
    wanted = [add_assignments(source, project, [user, other])[0] for project in projects]

    done = resnapshot(source, "--user", user)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "done: Kafka has all of it"
    assert told_again(source) == [{"user_id": user, "id": where} for where in sorted(wanted)]
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_resnapshot_tells_one_project_or_everything(source):
    users = add_users(source, 5)
    acme, globex = source.create_project("Acme"), source.create_project("Globex")
    on_acme, on_globex = add_assignments(source, acme, users), add_assignments(source, globex, users)

    assert resnapshot(source, "--project", acme).returncode == 0
    assert [key["id"] for key in told_again(source)] == sorted(on_acme)
    assert resnapshot(source).returncode == 0

    assert [key["id"] for key in told_again(source)[5:]] == sorted(on_acme + on_globex)
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_a_resnapshot_that_is_cut_off_by_kill_9_is_finished_without_a_double(source):
    add_assignments(source, source.create_project("Acme"), add_users(source, 40) * 200)
    source.wait_published()
    with subprocess.Popen([*source.producer.argv, "resnapshot"], env=source.producer.env,
                          stdout=subprocess.PIPE, text=True) as command:
        source.wait_until(lambda: source.producer.metric(
            "calrelay_producer_events_total", cause="snapshot") > 1000, 60, "it is under way")
        source.producer.kill9()
        assert len(records_of(source, "snapshot")) < 8000, "it was over before the kill"

        source.producer.start().wait_ready()
        assert command.wait(60) == 0

    assert len(told_again(source)) == 8000
    assert_ordered_and_unique(source)


def test_resnapshot_without_a_slot_says_what_to_do(system):
    done = resnapshot(system)

    assert done.returncode == 1
    assert "start a producer" in done.stdout
    assert resnapshot(system, "--user", "somebody").returncode == 64


def test_a_message_that_asks_for_nonsense_stops_nothing(source):
    for content in ("everything", "user x", "key", "x" * 5000):
        source.sql("SELECT pg_logical_emit_message(true, 'calrelay.resnapshot', %s)", content)
    source.sql("SELECT pg_logical_emit_message(false, 'calrelay.resnapshot', 'all')")
    source.sql("SELECT pg_logical_emit_message(true, 'another.program', 'all')")
    add_assignments(source, source.create_project("Acme"), add_users(source, 2))
    source.wait_published()

    assert len(records_of(source)) == 2
    assert "nobody knows" in source.producer.log_text()


def test_a_key_that_the_table_does_not_have_is_told_as_removed(source):
    [user] = add_users(source, 1)
    [kept] = add_assignments(source, source.create_project("Acme"), [user])
    gone = str(uuid.uuid4())

    for where in (kept, gone):
        source.sql("SELECT pg_logical_emit_message(true, 'calrelay.resnapshot', %s)",
                   f"key {user} {where}")
    source.wait_published()

    again, removed, tombstone = sorted(records_of(source, "snapshot"), key=position)
    assert json.loads(again.key)["id"] == kept and json.loads(again.value)["op"] == "r"
    assert json.loads(removed.key) == json.loads(tombstone.key) == {"user_id": user, "id": gone}
    value = json.loads(removed.value)
    assert value["op"] == "d" and value["after"] is None and value["before"]["id"] == gone
    assert tombstone.value is None
    assert_ordered_and_unique(source)


def rows_read(system):
    """How many rows of the assignments PostgreSQL has handed out so far."""
    return system.value("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables "
                        "WHERE relname = 'project_assignments'")


def test_a_fill_that_was_killed_does_not_start_over(system):
    ids = add_assignments(system, system.create_project("Acme"), add_users(system, 40) * 1000)
    system.producer.start()
    from_id = "SELECT (SELECT snapshot_from::text FROM calrelay_source)"
    system.wait_until(lambda: system.value(from_id), 60)
    system.producer.kill9()
    saved = system.value(from_id)
    there = sum(where < saved for where in ids)
    assert 10000 <= there < 40000
    system.wait_until(lambda: system.value(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'producer_login'") == 0)
    before = rows_read(system)

    system.producer.start().wait_ready()
    system.producer.sigterm()

    system.wait_until(lambda: rows_read(system) - before >= 40000 - there)
    assert rows_read(system) - before < 40000, "it read everything again"
    assert {json.loads(record.key)["id"] for record in records_of(system)} == set(ids)
    assert_ordered_and_unique(system)
