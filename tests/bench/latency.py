"""latency.py - a thousand commits a second: how late is each in Kafka?"""
import json

from pace import commit_steadily
from stage import append_time_ms
from table import Figure

RATE, SECONDS, ASSIGNMENTS = 1000, 30, 30_000
PREPARE = """
CREATE TABLE bench_assignments AS
    SELECT row_number() OVER () AS n, id FROM project_assignments LIMIT 20000;
CREATE INDEX ON bench_assignments (n);
VACUUM ANALYZE
"""
COMMIT = """\\set n random(1, 20000)
UPDATE project_assignments SET updated_at = now(), booking_status =
    CASE booking_status WHEN 'confirmed' THEN 'tentative' ELSE 'confirmed' END
    WHERE id = (SELECT id FROM bench_assignments WHERE n = :n);
"""


def late_ms(record):
    """From the commit's own time to the broker's when it appended the record.  That one counts whole
    milliseconds, so one more is added: it is never less than the truth."""
    committed_us = json.loads(record.value())["source"]["ts_us"]
    return append_time_ms(record) + 1 - committed_us / 1000


def measure(stage, _rounds):
    since = stage.ends(stage.topic)
    stage.book(ASSIGNMENTS)
    for statement in PREPARE.split(";"):
        stage.system.sql(statement)
    stage.start_producer()
    stage.wait_count(stage.topic, since, ASSIGNMENTS, stage.producer)
    since = stage.ends(stage.topic)
    reached = commit_steadily(stage.system, COMMIT, RATE, SECONDS)
    stage.system.wait_published()
    late = sorted(late_ms(record) for record in stage.records(stage.topic, since))
    stage.stop_producer()
    assert len(late) > 0.9 * RATE * SECONDS, f"{len(late)} commits arrived"
    return [
        Figure("latency: commits", "per s", [reached], None),
        Figure("latency: commit to Kafka, half of them within", "ms", [late[len(late) // 2]], None),
        Figure("latency: commit to Kafka, 99 % within", "ms", [late[len(late) * 99 // 100]],
               ("<=", 25)),
        Figure("latency: commit to Kafka, the latest", "ms", [late[-1]], None),
    ]
