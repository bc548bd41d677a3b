"""Another server takes the place of the one that the producer read: positions begin a new epoch."""
import collections

import pytest

from parts.records import (add_assignments, add_users, assert_ordered_and_unique,
                           assert_topic_equals_tables, position, records_of)


@pytest.fixture
def movable(system):
    """The producer, streaming from a server of its own, of which a story makes copies."""
    shared = system.postgres
    system.move_to_own_server()
    system.producer.start().wait_ready()
    yield system
    system.producer.kill9()
    for server in system.servers:
        server.stop("immediate")
    system.move_to(shared)


def plan(system, people):
    """A project with one assignment for each, published."""
    assignments = add_assignments(system, system.create_project(), add_users(system, people))
    system.wait_published()
    return assignments


def move(system, server):
    """The producer comes back, and finds another server at its address."""
    assert system.producer.sigterm() == 0
    system.servers.append(server)
    system.move_to(server)


def goes_on(system):
    """Some work later, and a good deal further in the log; how far."""
    system.sql("CREATE TABLE other AS SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
    system.sql("UPDATE project_assignments SET notes = 'on it goes'")
    system.wait_published()
    return system.value("SELECT pg_current_wal_lsn()")


def epochs(system):
    """{epoch: records in the topic}"""
    return collections.Counter(int(position(record)[:8], 16) for record in records_of(system))


def wait_streams_on(system):
    system.producer.wait_ready()
    add_assignments(system, system.create_project("Afterwards"), add_users(system, 3))
    system.sql("UPDATE projects SET client_name = client_name || '!'")
    system.wait_published()
    assert_ordered_and_unique(system)
    assert_topic_equals_tables(system)


def test_a_standby_that_is_promoted_begins_a_new_epoch_with_a_snapshot(movable):
    plan(movable, 5)
    standby = movable.postgres.standby(movable.folder / "standby")
    plan(movable, 2)
    movable.wait_until(lambda: movable.value(
        "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'walreceiver' "
        "AND replay_lsn = pg_current_wal_lsn()") == 1)
    movable.postgres.stop("immediate")
    standby.promote()
    move(movable, standby)
    movable.sql("UPDATE project_assignments SET notes = 'while nobody looked'")

    movable.producer.start().wait_ready()

    assert epochs(movable) == {1: 7, 2: 7}
    assert movable.sql("SELECT epoch, timeline FROM calrelay_source ORDER BY epoch") == [
        {"epoch": 1, "timeline": 1}, {"epoch": 2, "timeline": 2}]
    wait_streams_on(movable)


def test_a_backup_that_is_restored_begins_a_new_epoch_above_what_the_topic_has(movable):
    """Twice: the second restore finds an epoch in the topic which its tables do not know."""
    plan(movable, 5)
    backups = [movable.postgres.base_backup(movable.folder / f"backup{number}")
               for number in range(2)]
    for epoch, backup in enumerate(backups, 2):
        before = goes_on(movable)
        move(movable, backup.recover())
        assert movable.value("SELECT pg_current_wal_lsn() < %s::pg_lsn", before)

        movable.producer.start().wait_ready()

        assert epochs(movable)[epoch] == 5
        newest = max(position(record) for record in records_of(movable))
        assert newest.startswith(f"{epoch:08x}:")
        assert_ordered_and_unique(movable)
        movable.sql("UPDATE project_assignments SET notes = 'after the restore'")
        movable.wait_published()
    assert epochs(movable) == {1: 10, 2: 15, 3: 10}


def test_a_backup_started_as_if_it_were_the_old_server_has_no_slot_and_stops_the_producer(movable):
    plan(movable, 5)
    backup = movable.postgres.base_backup(movable.folder / "backup")
    plan(movable, 5)
    move(movable, backup.start())

    movable.producer.start()
    assert movable.producer.wait(30) == 1
    assert f"slot {movable.slot} is gone" in movable.producer.log_text()
    assert epochs(movable) == {1: 10}

    movable.sql("UPDATE public.calrelay_source SET given_up = true")
    movable.producer.start().wait_ready()
    assert epochs(movable)[2] == 5 + 2 * 5, "what is there, and the removal of what is not"
    wait_streams_on(movable)


@pytest.mark.parametrize("is_behind", [True, False], ids=["behind the topic", "beyond the topic"])
def test_a_copy_of_the_files_that_brings_the_slot_along_begins_a_new_epoch(movable, is_behind):
    """Nothing that the server says of itself is other than before, except what is in its log."""
    plan(movable, 5)
    movable.postgres.stop()
    copy = movable.postgres.file_copy(movable.folder / "copy")
    movable.postgres.start()
    movable.producer.wait_ready()
    plan(movable, 5)  # which the copy knows nothing of
    before = goes_on(movable)
    move(movable, copy.start())
    if not is_behind:
        movable.sql("CREATE TABLE more AS SELECT repeat('x', 1000) FROM generate_series(1, 40000)")
    assert movable.value("SELECT pg_current_wal_lsn() < %s::pg_lsn", before) == is_behind
    movable.sql("UPDATE project_assignments SET notes = 'after the restore'")

    movable.producer.start().wait_ready()
    movable.wait_until(lambda: epochs(movable)[2] >= 5)

    assert "epoch begins" in movable.producer.log_text()
    wait_streams_on(movable)
