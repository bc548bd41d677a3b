"""start.py - a producer starts and changes wait: when is the first of them in Kafka?"""
from table import Figure

STARTS, CHANGES = 10, 3000


def start_once(stage):
    """Milliseconds from before its process is made; the broker stamps whole ones, so one more."""
    stage.book(CHANGES)
    since = stage.ends(stage.topic)
    started = stage.start_producer()
    stage.wait_count(stage.topic, since, CHANGES, stage.producer)
    stage.stop_producer()
    first, _ = stage.span(stage.topic, since)
    return (first - started) * 1000 + 1


def measure(stage, _rounds):
    return [Figure("start: process to first record", "ms",
                   [start_once(stage) for _ in range(STARTS)], ("<=", 200))]
