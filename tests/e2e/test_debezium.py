"""Real Debezium and the producer on the same database: keys and values are equal byte for byte.

And where they are not, each is what docs/events.md says under Differences from Debezium.
"""
import json

import pytest

from parts import parity
from parts.debezium import Debezium
from parts.workload import Workload, any_date, array_of

CONNECTOR = {**parity.SNAPSHOT, "poll.interval.ms": 20}
ALTERATIONS = (
    ("{table} ADD n_text text", {"n_text": ("text", lambda r: "'new'")}),
    ("{table} ADD n_int int NOT NULL DEFAULT 7",
     {"n_int": ("int NOT NULL", lambda r: str(r.randint(0, 9)))}),
    ("CREATE TYPE colour AS ENUM ('red', 'blue'); {table} ADD n_colour colour",
     {"n_colour": ("colour", lambda r: r.choice(("'red'", "'blue'")))}),
    ("CREATE DOMAIN weight AS numeric(9, 4); {table} ADD n_weight weight",
     {"n_weight": ("weight", lambda r: str(r.randint(0, 99) / 8))}),
    ("{table} DROP c_varchar", {"c_varchar": None}),
    ("{table} RENAME c_text TO n_renamed",
     {"c_text": None, "n_renamed": ("text", lambda r: "'renamed'")}),
    ("{table} ALTER c_int2 TYPE int8", {"c_int2": ("int8", lambda r: str(2 ** 60))}),
    ("{table} ALTER c_numeric TYPE numeric(15, 5)", {}),
    ("{table} ALTER c_date TYPE text", {"c_date": ("text", lambda r: "'a date'")}),
    ("{table} ALTER c_mood TYPE text; {table} ADD n_moods text[]",
     {"c_mood": ("text", lambda r: "'fine'"), "n_moods": array_of("text", lambda r: "'a'")}),
)


@pytest.fixture
def debeziums(system):
    """Starts Debezium beside the system; all that were started end before the system does."""
    started = []

    def start(**more):
        started.append(Debezium(system, **more))
        return started[-1].start()
    yield start
    for debezium in started:
        debezium.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed,nulls,connector,settings", [
    pytest.param(1, False, {}, {}, id="with-the-usual-converter"),
    pytest.param(2, True, parity.HONEST, {}, id="with-a-converter-that-keeps-null"),
    pytest.param(3, True, {**parity.HONEST, "provide.transaction.metadata": "true"},
                 {"CALRELAY_TRANSACTION_METADATA": "true"}, id="with-transactions"),
    pytest.param(4, True, parity.SCHEMAS, {"CALRELAY_SCHEMAS_ENABLE": "true"}, id="with-schemas"),
])
def test_keys_and_values_are_debeziums(system, debeziums, seed, nulls, connector, settings):
    """Snapshot, a random workload, and a table that changes under it."""
    workload = Workload(system, seed, nulls)
    workload.steps(40)
    debezium = debeziums(connector={**CONNECTOR, **connector})
    system.producer.with_settings(**settings).start().wait_ready()
    debezium.wait_streaming()

    workload.types["c_date"] = ("date", any_date)
    workload.steps(150)
    for what, types in ALTERATIONS:
        parity.wait_both(system, debezium, workload.mark())
        workload.alter(what, **types)
        workload.steps(20)
    workload.truncate()
    workload.steps(20)
    parity.wait_both(system, debezium, workload.mark())
    workload.close()

    assert parity.assert_equal(system, debezium) > 1000


REQUESTS = "public.calendar_sync_requests"
WITH_REQUESTS = {
    **CONNECTOR,
    "table.include.list": f"public.projects,public.project_assignments,{REQUESTS}",
    "message.key.columns": f"public.project_assignments:user_id,id;{REQUESTS}:user_id,id",
    "snapshot.include.collection.list": f"public.project_assignments,{REQUESTS}",
    "snapshot.select.statement.overrides": f"public.project_assignments,{REQUESTS}",
    f"snapshot.select.statement.overrides.{REQUESTS}": f"SELECT * FROM {REQUESTS} ORDER BY id",
}


@pytest.mark.slow
def test_requests_are_debeziums_too_and_so_are_a_snapshots_markers(system, debeziums):
    """Two tables that are not empty, then inserts into both."""
    def file_requests(first):
        system.sql("INSERT INTO calendar_sync_requests (user_id, kind) SELECT id, 'full' "
                   "FROM profiles ORDER BY id LIMIT 3 OFFSET %s", first)

    workload = Workload(system, 7, nulls=False)
    workload.steps(20)
    file_requests(0)
    debezium = debeziums(connector=WITH_REQUESTS)
    system.producer.start().wait_ready()
    debezium.wait_streaming()
    file_requests(3)
    workload.steps(20)
    parity.wait_both(system, debezium, workload.mark())
    workload.close()

    requests = system.kafka.read(f"{system.prefix}.debezium.{REQUESTS}")
    lines = parity.difference(
        parity.lanes_of_debezium(requests),
        parity.lanes_of_producer(system.kafka.read(system.requests_topic)))
    assert not lines, "\n".join(lines)
    markers = [json.loads(record.value)["source"]["snapshot"] for record in requests]
    assert markers == ["first_in_data_collection", "true", "last", "false", "false", "false"]
    lines = parity.difference(parity.lanes_of_debezium(system.kafka.read(debezium.topic)),
                              parity.lanes_of_producer(system.kafka.read(system.topic)))
    assert not lines, "\n".join(lines)


# where they differ

ABSENT = object()
BYTES = list(b"__debezium_unavailable_value")
# column type, literal, what Debezium's stream has (ABSENT: no such member), what the producer has
DIFFERENCES = (
    ("composite", "'(1,a)'", ABSENT, "(1,a)"),
    ("composite[]", "ARRAY['(1,a)'::composite]", ABSENT, ["(1,a)"]),
    ("floats", "'[1,2)'", ABSENT, "[1,2)"),
    ("price[]", "'{1.5}'", ABSENT, ["AJY="]),
    ("int4multirange", "'{[1,5)}'", ABSENT, "{[1,5)}"),
    ("line", "'{1,2,3}'", ABSENT, "{1,2,3}"),
    ("box", "'(3,4),(1,2)'", ABSENT, "(3,4),(1,2)"),
    ("circle", "'<(1,2),3>'", ABSENT, "<(1,2),3>"),
    ("tsquery", "'a & b'", ABSENT, "'a' & 'b'"),
    ("pg_lsn", "'0/1'", ABSENT, "0/1"),
    ("xid8", "'7'", ABSENT, "7"),
    ("regclass", "'pg_class'", ABSENT, "pg_class"),
    ("jsonpath", "'$.a'", ABSENT, '$."a"'),
    ("interval[]", "'{1 day}'", ABSENT, [86400000000]),
    ("varbit[]", "'{101}'", ABSENT, ["BQ=="]),
    ("money[]", "'{12.5}'", ABSENT, ["BOI="]),
    ("xml[]", "'{<a/>}'", ABSENT, ["<a/>"]),
    ("point[]", "'{\"(1,2)\"}'", ABSENT, ["(1,2)"]),
    ("name[]", "'{a}'", ABSENT, ["a"]),
    ("name", "'a'", None, "a"),
    ("bit(3)[]", "'{101}'", None, ["BQ=="]),
    ("mood[]", "'{sad,NULL}'", None, ["sad", None]),
    ("int2vector", "'1 2'", [], "1 2"),
    ("oidvector", "'1 2'", [], "1 2"),
    ("int[]", "'{{1,2},{3,4}}'", [None, None], [[1, 2], [3, 4]]),
    ("point", "'(1,2.5)'", {"x": 1.0, "y": 2.5, "wkb": "AQEAAAAAAAAAAADwPwAAAAAAAARA",
                            "srid": None}, "(1,2.5)"),
    ("hstore", "'a=>1'", '{"a":"1"}', '"a"=>"1"'),
    ("hstore[]", "ARRAY['a=>1'::hstore]", ['{"a":"1"}'], ['"a"=>"1"']),
    ("time[]", "'{01:02:03.456789}'", [3723456000], [3723456789]),
    ("timetz[]", "'{01:02:03.5+00}'", ["01:02:03Z"], ["01:02:03.5Z"]),
    ("timestamp[]", "'{1500-02-28 00:00:00}'", [-14825980800000000], [-14826758400000000]),
    ("date[]", "'{infinity}'", [-622191234], [-2147472692]),
    ("timestamp", "'294276-12-31 23:59:59.999999'", -9223372036853775810,
     9223372036854775807),
    ("numeric(8, 2)", "'NaN'", None, "NaN"),
    ("numeric", "'-Infinity'", None, "-Infinity"),
)
OWN_TYPES = """
CREATE EXTENSION hstore;
CREATE TYPE composite AS (a int, b text);
CREATE TYPE floats AS RANGE (subtype = float8);
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN price AS numeric(8, 2);
"""
KEYS_ONLY = """
ALTER TABLE project_assignments ADD u_text text, ADD u_texts text[], ADD u_ints int[],
    ADD u_uuids uuid[], ADD u_bytes bytea, ADD u_times timestamptz[], ADD u_bits varbit,
    ADD u_floats float8[], ADD u_default text DEFAULT 'default';
ALTER TABLE project_assignments ALTER u_text SET STORAGE EXTERNAL,
    ALTER u_texts SET STORAGE EXTERNAL, ALTER u_ints SET STORAGE EXTERNAL,
    ALTER u_uuids SET STORAGE EXTERNAL, ALTER u_bytes SET STORAGE EXTERNAL,
    ALTER u_times SET STORAGE EXTERNAL, ALTER u_bits SET STORAGE EXTERNAL,
    ALTER u_floats SET STORAGE EXTERNAL;
ALTER TABLE project_assignments ADD CONSTRAINT keys UNIQUE (id, user_id);
ALTER TABLE project_assignments REPLICA IDENTITY USING INDEX keys;
"""
LARGE = """
UPDATE project_assignments SET u_text = repeat('x', 3000), u_texts = ARRAY[repeat('x', 3000)],
    u_ints = ARRAY(SELECT generate_series(1, 2000)), u_bytes = repeat('x', 3000)::bytea,
    u_uuids = ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 300)),
    u_times = ARRAY(SELECT now() FROM generate_series(1, 1000)),
    u_bits = repeat('1', 30000)::varbit, u_floats = ARRAY(SELECT 0.5 FROM generate_series(1, 999))
"""


class Both:
    """A system and a Debezium under the same changes."""

    def __init__(self, system, debeziums, statements="", **more):
        self.system = system
        self.workload = Workload(system, 5)
        for statement in filter(str.strip, statements.split(";")):
            system.sql(statement)
        self.debezium = debeziums(**more)
        system.producer.start().wait_ready()
        self.debezium.wait_streaming()

    def values(self):
        """(Debezium's, the producer's) values, in order, after everything was written."""
        parity.wait_both(self.system, self.debezium, self.workload.mark())
        theirs = self.system.kafka.read(self.debezium.topic)
        ours = sorted(self.system.kafka.read(self.system.topic),
                      key=lambda record: record.headers["calrelay.pos"])
        return tuple([json.loads(record.value) for record in records if record.value is not None]
                     for records in (theirs, ours))


@pytest.mark.slow
def test_types_that_debezium_leaves_out_or_alters_are_written_as_they_are(system, debeziums):
    columns = ", ".join(f"ADD d{number} {kind}"
                        for number, (kind, *_) in enumerate(DIFFERENCES))
    both = Both(system, debeziums, f"{OWN_TYPES}ALTER TABLE project_assignments {columns}"
                .replace("mood", "other_mood").replace("price", "other_price"),
                connector={"poll.interval.ms": 20})
    literals = ", ".join(f"d{number} = {literal}"
                         for number, (_, literal, *_) in enumerate(DIFFERENCES))
    both.workload.mark()
    system.sql(f"UPDATE project_assignments SET {literals.replace('%', '%%')}")
    theirs, ours = both.values()

    [theirs] = [value["after"] for value in theirs if value["op"] == "u"]
    [ours] = [value["after"] for value in ours if value["op"] == "u"]
    for number, (kind, literal, debezium, producer) in enumerate(DIFFERENCES):
        found = theirs.get(f"d{number}", ABSENT), ours[f"d{number}"]
        assert found == (debezium, producer), f"{kind} {literal}"


@pytest.mark.slow
def test_nothing_is_made_up_where_the_log_names_only_the_key(system, debeziums):
    both = Both(system, debeziums, KEYS_ONLY, connector={"poll.interval.ms": 20})
    both.workload.mark()
    system.sql(LARGE)
    system.sql("UPDATE project_assignments SET booking_status = 'confirmed', u_default = NULL")
    system.sql("DELETE FROM project_assignments")
    theirs, ours = both.values()

    their_change, our_change = ([value["after"] for value in values if value["op"] == "u"][1]
                                for values in (theirs, ours))
    for change in (their_change, our_change):
        assert change["u_text"] == "__debezium_unavailable_value"
        assert change["u_texts"] == ["__debezium_unavailable_value"]
        assert change["u_ints"] == BYTES
        assert change["u_uuids"] == ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]
        assert change["u_bytes"] == "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
    assert (their_change["u_times"], our_change["u_times"]) == (
        None, ["__debezium_unavailable_value"])
    for name in ("u_bits", "u_floats"):
        assert (their_change[name], our_change[name]) == (None, "__debezium_unavailable_value")
    assert (their_change["u_default"], our_change["u_default"]) == ("default", None)
    their_gone, our_gone = ([value["before"] for value in values if value["op"] == "d"][0]
                            for values in (theirs, ours))
    assert their_gone["id"] == our_gone["id"] and their_gone["user_id"] == our_gone["user_id"]
    assert (their_gone["project_id"], our_gone["project_id"]) == ("", None)
    assert (their_gone["booking_status"], our_gone["booking_status"]) == ("tentative", None)
    assert (their_gone["created_at"], our_gone["created_at"]) == ("1970-01-01T00:00:00.000000Z",
                                                                  None)


@pytest.mark.slow
def test_a_snapshot_shows_the_columns_and_the_days_that_the_stream_shows(system, debeziums):
    """Debezium's reads dates through java.sql and asks for generated columns, its stream does not."""
    workload = Workload(system, 6)
    marks = {}

    def mark_days():
        for day in ("infinity", "-infinity", "0044-03-15 BC"):
            mark = workload.mark()
            marks[mark] = day
            workload.run(f"UPDATE project_assignments SET c_date = '{day}' WHERE id = '{mark}'")

    def days_of(topic, op):
        rows = [value["after"] for value in (json.loads(record.value)
                                             for record in system.kafka.read(topic))
                if value["op"] == op]
        return {marks[row["id"]]: (row["c_date"], row.get("g_double")) for row in rows
                if row["c_date"] is not None}

    system.sql("ALTER TABLE project_assignments ADD g_double int GENERATED ALWAYS AS (2) STORED")
    mark_days()
    debezium = debeziums(connector={"poll.interval.ms": 20})
    system.producer.start().wait_ready()
    debezium.wait_streaming()
    mark_days()
    parity.wait_both(system, debezium, workload.mark())
    workload.close()

    streamed = {"infinity": (-2147472692, None), "-infinity": (-2147472691, None),
                "0044-03-15 BC": (-735160, None)}
    for topic in (system.topic, debezium.topic):
        assert days_of(topic, "u") == streamed
    assert days_of(system.topic, "r") == streamed
    assert days_of(debezium.topic, "r") == {
        "infinity": (-622191234, 2), "-infinity": (-625821272, 2), "0044-03-15 BC": (-703383, 2)}


@pytest.mark.slow
def test_after_a_start_the_sequence_begins_without_the_last_commit(system, debeziums):
    both = Both(system, debeziums, connector={"poll.interval.ms": 20})
    both.values()
    both.debezium.sigterm()
    assert system.producer.sigterm() == 0
    mark = both.workload.mark()
    both.debezium.start()
    system.producer.start().wait_ready()
    theirs, ours = both.values()

    first, later = ([value["source"]["sequence"] for value in values
                     if value["after"]["id"] == mark] for values in (theirs, ours))
    assert json.loads(later[-1])[0] is None
    assert json.loads(first[-1])[0] is not None
    assert json.loads(first[-1])[1] == json.loads(later[-1])[1]


@pytest.mark.slow
def test_debeziums_own_headers_are_absent_and_the_partition_is_the_persons(system, debeziums):
    both = Both(system, debeziums, connector={"poll.interval.ms": 20})
    both.values()

    [theirs] = {tuple(sorted(record.headers)) for record in system.kafka.read(both.debezium.topic)}
    [ours] = {tuple(sorted(record.headers)) for record in system.kafka.read(system.topic)}
    assert theirs == tuple(f"__debezium.context.{name}" for name in (
        "connectorLogicalName", "connectorName", "runId", "taskId"))
    assert ours == ("calrelay.cause", "calrelay.pos", "traceparent")
