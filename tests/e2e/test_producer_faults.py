"""The producer while what it stands on breaks: nothing is lost, doubled, disordered or silent."""
import collections
import random

from parts.kafka import as_json
from parts.records import (AUDIT, HostAtWork, add_assignments, add_users, assert_ordered_and_unique,
                           assert_rows_published_once, assert_topic_equals_tables,
                           confirmed, position, records_of)

MANY = 4000


def slot_of(system):
    """The slot, and the walsender that serves it."""
    [slot] = system.sql(
        "SELECT s.*, r.reply_time, r.pid, r.flush_lsn FROM pg_replication_slots s "
        "LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE slot_name = %s",
        system.slot)
    return slot


def edits_told(system):
    """{position of a project's edit: the assignments that were told of it, in order}"""
    told = collections.defaultdict(list)
    for record in records_of(system, "project"):
        edit, _, _ = position(record).rpartition(":")
        told[edit].append(as_json(record)[0]["id"])
    return told


# killed


def test_killed_anywhere_in_large_transactions_and_fan_outs_nothing_is_lost_or_doubled(source):
    source.sql(AUDIT)
    dice = random.Random(4712)
    project = source.create_project("Before")
    assignments = add_assignments(source, project, add_users(source, 40) * (MANY // 40))
    source.wait_published()
    cuts = collections.Counter()

    for number in range(8):
        before = source.kafka.count(source.topic)
        if number % 2:
            kind, statement = "fan-out", "UPDATE projects SET client_name = 'After %s'"
        else:
            kind, statement = "rows", "UPDATE project_assignments SET notes = 'round %s'"
        source.sql(statement, number)
        some = dice.randrange(MANY)
        source.wait_until(lambda: source.kafka.count(source.topic) - before >= some, 60)
        source.producer.kill9()
        cuts[kind] += 0 < source.kafka.count(source.topic) - before < MANY
        source.producer.start().wait_ready()
        source.wait_published(60)

    assert cuts["fan-out"] and cuts["rows"], f"no kill came in the middle: {cuts}"
    assert_rows_published_once(source)
    told = edits_told(source)
    assert len(told) == 4
    for edit in told.values():
        assert sorted(edit) == sorted(assignments), "one record for each, for every edit"
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_killed_between_kafkas_acknowledgement_and_the_slots_it_repeats_nothing(source):
    source.sql(AUDIT)
    users = add_users(source, 3)
    project = source.create_project("Acme")
    source.wait_published()
    acknowledged = "calrelay_producer_commit_to_ack_seconds_count"

    def is_caught():
        """Frozen when Kafka has acknowledged a commit and PostgreSQL has not been told yet."""
        records = source.kafka.count(source.topic)
        commits = source.producer.metric(acknowledged)
        add_assignments(source, project, users)
        target = source.value("SELECT pg_current_wal_lsn()")
        source.wait_until(lambda: source.producer.metric(acknowledged) > commits)
        source.producer.pause()
        if not source.value("SELECT %s::pg_lsn >= %s::pg_lsn", confirmed(source), target):
            assert source.kafka.count(source.topic) == records + 3
            return True
        source.producer.cont()
        return False

    for _ in range(3):
        source.wait_until(is_caught)
        source.producer.kill9()
        source.producer.start().wait_ready()
        source.wait_published()

    assert_rows_published_once(source)
    assert_ordered_and_unique(source)


# PostgreSQL


def test_a_slot_that_a_crash_of_postgresql_set_back_repeats_nothing(source):
    source.sql(AUDIT)
    users = add_users(source, 6)
    project = source.create_project("Before")
    assignments = add_assignments(source, project, users * 20)
    planned = []

    def is_set_back():
        """Changes that Kafka and the slot have, and of which a crash lets only Kafka know."""
        source.wait_published()
        source.sql("CHECKPOINT")
        source.wait_published()
        add_assignments(source, project, users * 5)
        source.sql("UPDATE projects SET client_name = client_name || '!'")
        source.wait_published()
        planned.append(source.value("SELECT count(*) FROM project_assignments"))
        source.sql("UPDATE project_assignments SET user_id = %s WHERE id = ANY(%s::uuid[])",
                   users[0], assignments[:30])
        source.sql("DELETE FROM project_assignments WHERE user_id = %s", users[0])
        source.wait_published()
        before = confirmed(source)
        source.producer.pause()
        source.postgres.restart("immediate")
        went_back = source.value("SELECT %s::pg_lsn < %s::pg_lsn", confirmed(source), before)
        source.producer.cont()
        return went_back

    # the server saves the slot also when it pleases, in which case there was nothing to show
    source.wait_until(is_set_back, 120)
    source.producer.wait_ready()
    source.wait_published(60)

    assert_rows_published_once(source)
    told = edits_told(source)
    assert [len(set(told[edit])) for edit in sorted(told)] == planned
    assert [len(told[edit]) for edit in sorted(told)] == planned
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_its_connections_are_cut_again_and_again_and_no_change_is_lost_or_doubled(source):
    source.sql(AUDIT)
    users = add_users(source, 10)
    projects = [source.create_project(f"Client {number}") for number in range(5)]
    for project in projects:
        add_assignments(source, project, users * 4)
    cut_walsender = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots " \
                    "WHERE slot_name = %s AND active"
    cut_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " \
              "WHERE usename = 'producer_login' AND datname = %s"

    with HostAtWork(source, users, projects) as host:
        for number in range(6):
            last = source.wait_until(lambda: slot_of(source)["active_pid"])
            host.wait_made(20)
            cut = source.wait_until(lambda: source.sql(
                cut_all if number % 2 else cut_walsender, source.slot))
            assert cut[0]["pg_terminate_backend"]
            source.wait_until(lambda: slot_of(source)["active_pid"] not in (None, last), 30,
                              "it comes back")
    source.producer.wait_ready()
    source.wait_published(60)

    assert_rows_published_once(source)
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_while_a_look_up_waits_the_socket_is_left_unread_and_the_status_goes_on(source):
    """However short the server's patience is, it must not take that for a dead connection."""
    project = source.create_project("Acme")
    add_assignments(source, project, add_users(source, 40) * (MANY // 4))
    source.wait_published(60)
    with source.postgres.altered(wal_sender_timeout="3s"):
        source.producer.kill9()
        source.producer.start().wait_ready()
        source.wait_published()
        before = slot_of(source)
        host = source.postgres.connect(source.database)
        host.autocommit = False
        host.cursor().execute("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE")
        source.sql("UPDATE project_assignments SET notes = repeat('x', 1000)")
        written = source.value("SELECT clock_timestamp()")
        source.wait_until(lambda: source.value(
            "SELECT count(*) FROM pg_stat_replication WHERE pid = %s AND "
            "reply_time > %s + interval '8 s'", before["pid"], written), 20,
            "the status goes on over the same connection")
        assert source.producer.metric("calrelay_producer_events_total", cause="row") == 0
        assert source.value("SELECT wait_event FROM pg_stat_activity WHERE pid = %s",
                            before["pid"]) == "WalSenderWriteData", "the socket was read"
        host.commit()
        source.wait_published(60)
        assert slot_of(source)["pid"] == before["pid"]
        host.close()

    assert len(records_of(source, "row")) == 2 * 10 * MANY
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def outgrow_the_slot(system):
    """Writes more log than the server keeps for it."""
    with system.postgres.altered(max_slot_wal_keep_size="1MB"):
        system.sql("CREATE TABLE neighbour AS SELECT repeat('x', 1000) AS text FROM "
                   "generate_series(1, 50000)")
        system.sql("SELECT pg_switch_wal()")
        system.sql("CHECKPOINT")
        system.wait_until(lambda: slot_of(system)["wal_status"] == "lost")


def test_a_slot_that_is_lost_under_a_streaming_producer_stops_it(source):
    """Kafka stands still, so nothing is acknowledged, and the server gives the slot up."""
    project, users = source.create_project("Acme"), add_users(source, 2)
    source.wait_published()
    source.kafka.process.pause()
    try:
        add_assignments(source, project, users)
        source.wait_until(
            lambda: source.producer.metric("calrelay_producer_in_flight_transactions") == 1)
        outgrow_the_slot(source)
    finally:
        source.kafka.process.cont()

    assert source.producer.wait(60) == 1
    assert f"slot {source.slot} is lost" in source.producer.log_text()
    assert "UPDATE public.calrelay_source SET given_up = true" in source.producer.log_text()


def test_a_slot_that_the_server_gave_up_stops_the_producer_until_somebody_accepts_the_loss(source):
    add_assignments(source, source.create_project("Acme"), add_users(source, 2))
    source.wait_published()
    assert source.producer.sigterm() == 0
    outgrow_the_slot(source)

    status, lines = source.producer.check()
    [finding] = [line for line in lines if line.startswith("FAIL  ")]
    assert status == 1
    source.producer.start()
    assert source.producer.wait(30) == 1
    for told in (finding, source.producer.log_text()):
        assert f"slot {source.slot} is lost" in told
        assert f"SELECT pg_drop_replication_slot('{source.slot}')" in told
        assert "UPDATE public.calrelay_source SET given_up = true" in told
    assert slot_of(source)["wal_status"] == "lost", "it does not decide by itself"

    for statement in finding.partition("begin anew: ")[2].split("; "):
        source.sql(statement)
    add_assignments(source, source.create_project("Globex"), add_users(source, 1))
    source.producer.start().wait_ready()
    source.wait_published()
    assert collections.Counter(position(record)[:8] for record in records_of(source)) == {
        "00000001": 2, "00000002": 3}
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_an_idle_table_holds_no_log_of_a_busy_neighbour_database(source):
    add_assignments(source, source.create_project("Acme"), add_users(source, 2))
    source.wait_published()
    before = source.value("SELECT pg_current_wal_lsn()")
    source.postgres.execute("postgres", "CREATE TABLE busy AS SELECT repeat('x', 1000) AS text "
                                        "FROM generate_series(1, 45000)")
    source.postgres.execute("postgres", "DROP TABLE busy")
    assert source.value("SELECT pg_current_wal_lsn() - %s::pg_lsn", before) > 40 << 20

    source.sql("CHECKPOINT")

    source.wait_until(lambda: source.value(
        "SELECT greatest(pg_current_wal_lsn() - restart_lsn, "
        "pg_current_wal_lsn() - confirmed_flush_lsn) FROM pg_replication_slots "
        "WHERE slot_name = %s", source.slot) <= 1 << 20, 20, "the slot follows")


# Kafka


def test_a_record_that_kafka_refuses_stops_the_stream_and_leaves_no_hole(source):
    [user] = add_users(source, 1)
    project = source.create_project("Acme")
    rows = add_assignments(source, project, [user] * 3)
    source.wait_published()
    untouched = confirmed(source)
    source.kafka.alter_topic(source.topic, cleanup_policy="compact", max_message_bytes=30000)
    connection = source.postgres.connect(source.database)
    connection.autocommit = False
    notes = ["before"] * 5 + [random.Random(1).randbytes(50000).hex()] + ["behind"] * 5
    for number, note in enumerate(notes):
        connection.cursor().execute("UPDATE project_assignments SET notes = %s WHERE id = %s",
                                    (note, rows[number % 3]))
    connection.commit()
    connection.close()
    source.sql("UPDATE project_assignments SET notes = 'later' WHERE id = %s", rows[0])

    assert source.producer.wait(60) == 1
    assert f"raise max.message.bytes of topic {source.topic}" in source.producer.log_text()
    published = [as_json(record)[1]["after"]["notes"] for record in records_of(source)[3:]]
    assert published == notes[:len(published)] and len(published) <= 5
    assert confirmed(source) == untouched

    source.kafka.alter_topic(source.topic, cleanup_policy="compact", max_message_bytes=10485760)
    source.producer.start().wait_ready()
    source.wait_published()
    assert [as_json(record)[1]["after"]["notes"] for record in records_of(source)[3:]] == [
        *notes, "later"]
    assert_ordered_and_unique(source)


def test_a_topic_that_takes_nothing_stops_the_producer_with_kafkas_reason(source):
    source.sql(AUDIT)
    users = add_users(source, 5)
    project = source.create_project("Acme")
    assignments = add_assignments(source, project, users)
    source.wait_published()
    source.kafka.alter_topic(source.topic, cleanup_policy="compact",
                             message_timestamp_before_max_ms=0)
    add_assignments(source, project, users * 20)
    committed = source.value("SELECT pg_current_wal_lsn()")

    assert source.producer.wait(60) == 1
    stopping = [line for line in source.producer.log_text().splitlines() if '"stopping"' in line]
    assert "Invalid timestamp" in stopping[-1]
    assert source.kafka.count(source.topic) == len(assignments)
    assert source.value("SELECT %s::pg_lsn < %s::pg_lsn", confirmed(source), committed)

    source.kafka.alter_topic(source.topic, cleanup_policy="compact")
    source.producer.start().wait_ready()
    source.wait_published(60)
    assert_rows_published_once(source)
    assert_ordered_and_unique(source)


def wait_filled_again(system):
    system.wait_until(lambda: system.value(
        "SELECT count(*) FROM calrelay_source WHERE snapshot_finished_at IS NOT NULL") == 2, 60,
        "another epoch begins with a snapshot")
    system.producer.wait_ready()
    system.wait_published(60)
    assert_ordered_and_unique(system)
    assert_topic_equals_tables(system)


def test_a_topic_that_was_deleted_under_load_is_filled_again(source):
    users = add_users(source, 5)
    projects = [source.create_project(f"Client {number}") for number in range(3)]
    for project in projects:
        add_assignments(source, project, users * 20)
    source.wait_published()

    with HostAtWork(source, users, projects, pause_s=0.01) as host:
        host.wait_made(50)
        source.kafka.delete_topics(source.prefix)
        host.wait_made(100)
    wait_filled_again(source)


def test_a_topic_that_was_deleted_while_no_producer_ran_is_filled_again(source):
    add_assignments(source, source.create_project("Acme"), add_users(source, 5) * 20)
    source.wait_published()
    assert source.producer.sigterm() == 0

    source.kafka.delete_topics(source.prefix)
    source.producer.start()

    wait_filled_again(source)


def test_kafka_stands_still_in_a_large_transaction_and_nothing_is_lost(source):
    """Longer than the server waits for a word from a walsender's client.  What Kafka had received
    and not read is written when it goes on, maybe behind a resend; the same positions tell."""
    source.sql(AUDIT)
    users = add_users(source, 40)
    add_assignments(source, source.create_project("Acme"), users * (MANY // 10))
    source.wait_published(60)
    with source.postgres.altered(wal_sender_timeout="3s"):
        before = source.kafka.count(source.topic)
        source.sql("UPDATE project_assignments SET notes = repeat('x', 1000)")
        committed = source.value("SELECT pg_current_wal_lsn()")
        source.wait_until(lambda: source.kafka.count(source.topic) > before, 60)
        source.kafka.process.pause()
        try:
            source.wait_until(lambda: not source.producer.is_ready(), 60, "it gives up waiting")
            assert source.value("SELECT %s::pg_lsn < %s::pg_lsn", confirmed(source), committed)
        finally:
            source.kafka.process.cont()
        source.producer.wait_ready()
        source.wait_published(90)

    once = {(record.partition, position(record)): as_json(record)[0]["id"]
            for record in records_of(source, "row")}
    assert collections.Counter(collections.Counter(once.values()).values()) == {2: 4 * MANY}
    source.wait_until(lambda: assert_topic_equals_tables(source) is None, 60)
