"""The producer under the workload of tests/golden writes what real Debezium was recorded to write."""
import pytest

from parts import golden, parity
from parts.system import System


@pytest.fixture
def golden_system(backbone):
    """A system of its own under the names of the recording."""
    made = System(backbone, number=golden.NUMBER)
    yield made
    made.close()


@pytest.mark.parametrize("variant", golden.VARIANTS)
def test_keys_and_values_are_those_that_debezium_was_recorded_to_write(golden_system, variant):
    system = golden_system
    (_, fill), *sections = golden.sections()
    golden.run_section(system, fill)
    system.producer.with_settings(**golden.VARIANTS[variant][1]).start().wait_ready()

    for _, statements in sections:
        golden.run_section(system, statements)
        system.wait_published()

    recorded = golden.read_records(golden.FOLDER / f"{variant}.records")
    assert recorded
    lines = parity.difference(
        golden.ranked(parity.lanes_of_debezium(recorded)),
        golden.ranked(parity.lanes_of_producer(system.kafka.read(system.topic))))
    assert not lines, "\n".join(lines)
