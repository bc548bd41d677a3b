"""What the producer tells of itself: the metrics others rely on, and whether it is ready."""
import collections

import pytest

from parts.records import (HostAtWork, add_assignments, add_users, assert_topic_equals_tables,
                           operation, records_of)

NAMES = ("slot_retained_bytes", "behind_seconds", "commit_to_ack_seconds_count",
         "commit_to_ack_seconds_sum", "in_flight_transactions", "standby")


def metrics(program):
    """{name without its prefix: value}, events_total left out"""
    prefix = "calrelay_producer_"
    return {name.removeprefix(prefix): value for (name, labels), value in program.metrics().items()
            if name.startswith(prefix) and not labels}


def events(program):
    """{(op, cause): records}"""
    return {(dict(labels)["op"], dict(labels)["cause"]): value
            for (name, labels), value in program.metrics().items()
            if name == "calrelay_producer_events_total"}


@pytest.fixture
def standby(source):
    second = source.new_producer().start().wait_ready()
    yield second
    second.kill9()


def test_every_metric_tells_what_the_topic_and_the_server_say(source, standby):
    users = add_users(source, 5)
    projects = [source.create_project(f"Client {number}") for number in range(3)]
    for project in projects:
        add_assignments(source, project, users)
    with HostAtWork(source, users, projects) as host:
        host.wait_made(200)
    source.wait_published()

    told = collections.Counter((operation(record), record.headers["calrelay.cause"].decode())
                               for record in records_of(source))
    assert events(source.producer) == told
    assert {op for op, _ in told} == {"c", "u", "d", "tombstone", "r"}
    found = metrics(source.producer)
    assert set(NAMES) <= set(found)
    assert found["standby"] == found["in_flight_transactions"] == found["behind_seconds"] == 0
    assert found["commit_to_ack_seconds_count"] >= 200
    assert 0 < found["commit_to_ack_seconds_sum"] < 60 * found["commit_to_ack_seconds_count"]
    of_standby = metrics(standby)
    assert of_standby["standby"] == 1
    assert of_standby["behind_seconds"] == of_standby["commit_to_ack_seconds_count"] == 0
    assert sum(events(standby).values()) == 0


def test_the_slots_size_is_told_also_by_a_producer_that_waits(source, standby):
    source.producer.pause()
    source.sql("CREATE TABLE neighbour AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
    least = source.value("SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots "
                         "WHERE slot_name = %s", source.slot)
    assert least > 5 << 20

    source.wait_until(lambda: metrics(standby)["slot_retained_bytes"] >= least, 30)
    source.producer.cont()


def test_an_outage_of_kafka_shows_and_ends(source):
    users = add_users(source, 5)
    project = source.create_project("Acme")
    source.wait_published()
    stopped = source.value("SELECT clock_timestamp()")
    source.kafka.stop()
    try:
        # by then it has also asked for the partitions' ends, in vain
        source.wait_until(lambda: source.value(
            "SELECT clock_timestamp() > %s + interval '8 s'", stopped))
        add_assignments(source, project, users)
        committed = source.value("SELECT clock_timestamp()")
        source.wait_until(lambda: metrics(source.producer)["in_flight_transactions"] == 1)
        source.wait_until(lambda: not source.producer.is_ready(), 60, "it is not ready any more")
        source.wait_until(lambda: '"step":"topics"' in source.producer.log_text(), 40,
                          "it has let go of the old connections and looks for Kafka again")
        source.wait_until(lambda: source.value(
            "SELECT clock_timestamp() > %s + interval '10 s'", committed))
        assert not source.producer.is_ready() and source.producer.is_live()
        assert metrics(source.producer)["behind_seconds"] >= 10
    finally:
        source.kafka.start()
    source.producer.wait_ready()
    source.wait_published(60)
    assert metrics(source.producer)["behind_seconds"] == 0
    assert_topic_equals_tables(source)


def test_without_postgresql_nobody_is_ready_and_afterwards_both_are(source, standby):
    source.postgres.stop("immediate")
    try:
        for program in (source.producer, standby):
            source.wait_until(lambda: not program.is_ready(), 30)
            assert program.is_live()
            assert metrics(program)["standby"] == 0
    finally:
        source.postgres.start()
    for program in (source.producer, standby):
        program.wait_ready()
    assert metrics(source.producer)["standby"] + metrics(standby)["standby"] == 1
