"""parity.py - records of real Debezium and of the producer, made comparable byte for byte.

What is taken out stands here and nowhere else.  Of a value: `project`, source.version, and when the
record was made (the envelope's ts_ms, ts_us, ts_ns), as text, so that all the rest stays the bytes
they are.  Of the headers only Debezium's __debezium.newkey and __debezium.oldkey are compared.
"""
import collections
import json
import re

from .murmur2 import partition
from .process import wait_until

KEY_HEADERS = ("__debezium.newkey", "__debezium.oldkey")
VERSION = re.compile(rb'"source":\{"version":"[^"]*",')
MADE_AT = re.compile(rb'("op":"\w"),"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+')
PROJECT = re.compile(rb',"project":(null|\{(?:"(?:[^"\\]|\\.)*"|[^"{}])*\})(?=\}+\Z)')
PROJECT_SCHEMA = re.compile(rb',\{"type":"struct","fields":\[[^][]*\],"optional":true,'
                            rb'"name":"[^"]*[.]Project","field":"project"\}')
# Only with replace.null.with.default=false: Debezium leaves `snapshot` out of what the stream
# brings and has the converter write the schema's default for it, which the setting switches off.
UNSET_SNAPSHOT = re.compile(rb'(?<=,"snapshot":)null(?=,"db":)')
# Where a snapshot stands and when it was taken: each side took its own.
SNAPSHOT_PLACE = re.compile(
    rb'"ts_ms":\d+,("snapshot":"(?!false)\w+","db":"\w+"),"sequence":"\[null,\\"\d+\\"\]",'
    rb'"ts_us":\d+,"ts_ns":\d+,("schema":"\w+","table":"\w+"),"txId":\d+,"lsn":\d+')
# A converter that writes what is there, also where that is NULL in a column that has a default.
HONEST = {"value.converter": "org.apache.kafka.connect.json.JsonConverter",
          "value.converter.schemas.enable": "false",
          "value.converter.replace.null.with.default": "false"}
# Debezium's snapshot leaves the projects out, and both read the assignments in the order of their
# ids; its stream has the projects, since their commits count in `sequence`.
SNAPSHOT = {
    "snapshot.include.collection.list": "public.project_assignments",
    "snapshot.select.statement.overrides": "public.project_assignments",
    "snapshot.select.statement.overrides.public.project_assignments":
        "SELECT * FROM public.project_assignments ORDER BY id",
}
SCHEMAS = {**HONEST, "value.converter.schemas.enable": "true",
           "key.converter": "org.apache.kafka.connect.json.JsonConverter",
           "key.converter.schemas.enable": "true"}
Comparable = collections.namedtuple("Comparable", "key value headers")


def bare(value):
    """A value without what the two can't have in common; None stays None."""
    if value is None:
        return None
    value = UNSET_SNAPSHOT.sub(b'"false"', value)
    value = PROJECT_SCHEMA.sub(b"", PROJECT.sub(b"", value))
    value = MADE_AT.sub(rb"\1", VERSION.sub(b'"source":{', value))
    return SNAPSHOT_PLACE.sub(rb"\1,\2", value)


def comparable(record):
    headers = {name: record.headers[name] for name in KEY_HEADERS if name in record.headers}
    return Comparable(record.key, bare(record.value), headers)


def user_of(key):
    document = json.loads(key)
    return document.get("payload", document)["user_id"]


def lanes_of_debezium(records, partitions=12):
    """Debezium's one partition, dealt out as the producer deals."""
    lanes = collections.defaultdict(list)
    for record in records:
        lane = partition(user_of(record.key).encode(), partitions)
        lanes[lane].append(comparable(record))
    return dict(lanes)


def lanes_of_producer(records):
    """All but the fan-outs of project edits, for which Debezium has nothing."""
    lanes = collections.defaultdict(list)
    for record in records:
        if record.headers["calrelay.cause"] != b"project":
            lanes[record.partition].append(comparable(record))
    return dict(lanes)


def difference(wanted, found):
    """The first one, as lines; none is an empty list."""
    for lane in sorted(wanted.keys() | found.keys()):
        theirs, ours = wanted.get(lane, []), found.get(lane, [])
        for number, (want, have) in enumerate(zip(theirs, ours)):
            for part in Comparable._fields:
                if getattr(want, part) != getattr(have, part):
                    return [f"partition {lane}, record {number}: {part}",
                            *around(getattr(want, part), getattr(have, part))]
        if len(theirs) != len(ours):
            return [f"partition {lane}: {len(theirs)} of Debezium, {len(ours)} of the producer"]
    return []


def around(want, have):
    """Where two texts part, with some of what is before and behind."""
    want, have = str(want), str(have)
    at = next((i for i, (a, b) in enumerate(zip(want, have)) if a != b), min(len(want), len(have)))
    return [f"  Debezium: {want[max(at - 200, 0):at + 200]}",
            f"  producer: {have[max(at - 200, 0):at + 200]}"]


def assert_equal(system, debezium):
    """All that both wrote; how many records that is."""
    theirs = system.kafka.read(debezium.topic)
    ours = system.kafka.read(system.topic)
    lines = difference(lanes_of_debezium(theirs), lanes_of_producer(ours))
    assert not lines, "\n".join(lines)
    return len(theirs)


def wait_written(system, debezium, mark):
    """Until Debezium has written the assignment whose id is mark, and so all that was before it."""
    wait_until(lambda: any(mark.encode() in record.key
                           for record in system.kafka.read(debezium.topic)),
               60, f"{debezium.name} has written {mark}", [debezium])


def wait_both(system, debezium, mark):
    system.wait_published()
    wait_written(system, debezium, mark)
