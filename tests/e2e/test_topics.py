"""What stands in the topics: keys, partitions, values, headers, for everybody who reads them."""
import json
import re

import jsonschema

from parts.kafka import as_json
from parts.murmur2 import partition
from parts.process import ROOT

POS = re.compile(rb"[0-9a-f]{8}:[0-9a-f]{16}:[0-9a-f]{8}(:[0-9a-f]{32})?")


def schema(name):
    document = json.loads((ROOT / f"schemas/events/{name}.schema.json").read_text())
    validator = jsonschema.validators.validator_for(document)
    return validator(document, format_checker=validator.FORMAT_CHECKER
                     if hasattr(validator, "FORMAT_CHECKER") else jsonschema.FormatChecker())


def work_of_all_kinds(pipeline):
    ada, alan, edsger = pipeline.connect_people(3)
    project = pipeline.create_project("Ålö \"Acme\" \U0001F4C5", notes="a\nb")
    assignments = pipeline.create_assignments(project, [ada, alan, edsger])
    pipeline.update_assignment_status(assignments[0], "confirmed")
    pipeline.redate_project(project, "2026-04-01", "2026-04-03")
    pipeline.reassign(assignments[1], edsger)
    pipeline.remove_assignment(assignments[2])
    pipeline.wait_published()
    pipeline.wait_calendars_equal_plan()


def test_keys_and_values_validate_against_the_published_schemas(pipeline):
    work_of_all_kinds(pipeline)

    operations = set()
    for topic, name in ((pipeline.topic, "assignment"), (pipeline.requests_topic, "sync_request")):
        records = pipeline.kafka.read(topic)
        assert records
        for record in records:
            key, value = as_json(record)
            schema(f"{name}.key").validate(key)
            if value is None:
                operations.add("tombstone")
                continue
            schema(f"{name}.value").validate(value)
            operations.add(value["op"])
    assert operations == {"c", "u", "d", "r", "tombstone"}


def test_a_persons_records_share_the_partition_that_javas_murmur2_chooses(pipeline):
    work_of_all_kinds(pipeline)

    topics = pipeline.kafka.topics(pipeline.prefix)
    assert topics[pipeline.topic] == topics[pipeline.requests_topic] == 12
    for topic in (pipeline.topic, pipeline.requests_topic):
        assert pipeline.kafka.topic_config(topic, "cleanup.policy") == "compact"
        for record in pipeline.kafka.read(topic):
            key = json.loads(record.key)
            assert record.key == json.dumps(key, separators=(",", ":")).encode()
            assert list(key) == ["user_id", "id"]
            assert record.partition == partition(key["user_id"].encode(), 12)


def test_positions_grow_within_each_partition_and_never_repeat(pipeline):
    work_of_all_kinds(pipeline)

    last = {}
    for record in pipeline.kafka.read(pipeline.topic):
        position = record.headers["calrelay.pos"]
        assert POS.fullmatch(position), position
        assert position > last.get(record.partition, b""), "positions of a partition must grow"
        last[record.partition] = position
        assert record.headers["calrelay.cause"] in (b"row", b"project", b"snapshot")


def test_a_value_is_debeziums_envelope_with_the_project_last(pipeline):
    work_of_all_kinds(pipeline)

    for record in pipeline.kafka.read(pipeline.topic):
        _, value = as_json(record)
        if value is None:
            continue
        assert list(value) == ["before", "after", "source", "transaction", "op", "ts_ms", "ts_us",
                               "ts_ns", "project"]
        assert value["source"]["connector"] == "postgresql"
        assert (value["project"] is None) == (value["op"] == "d")


def test_with_schemas_around_keys_and_values_the_calendars_are_the_same(system):
    system.producer.with_settings(CALRELAY_SCHEMAS_ENABLE="true",
                                  CALRELAY_TRANSACTION_METADATA="true")
    work_of_all_kinds(system.start())
    system.wait_committed()
    assert not system.dlq_records()

    for topic, name in ((system.topic, "assignment"), (system.requests_topic, "sync_request")):
        records = system.kafka.read(topic)
        assert records
        for record in records:
            key, value = as_json(record)
            assert list(key) == ["schema", "payload"]
            schema(f"{name}.key").validate(key["payload"])
            if value is not None:
                assert list(value) == ["schema", "payload"]
                assert ([field["field"] for field in value["schema"]["fields"]]
                        == list(value["payload"]))
                schema(f"{name}.value").validate(value["payload"])


def test_a_reassignment_is_a_delete_a_tombstone_and_a_create(pipeline):
    ada, alan = pipeline.add_people(2)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.reassign(assignment, alan)
    pipeline.wait_published()

    records = pipeline.kafka.read(pipeline.topic)
    of_ada = [record for record in records if str(ada.user_id).encode() in record.key]
    of_alan = [record for record in records if str(alan.user_id).encode() in record.key]
    assert [value and value["op"] for _, value in map(as_json, of_ada)] == ["c", "d", None]
    assert [value and value["op"] for _, value in map(as_json, of_alan)] == ["c"]
    assert json.loads(of_ada[1].headers["__debezium.newkey"])["user_id"] == str(alan.user_id)
    assert json.loads(of_alan[0].headers["__debezium.oldkey"])["user_id"] == str(ada.user_id)


def test_an_idle_table_holds_no_wal_back(pipeline):
    pipeline.sql("CREATE TABLE of_no_interest (n int)")
    pipeline.sql("INSERT INTO of_no_interest SELECT generate_series(1, 100000)")

    pipeline.wait_published(60)
