"""The producer on real PostgreSQL and Kafka: what is in the topic is what was committed, once."""
import collections
import json
import threading

from parts.records import (AUDIT, HostAtWork, add_assignments, add_users, assert_ordered_and_unique,
                           assert_rows_published_once, assert_topic_equals_tables, confirmed,
                           operation, position, records_of)

# the first fill


def test_the_first_start_publishes_what_is_there_in_key_order_with_debeziums_markers(system):
    project = system.create_project("Acme")
    assignments = add_assignments(system, project, add_users(system, 3) * 4)
    system.sql("INSERT INTO calendar_sync_requests (user_id, kind) SELECT id, 'full' FROM profiles "
               "LIMIT 1")

    system.producer.start().wait_ready()

    records = sorted(records_of(system), key=position)
    values = [json.loads(record.value) for record in records]
    assert [value["after"]["id"] for value in values] == sorted(assignments)
    assert {value["op"] for value in values} == {"r"}
    assert {record.headers["calrelay.cause"] for record in records} == {b"snapshot"}
    markers = [value["source"]["snapshot"] for value in values]
    assert markers == ["first"] + ["true"] * 10 + ["last_in_data_collection"]
    [request] = records_of(system, topic=system.requests_topic)
    assert json.loads(request.value)["source"]["snapshot"] == "last"
    assert system.value("SELECT snapshot_finished_at IS NOT NULL FROM calrelay_source")


def test_a_fill_that_was_killed_goes_on_and_neither_doubles_nor_misses_a_row(system):
    project = system.create_project("Acme")
    add_assignments(system, project, add_users(system, 40) * 500)
    system.producer.start()
    system.wait_until(lambda: system.producer.metric(
        "calrelay_producer_events_total", cause="snapshot") > 1000, 60, "the fill is under way")
    system.producer.kill9()
    assert len(records_of(system)) < 20000, "the fill was over before it was killed"
    system.sql("UPDATE project_assignments SET notes = 'meanwhile' WHERE id IN "
               "(SELECT id FROM project_assignments ORDER BY id LIMIT 50)")
    system.sql("DELETE FROM project_assignments WHERE id IN "
               "(SELECT id FROM project_assignments ORDER BY id DESC LIMIT 50)")

    system.producer.start().wait_ready()
    system.wait_published()

    assert_ordered_and_unique(system)
    assert_topic_equals_tables(system)
    assert {position(record)[:8] for record in records_of(system)} == {"00000001"}


# the stream


def test_every_committed_change_is_published_exactly_once_though_the_producer_is_killed(source):
    source.sql(AUDIT)
    users = add_users(source, 10)
    projects = [source.create_project(f"Client {number}") for number in range(5)]
    for project in projects:
        add_assignments(source, project, users * 4)

    with HostAtWork(source, users, projects) as host:
        for _ in range(5):
            host.wait_made(60)
            source.producer.kill9()
            host.wait_made(20)
            source.producer.start()
    source.producer.wait_ready()
    source.wait_published()

    assert_rows_published_once(source)
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_a_reassignment_is_d_and_tombstone_to_the_old_user_and_c_to_the_new(source):
    old, new = add_users(source, 2)
    [assignment] = add_assignments(source, source.create_project("Acme"), [old])

    source.sql("UPDATE project_assignments SET user_id = %s WHERE id = %s", new, assignment)
    source.wait_published()

    made, gone, tombstone, taken = sorted(records_of(source), key=position)
    old_key, new_key = ({"user_id": user, "id": assignment} for user in (old, new))
    assert [operation(record) for record in (made, gone, tombstone, taken)] == [
        "c", "d", "tombstone", "c"]
    for record in (gone, tombstone):
        assert json.loads(record.key) == old_key
        assert json.loads(record.headers["__debezium.newkey"]) == new_key
    assert json.loads(taken.key) == new_key
    assert json.loads(taken.headers["__debezium.oldkey"]) == old_key
    removed = json.loads(gone.value)
    assert removed["before"]["user_id"] == old and removed["after"] is None
    assert removed["project"] is None
    assert json.loads(taken.value)["project"]["client_name"] == "Acme"
    ordinals = [position(record).split(":")[2] for record in (gone, tombstone, taken)]
    assert ordinals == ["00000001", "00000002", "00000003"]


def test_a_project_edit_is_told_once_to_each_assignment_and_only_if_it_shows(source):
    users = add_users(source, 7)
    edited, other = source.create_project("Before"), source.create_project("Other")
    assignments = add_assignments(source, edited, users * 100)
    add_assignments(source, other, users)

    source.sql("UPDATE projects SET sales_amount = 1, updated_at = now() WHERE id = %s", edited)
    source.sql("UPDATE projects SET client_name = 'After', start_date = '2026-05-01' "
               "WHERE id = %s", edited)
    source.wait_published()

    told = records_of(source, "project")
    assert sorted(json.loads(record.key)["id"] for record in told) == sorted(assignments)
    for record in told:
        value = json.loads(record.value)
        assert value["op"] == "r" and value["source"]["snapshot"] == "incremental"
        assert value["project"]["client_name"] == "After"
        assert value["project"]["start_date"] == 20574
    assert_ordered_and_unique(source)


def test_what_the_stream_sends_of_a_row_is_what_a_query_of_it_sends(source):
    """Every kind of type, added while the stream runs, through the log and through a look-up."""
    source.sql("CREATE TYPE mood AS ENUM ('happy', 'sad')")
    source.sql("CREATE DOMAIN price AS numeric(8, 2)")
    source.sql("""ALTER TABLE project_assignments
        ADD c_bool bool, ADD c_int2 int2, ADD c_int8 int8, ADD c_float4 float4, ADD c_float8 float8,
        ADD c_numeric numeric(12, 3), ADD c_any numeric, ADD c_money money, ADD c_date date,
        ADD c_time time, ADD c_timetz timetz, ADD c_ts timestamp, ADD c_ts3 timestamp(3),
        ADD c_tstz timestamptz, ADD c_interval interval, ADD c_bytea bytea, ADD c_bit bit(5),
        ADD c_json json, ADD c_jsonb jsonb, ADD c_text text[], ADD c_int int[], ADD c_inet inet,
        ADD c_mood mood, ADD c_moods mood[], ADD c_price price,
        ADD c_made int GENERATED ALWAYS AS (length(notes)) STORED""")
    [user] = add_users(source, 1)
    project = source.create_project("Acme")
    source.sql("""INSERT INTO project_assignments (project_id, user_id, notes, c_bool, c_int2, c_int8,
        c_float4, c_float8, c_numeric, c_any, c_money, c_date, c_time, c_timetz, c_ts, c_ts3, c_tstz,
        c_interval, c_bytea, c_bit, c_json, c_jsonb, c_text, c_int, c_inet, c_mood, c_moods, c_price)
        VALUES (%s, %s, E'a\u0001\\b"\u00e5\U0001F4C5', true, -2, 9007199254740993, 0.1, 1e300, 1.5,
        3.1400, 12.5, 'infinity', '01:02:03.5', '01:02:03+02', '2026-01-02 03:04:05.678901',
        '2026-01-02 03:04:05.678', '-infinity', '1 year 2 days -3 seconds', '\\x00ff', '10101',
        '{"a": 1}', '{"b": [null]}', ARRAY['x', NULL, 'y "z"'], ARRAY[[1, 2], [3, 4]], '::1/64',
        'sad', ARRAY['happy', 'sad']::mood[], 12.5)""", project, user)
    source.sql("UPDATE projects SET client_name = 'Acme 2' WHERE id = %s", project)
    source.wait_published()

    [streamed] = [json.loads(record.value)["after"] for record in records_of(source, "row")]
    [queried] = [json.loads(record.value)["after"] for record in records_of(source, "project")]
    assert streamed == queried
    assert "c_made" not in streamed
    expected = {"c_bool": True, "c_int8": 9007199254740993, "c_float4": 0.1, "c_float8": 1e300,
                "c_numeric": "Bdw=", "c_any": {"scale": 2, "value": "ATo="}, "c_money": "BOI=",
                "c_time": 3723500000, "c_timetz": "23:02:03Z", "c_ts3": 1767323045678,
                "c_tstz": "-infinity", "c_bytea": "AP8=", "c_bit": "FQ==",
                "c_jsonb": '{"b": [null]}', "c_text": ["x", None, 'y "z"'],
                "c_int": [[1, 2], [3, 4]], "c_mood": "sad", "c_moods": ["happy", "sad"],
                "c_price": "BOI="}
    assert {name: streamed[name] for name in expected} == expected


def test_a_look_up_never_shows_what_is_older_than_the_stream(source):
    """A commit that waits for a synchronous standby is in the log long before it is visible."""
    [user] = add_users(source, 1)
    project = source.create_project("Before")
    [first] = add_assignments(source, project, [user])
    source.wait_published()
    postgres, database = source.postgres, source.database
    waiting = threading.Thread(target=postgres.execute, args=(
        database, f"UPDATE projects SET client_name = 'After' WHERE id = '{project}'"))
    try:
        postgres.execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        postgres.execute("postgres", "SELECT pg_reload_conf()")
        source.wait_until(lambda: source.value("SHOW synchronous_standby_names") == "nobody")
        waiting.start()
        source.wait_until(lambda: source.value(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == 1)
        source.sql("SET synchronous_commit = local")
        [second] = add_assignments(source, project, [user])
        source.wait_until(
            lambda: source.producer.metric("calrelay_producer_in_flight_transactions") == 2)
        assert source.value("SELECT client_name FROM projects WHERE id = %s", project) == "Before"
        assert len(records_of(source)) == 1, "something went out before it was visible"
    finally:
        postgres.execute("postgres", "ALTER SYSTEM RESET synchronous_standby_names")
        postgres.execute("postgres", "SELECT pg_reload_conf()")
    waiting.join()
    source.wait_published()

    names = {json.loads(record.value)["after"]["id"]: json.loads(record.value)["project"]
             ["client_name"] for record in sorted(records_of(source), key=position)}
    assert names == {first: "After", second: "After"}


def test_a_truncate_is_warned_of_and_publishes_nothing(source):
    add_assignments(source, source.create_project("Acme"), add_users(source, 2))
    source.wait_published()
    before = len(records_of(source))

    source.sql("TRUNCATE project_assignments")
    source.wait_published()

    assert len(records_of(source)) == before
    assert "truncated" in source.producer.log_text()


def test_a_replica_identity_that_is_taken_away_stops_the_stream_before_harm_is_done(source):
    [assignment] = add_assignments(source, source.create_project("Acme"), add_users(source, 1))
    source.wait_published()

    source.sql("ALTER TABLE project_assignments REPLICA IDENTITY DEFAULT")
    source.sql("DELETE FROM project_assignments WHERE id = %s", assignment)

    assert source.producer.wait(30) == 1
    assert "REPLICA IDENTITY FULL" in source.producer.log_text()


# the slot


def test_the_slot_is_acknowledged_only_behind_kafka(source):
    users = add_users(source, 3)
    project = source.create_project("Acme")
    source.wait_published()

    source.kafka.stop()
    try:
        start = source.value("SELECT pg_current_wal_insert_lsn()")
        add_assignments(source, project, users)
        source.wait_until(
            lambda: source.producer.metric("calrelay_producer_in_flight_transactions") == 1)
        # its status goes on all the while, and says no more than Kafka confirmed
        before = source.value("SELECT reply_time FROM pg_stat_replication WHERE pid = (SELECT "
                              "active_pid FROM pg_replication_slots WHERE slot_name = %s)",
                              source.slot)
        source.wait_until(lambda: source.value(
            "SELECT reply_time > %s FROM pg_stat_replication WHERE pid = (SELECT active_pid FROM "
            "pg_replication_slots WHERE slot_name = %s)", before, source.slot), 20)
        assert source.value("SELECT %s::pg_lsn <= %s::pg_lsn", confirmed(source), start)
    finally:
        source.kafka.start()
    source.wait_published(60)

    assert_topic_equals_tables(source)
    assert_ordered_and_unique(source)


def test_an_idle_table_holds_no_log_of_a_busy_neighbour(source):
    source.wait_published()
    source.sql("CREATE TABLE neighbour AS SELECT repeat('x', 1000) AS text FROM "
               "generate_series(1, 20000)")
    source.wait_published()

    source.sql("CHECKPOINT")
    source.wait_until(lambda: source.value(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) FROM "
        "pg_replication_slots WHERE slot_name = %s", source.slot) < 1 << 20, 20)


def test_a_slot_that_is_gone_stops_the_producer_until_somebody_gives_it_up(source):
    add_assignments(source, source.create_project("Acme"), add_users(source, 2))
    source.wait_published()
    assert source.producer.sigterm() == 0
    source.sql("SELECT pg_drop_replication_slot(%s)", source.slot)

    source.producer.start()
    assert source.producer.wait(30) == 1
    assert "given_up" in source.producer.log_text()
    assert source.sql("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", source.slot) == []

    source.sql("UPDATE calrelay_source SET given_up = true")
    source.producer.start().wait_ready()
    assert collections.Counter(position(record)[:8] for record in records_of(source)) == {
        "00000001": 2, "00000002": 2}
    assert_ordered_and_unique(source)


def test_what_was_deleted_while_no_slot_kept_the_log_is_told_as_removed(source):
    users = add_users(source, 4)
    assignments = add_assignments(source, source.create_project("Acme"), users * 3)
    source.sql("DELETE FROM project_assignments WHERE id = %s", assignments[0])
    source.wait_published()
    assert source.producer.sigterm() == 0
    source.sql("SELECT pg_drop_replication_slot(%s)", source.slot)
    source.sql("UPDATE calrelay_source SET given_up = true")
    gone = assignments[1:4]
    source.sql("DELETE FROM project_assignments WHERE id = ANY(%s::uuid[])", gone)

    source.producer.start().wait_ready()
    source.wait_published()

    told = [record for record in records_of(source, "snapshot") if operation(record) != "r"]
    assert collections.Counter(operation(record) for record in told) == {"d": 3, "tombstone": 3}
    assert {json.loads(record.key)["id"] for record in told} == set(gone)
    assert_ordered_and_unique(source)
    assert_topic_equals_tables(source)


def test_it_ends_at_once_wherever_it_is(source):
    standby = source.new_producer().start()
    try:
        standby.wait_ready()
        assert standby.metric("calrelay_producer_standby") == 1
        assert standby.sigterm(15) == 0
        source.kafka.stop()
        source.postgres.execute("postgres", "SELECT pg_terminate_backend(active_pid) FROM "
                                f"pg_replication_slots WHERE slot_name = '{source.slot}'")
        source.wait_until(lambda: not source.producer.is_ready(), 30)
        assert source.producer.sigterm(20) == 0
    finally:
        standby.kill9()
        source.kafka.start()


# the doctor


def test_check_says_in_one_line_each_what_is_wrong_and_how_to_mend_it(system):
    status, lines = system.producer.check()
    assert status == 0, lines
    assert all(line.startswith("ok    ") for line in lines)

    system.sql("ALTER TABLE project_assignments REPLICA IDENTITY DEFAULT")
    system.sql("ALTER PUBLICATION calrelay DROP TABLE projects")
    system.sql("ALTER PUBLICATION calrelay ADD TABLE calendar_connections")
    system.sql("DROP POLICY calrelay_reads ON projects")
    system.sql("ALTER PUBLICATION calrelay_requests SET (publish = 'insert, update')")
    system.sql("REVOKE SELECT ON project_assignments FROM calrelay_producer")
    system.kafka.create_topic(system.topic, 3, {"cleanup.policy": "delete"})
    status, lines = system.producer.check()

    assert status == 1
    for fix in ("ALTER TABLE public.project_assignments REPLICA IDENTITY FULL",
                "ALTER PUBLICATION calrelay ADD TABLE public.projects",
                "ALTER PUBLICATION calrelay DROP TABLE public.calendar_connections",
                "CREATE POLICY calrelay_reads ON public.projects",
                "ALTER PUBLICATION calrelay_requests SET (publish = 'insert')",
                "GRANT SELECT ON public.project_assignments",
                "CALRELAY_PARTITIONS=3", "cleanup.policy=delete"):
        assert [line for line in lines if line.startswith("FAIL  ") and fix in line], fix


def test_check_says_that_the_role_itself_needs_replication(system):
    system.sql("CREATE ROLE plain_login LOGIN IN ROLE calrelay_producer")
    try:
        system.producer.with_settings(
            DATABASE_URL=system.postgres.url(system.database, "plain_login"))
        status, lines = system.producer.check()
        assert status == 1
        assert any("ALTER ROLE plain_login REPLICATION" in line for line in lines)
    finally:
        system.sql("DROP ROLE plain_login")
