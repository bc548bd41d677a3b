"""arrival.py - a hundred commits a second, each of another assignment: how late is each?"""
import json

from office import LATENCY_MS, Office
from pace import commit_steadily
from table import Figure

RATE, SECONDS, PEOPLE, EACH = 100, 60, 300, 30
# In an order that does not go round the people, each once: one commit is one update.
PREPARE = """
CREATE TABLE bench_order AS
    SELECT row_number() OVER (ORDER BY md5(id::text)) AS n, id FROM project_assignments;
CREATE UNIQUE INDEX ON bench_order (n);
CREATE SEQUENCE bench_turn;
VACUUM ANALYZE
"""
COMMIT = """
WITH turn AS MATERIALIZED (SELECT nextval('bench_turn') AS n)
UPDATE project_assignments a SET booking_status = 'confirmed', updated_at = now()
    FROM turn JOIN bench_order o ON o.n = turn.n WHERE a.id = o.id;
"""


def committed_ms(office):
    """{assignment: PostgreSQL's own time of the commit}, as the records tell it."""
    times = {}
    for record in office.kafka.each(office.topic):
        value = json.loads(record.value)
        if value["op"] == "u":
            times[value["after"]["id"]] = value["source"]["ts_us"] / 1000
    return times


def measure(_rounds):
    office = Office(PEOPLE)
    try:
        office.fill(EACH)
        for statement in PREPARE.split(";"):
            office.system.sql(statement)
        office.start_worker()
        office.worker.wait_ready()
        mark = office.fake.mark()
        reached = commit_steadily(office.system, COMMIT, RATE, SECONDS)
        count = office.system.value("SELECT last_value FROM bench_turn")
        office.system.wait_published()
        office.wait_settled()
        updated = {update["assignment"]: update["at_ms"] for update in office.updated(mark)}
        late = sorted(updated[assignment] - committed
                      for assignment, committed in committed_ms(office).items())
        assert len(late) == len(updated) == count > 0.9 * RATE * SECONDS
        office.stop_worker()
    finally:
        office.close()
    return [
        Figure("latency: commits", "per s", [reached], None),
        Figure(f"latency: commit to calendar, half within (of it {LATENCY_MS} the fake's)", "ms",
               [late[len(late) // 2]], None),
        Figure("latency: commit to calendar, 99 % within", "ms", [late[len(late) * 99 // 100]],
               ("<=", 1000)),
        Figure("latency: commit to calendar, the latest", "ms", [late[-1]], None),
    ]
