"""golden.py - the workload of tests/golden, and the records of real Debezium that stand there."""
import json
import re
import subprocess

from . import parity
from .kafka import Record
from .process import ROOT

FOLDER = ROOT / "tests/golden"
NUMBER = "golden"  # of the system: database, prefix and slot have it in their names
LAST = "cccccccc-0000-4000-8000-000000000060"  # the assignment that is inserted last
# One file of records each: what Debezium and what the producer was told besides.
VARIANTS = {
    "plain": ({}, {}),
    "transactions": ({"provide.transaction.metadata": "true"},
                     {"CALRELAY_TRANSACTION_METADATA": "true"}),
    "schemas": (parity.SCHEMAS, {"CALRELAY_SCHEMAS_ENABLE": "true"}),
}
OPTIONS = "-c enable_seqscan=off -c enable_bitmapscan=off -c client_min_messages=warning"
STREAMED = re.compile(
    rb'"ts_ms":(\d+),("snapshot":"false",.{1,200}?)"sequence":"\[(null|\\"\d+\\"),\\"(\d+)\\"\]",'
    rb'"ts_us":(\d+),"ts_ns":(\d+),(.{1,200}?)"txId":(\d+),"lsn":(\d+)', re.S)
TRANSACTION = re.compile(rb'(?<="transaction":\{"id":")(\d+):(\d+)(?=")')


def sections():
    """[(title, SQL)] in order; the first is for before anybody reads."""
    parts = re.split(r"^---- (.*)$", (FOLDER / "workload.sql").read_text(), flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def run_section(system, statements):
    done = subprocess.run(
        [f"{system.postgres.bin}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null",
         "-d", system.postgres.url(system.database)],
        input=statements, env={"PGOPTIONS": OPTIONS}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# the file: a record is a line K and a line V, with a line H for each header in between; what many
# values share, the schema, stands once in a line S with a number, and @number at its place


def write_records(path, records):
    lines, schemas = [], {}
    for record in records:
        lines.append(b"K " + record.key)
        lines += [b"H " + name.encode() + b" " + value
                  for name, value in sorted(record.headers.items())]
        value = record.value
        if value is not None and value.startswith(b'{"schema":'):
            schema, payload = value.split(b',"payload":', 1)
            if schema not in schemas:
                schemas[schema] = b"@%d" % (len(schemas) + 1)
                lines.append(b"S " + schemas[schema] + b" " + schema)
            value = schemas[schema] + b',"payload":' + payload
        lines.append(b"V" if value is None else b"V " + value)
    path.write_bytes(b"\n".join(lines) + b"\n")


def read_records(path):
    records, schemas, key, headers = [], {}, None, {}
    for line in path.read_bytes().rstrip(b"\n").split(b"\n"):
        kind, _, rest = line.partition(b" ")
        if kind == b"K":
            key, headers = rest, {}
        elif kind == b"H":
            name, _, value = rest.partition(b" ")
            headers[name.decode()] = value
        elif kind == b"S":
            name, _, schema = rest.partition(b" ")
            schemas[name] = schema
        else:
            if rest.startswith(b"@"):
                name, _, payload = rest.partition(b",")
                rest = schemas[name] + b"," + payload
            value = rest if line != b"V" else None
            records.append(Record(0, len(records), key, value, headers, 0))
    return records


# what differs from run to run: each LSN, transaction id and commit time becomes its rank among all
# that are there, so that what was equal or earlier still is


def ranks(numbers):
    return {number: b"#%d" % rank for rank, number in enumerate(sorted(set(numbers)))}


class Ranks:
    """Of all the values of a run."""

    def __init__(self, values):
        found = [match for value in values for match in STREAMED.findall(value)]
        self.times = ranks(int(match[4]) for match in found)
        self.commits = ranks(int(match[2].strip(b'\\"')) for match in found if match[2] != b"null")
        self.xids = ranks(int(match[7]) for match in found)
        self.lsns = ranks(int(match[8]) for match in found)

    def apply(self, value):
        return None if value is None else TRANSACTION.sub(
            lambda match: b"%s:%s" % (self.xids[int(match[1])], self.lsns[int(match[2])]),
            STREAMED.sub(self._place, value))

    def _place(self, match):
        ms, before, commit, own, us, ns, between, xid, lsn = match.groups()
        assert int(ms) == int(us) // 1000 and int(ns) == int(us) * 1000, match.group(0)
        assert own == lsn, match.group(0)
        if commit != b"null":
            number = int(commit.strip(b'\\"'))
            assert number <= int(lsn), match.group(0)
            commit = self.commits[number]
        return b"ts %s,%ssequence %s,%stx %s,lsn %s" % (
            self.times[int(us)], before, commit, between, self.xids[int(xid)], self.lsns[int(lsn)])


def ranked(lanes):
    """Lanes of parity.py with ranks for all that no second run repeats."""
    of = Ranks([one.value for lane in lanes.values() for one in lane if one.value is not None])
    return {number: [one._replace(value=of.apply(one.value)) for one in lane]
            for number, lane in lanes.items()}


# the raw stream


def catalog_of(system):
    """What the catalog says of the captured tables' columns and their types."""
    return json.loads(system.value("""
        SELECT json_agg(json_build_object('table', c.relname, 'column', a.attname, 'type', a.atttypid::int8,
            'modifier', a.atttypmod, 'name', format_type(a.atttypid, a.atttypmod), 'kind', t.typtype,
            'category', t.typcategory, 'base', t.typbasetype::int8, 'base_modifier', t.typtypmod,
            'element', t.typelem::int8, 'not_null', a.attnotnull, 'generated', a.attgenerated,
            'default', pg_get_expr(d.adbin, d.adrelid)) ORDER BY c.relname, a.attnum)::text
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relname IN ('projects', 'project_assignments', 'calendar_sync_requests')
        AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"""))
