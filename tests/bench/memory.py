"""memory.py - the most memory a producer ever takes: a huge transaction, and Kafka gone."""
from table import Figure

ROWS, WHILE_DOWN = 1_000_000, 150_000
# One transaction; without the foreign keys' triggers, which would only cost time.
HUGE = f"""
SET session_replication_role = replica;
INSERT INTO project_assignments (project_id, user_id, booking_status)
    SELECT p.id, u.id, 'tentative' FROM generate_series(1, {ROWS}) k
    JOIN bench_projects p ON p.n = k % 500 JOIN bench_people u ON u.n = k % 1000;
RESET session_replication_role
"""


def in_a_huge_transaction(stage):
    stage.producer.start().wait_ready()
    since = stage.ends(stage.topic)
    stage.system.sql(HUGE)
    stage.wait_count(stage.topic, since, ROWS, stage.producer)
    peak = stage.peak_mib()
    stage.stop_producer()
    return peak


def while_kafka_is_down(stage):
    """More changes than it may hold wait, until it has given up once and Kafka is back."""
    stage.producer.start().wait_ready()
    since = stage.ends(stage.topic)
    before = stage.producer.log_text().count("starting over")
    stage.kafka.process.kill9()
    stage.book(WHILE_DOWN)
    stage.system.wait_until(
        lambda: stage.producer.log_text().count("starting over") > before, 120, "it gives up")
    stage.kafka.start()
    stage.wait_count(stage.topic, since, WHILE_DOWN, stage.producer)
    peak = stage.peak_mib()
    stage.stop_producer()
    return peak


def measure(stage, _rounds):
    return [
        Figure("memory: peak in a transaction of 1,000,000 rows", "MiB",
               [in_a_huge_transaction(stage)], ("<=", 48)),
        Figure("memory: peak while Kafka is down", "MiB", [while_kafka_is_down(stage)],
               ("<=", 48)),
    ]
