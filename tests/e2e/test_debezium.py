"""Real Debezium and the producer on the same database: keys and values are equal byte for byte."""
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
