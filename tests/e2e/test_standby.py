"""Two producers: the slot has one owner, and what the other left behind does not stay."""
import itertools
import json

import confluent_kafka
import pytest

from parts.records import (add_assignments, add_users, assert_ordered_and_unique,
                           assert_topic_equals_tables, newest_values, position, records_of)

TAKEN_OVER_WITHIN_S = 10  # the figure; the limit of a wait
# The server waits 8 s for a word of its owner before it gives the slot away; the rest of the figure is
# for a machine that has time, which this one may not.
FROM_A_FROZEN_ONE_WITHIN_S = 20


@pytest.fixture
def owner_and_standby(system):
    """The slot's owner, streaming, and a second producer that waits."""
    system.producer.start().wait_ready()
    standby = system.new_producer().start()
    system.wait_until(lambda: standby.metric("calrelay_producer_standby") == 1)
    yield system.producer, standby
    standby.kill9()


def assert_newest_of_each_key_is_the_newest(system):
    """By offset, as compaction and a replay go, every key ends with its highest position."""
    highest, last = {}, {}
    for record in records_of(system):
        last[record.key] = position(record)
        highest[record.key] = max(highest.get(record.key, ""), position(record))
    assert last == highest


def write_again(system, record):
    """What a frozen producer's send does that lands late: the same record once more."""
    sender = confluent_kafka.Producer({"bootstrap.servers": system.kafka.bootstrap})
    sender.produce(system.topic, record.value, record.key, partition=record.partition,
                   headers=record.headers)
    assert sender.flush(20) == 0


def test_a_standby_takes_over_from_an_owner_that_was_killed(system, owner_and_standby):
    owner, standby = owner_and_standby
    users, project = add_users(system, 5), system.create_project("Acme")
    add_assignments(system, project, users)
    system.wait_published()

    owner.kill9()
    system.wait_until(lambda: standby.metric("calrelay_producer_standby") == 0 and
                      standby.is_ready(), TAKEN_OVER_WITHIN_S)
    add_assignments(system, project, users)
    system.wait_published()

    assert_ordered_and_unique(system)
    assert_topic_equals_tables(system)


def test_a_frozen_owner_loses_the_slot_and_leaves_no_late_record_when_it_wakes(
        system, owner_and_standby):
    """It is frozen with records under way, because Kafka is, too."""
    owner, standby = owner_and_standby
    users, project = add_users(system, 30), system.create_project("Acme")
    assignments = add_assignments(system, project, users * 20)
    system.wait_published()
    system.kafka.process.pause()
    system.sql("UPDATE project_assignments SET notes = 'from the old owner'")
    system.wait_until(lambda: owner.metric("calrelay_producer_in_flight_transactions") == 1)
    owner.pause()
    system.kafka.process.cont()

    system.wait_until(lambda: standby.metric("calrelay_producer_standby") == 0 and
                      standby.is_ready(), FROM_A_FROZEN_ONE_WITHIN_S)
    system.sql("UPDATE project_assignments SET notes = 'from the new owner'")
    system.sql("DELETE FROM project_assignments WHERE id = ANY(%s::uuid[])", assignments[:100])
    system.wait_published()
    owner.cont()
    system.wait_until(lambda: owner.metric("calrelay_producer_standby") == 1, 60)

    system.wait_until(lambda: assert_newest_of_each_key_is_the_newest(system) is None, 30)
    assert_topic_equals_tables(system)


@pytest.mark.parametrize("busy", [True, False], ids=["among-ours", "where-we-are-quiet"])
def test_a_record_that_lands_late_does_not_stay_the_newest_of_its_key(system, busy):
    system.producer.start().wait_ready()
    [user], project = add_users(system, 1), system.create_project("Acme")
    changed, removed, other = add_assignments(system, project, [user] * 3)
    system.wait_published()
    late = {json.loads(record.key)["id"]: record for record in records_of(system)}
    system.sql("UPDATE project_assignments SET notes = 'newer' WHERE id = %s", changed)
    system.sql("DELETE FROM project_assignments WHERE id = %s", removed)
    system.wait_published()

    for assignment in (changed, removed):
        write_again(system, late[assignment])
    if busy:
        system.sql("UPDATE project_assignments SET notes = 'touched' WHERE id = %s", other)

    system.wait_until(lambda: assert_newest_of_each_key_is_the_newest(system) is None, 30)
    assert_topic_equals_tables(system)
    value = newest_values(system)[user, changed]
    assert value["after"]["notes"] == "newer"
    assert (user, removed) not in newest_values(system)
    system.wait_published()
    told = len(records_of(system))
    assert system.producer.sigterm() == 0
    system.producer.start().wait_ready()
    system.wait_published()
    assert len(records_of(system)) == told, "what was mended is mended again at each start"


def test_a_late_record_does_not_outlive_compaction(system):
    system.kafka.create_topic(system.topic, 12, {
        "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001",
        "max.compaction.lag.ms": "500", "delete.retention.ms": "100"})
    system.producer.start().wait_ready()
    users, project = add_users(system, 1), system.create_project("Acme")
    [changed] = add_assignments(system, project, users)
    system.wait_published()
    [late] = records_of(system)
    system.sql("UPDATE project_assignments SET notes = 'newer' WHERE id = %s", changed)
    system.wait_published()

    write_again(system, late)
    system.wait_until(lambda: assert_newest_of_each_key_is_the_newest(system) is None, 30)

    rows = itertools.count()

    def only_the_mended_record_is_left():
        """Compaction leaves the open segment alone, so something has to fill it."""
        system.sql("UPDATE project_assignments SET notes = %s WHERE id <> %s", str(next(rows)),
                   changed)
        return [record for record in records_of(system)
                if json.loads(record.key)["id"] == changed][:-1] == []
    add_assignments(system, project, users)
    system.wait_until(only_the_mended_record_is_left, 90)
    assert newest_values(system)[users[0], changed]["after"]["notes"] == "newer"


def test_late_records_are_found_at_the_start_too(system):
    system.producer.start().wait_ready()
    [user], project = add_users(system, 1), system.create_project("Acme")
    [changed] = add_assignments(system, project, [user])
    system.wait_published()
    [late] = records_of(system)
    system.sql("UPDATE project_assignments SET notes = 'newer' WHERE id = %s", changed)
    system.wait_published()
    assert system.producer.sigterm() == 0
    write_again(system, late)

    system.producer.start().wait_ready()
    system.wait_published()

    assert_newest_of_each_key_is_the_newest(system)
    assert newest_values(system)[user, changed]["after"]["notes"] == "newer"


def test_a_record_of_no_producer_at_all_stops_nothing(system):
    system.producer.start().wait_ready()
    users, project = add_users(system, 3), system.create_project("Acme")
    add_assignments(system, project, users)
    system.wait_published()
    record = records_of(system)[0]
    write_again(system, record._replace(key=b"not a key", value=b"nothing", headers={}))

    add_assignments(system, project, users * 5)
    system.wait_published()

    assert len([found for found in records_of(system) if found.key != b"not a key"]) == 18
