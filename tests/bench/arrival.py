"""arrival.py - a hundred commits a second, each of another assignment: how late is each?"""
import json
import subprocess

from office import LATENCY_MS, Office
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


def commit_steadily(office):
    """How many commits, and how many of them per second."""
    system = office.system
    script = system.folder / "commit.sql"
    script.write_text(COMMIT)
    done = subprocess.run(
        [f"{system.postgres.bin}/pgbench", "--no-vacuum", "--client=4", f"--rate={RATE}",
         f"--time={SECONDS}", f"--file={script}", system.postgres.url(system.database)],
        capture_output=True, text=True, timeout=SECONDS + 60)
    assert done.returncode == 0, done.stderr
    return (system.value("SELECT last_value FROM bench_turn"),
            float(done.stdout.partition("tps = ")[2].split()[0]))


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
        count, reached = commit_steadily(office)
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
