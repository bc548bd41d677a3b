"""The producer in bounded memory, whatever is large and whoever is away."""
import collections
import json

import pytest

from parts.records import (AUDIT, HostAtWork, add_assignments, add_users, assert_ordered_and_unique,
                           assert_rows_published_once, assert_topic_equals_tables, confirmed)

MEMORY_MIB_MAX = 48
pytestmark = pytest.mark.slow


def insert_many(system, project, users, count):
    """One transaction; without the checks of foreign keys, which would only take time."""
    connection = system.postgres.connect(system.database)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("INSERT INTO project_assignments (project_id, user_id) SELECT %s, "
                       "(%s::uuid[])[1 + n %% %s] FROM generate_series(1, %s) n",
                       (project, users, len(users), count))
    connection.close()


def assert_memory_is_bounded(system):
    most = system.producer.memory_mib("VmHWM")
    print(f"VmHWM {most:.1f} MiB")
    assert most <= MEMORY_MIB_MAX


def read_once(system, cause):
    """How often each assignment is in the topic for that cause, and the projects' names; checks
    that positions grow."""
    last, ids, names = {}, collections.Counter(), set()
    for record in system.kafka.each(system.topic):
        position = record.headers["calrelay.pos"]
        assert position > last.get(record.partition, b"")
        last[record.partition] = position
        if record.headers["calrelay.cause"] == cause:
            ids[json.loads(record.key)["id"]] += 1
            names.add(json.loads(record.value)["project"]["client_name"])
    return ids, names


def test_a_transaction_of_a_million_rows_is_published_once_in_bounded_memory(release_system):
    system, rows = release_system, 1000000
    users = add_users(system, 200)
    project = system.create_project("Acme")
    system.producer.start().wait_ready()

    insert_many(system, project, users, rows)
    system.wait_published(400)

    assert_memory_is_bounded(system)
    ids, names = read_once(system, b"row")
    assert len(ids) == sum(ids.values()) == rows
    assert names == {"Acme"}


def test_an_edit_of_a_project_with_100000_assignments_is_told_once_to_each(release_system):
    system, rows = release_system, 100000
    project = system.create_project("Before")
    insert_many(system, project, add_users(system, 200), rows)
    system.producer.start().wait_ready(200)
    system.wait_published(60)
    filled = system.kafka.count(system.topic)
    assert filled == rows

    system.sql("UPDATE projects SET sales_amount = 1, updated_at = now() WHERE id = %s", project)
    system.wait_published(60)
    assert system.kafka.count(system.topic) == filled, "an edit that shows nothing was told"
    system.sql("UPDATE projects SET client_name = 'After' WHERE id = %s", project)
    system.wait_published(200)

    assert_memory_is_bounded(system)
    ids, names = read_once(system, b"project")
    assert len(ids) == sum(ids.values()) == rows
    assert names == {"After"}


def test_kafka_is_away_for_minutes_under_load_and_nothing_is_lost_or_doubled(release_system):
    system = release_system
    system.producer.start().wait_ready()
    system.sql(AUDIT)
    users = add_users(system, 20)
    projects = [system.create_project(f"Client {number}") for number in range(5)]
    for project in projects:
        add_assignments(system, project, users * 4)
    system.wait_published()

    with HostAtWork(system, users, projects, pause_s=0.01) as host:
        host.wait_made(100)
        system.kafka.stop()
        away = system.value("SELECT clock_timestamp()")
        host.wait_made(20)
        gone = system.value("SELECT pg_current_wal_lsn()")
        try:
            system.wait_until(lambda: not system.producer.is_ready(), 60, "it is not ready")
            system.wait_until(lambda: system.value(
                "SELECT clock_timestamp() > %s + interval '150 s'", away), 200)
            assert not system.producer.is_ready()
            assert system.value("SELECT %s::pg_lsn < %s::pg_lsn", confirmed(system), gone)
        finally:
            system.kafka.start()
        host.wait_made(100)
    system.producer.wait_ready()
    system.wait_published(200)

    assert_memory_is_bounded(system)
    assert_rows_published_once(system)
    assert_ordered_and_unique(system)
    assert_topic_equals_tables(system)
