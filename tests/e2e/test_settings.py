"""A missing or malformed setting stops a program at its start with one line that names it."""
import subprocess

import pytest

REQUIRED = {
    "producer": ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"),
    "worker": ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "CALRELAY_TOKEN_KEYS",
               "MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"),
    "connect": ("DATABASE_URL", "CALRELAY_TOKEN_KEYS", "CALRELAY_JWT_SECRET",
                "MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "MICROSOFT_REDIRECT_URI"),
}
MALFORMED = {
    "producer": {"CALRELAY_HTTP_LISTEN": "nonsense", "CALRELAY_PARTITIONS": "twelve",
                 "CALRELAY_TOPIC_PREFIX": "no spaces", "CALRELAY_SLOT": "No-Such-Slot",
                 "CALRELAY_MAPPING_FILE": "/nonexistent",
                 "CALRELAY_TRANSACTION_METADATA": "yes", "CALRELAY_SCHEMAS_ENABLE": "TRUE",
                 "KAFKA_CONFIG_FILE": "/nonexistent"},
    "worker": {"CALRELAY_HTTP_LISTEN": "127.0.0.1:99999", "CALRELAY_TOKEN_KEYS": "k1:c2hvcnQ=",
               "CALRELAY_QUARANTINE_SECONDS": "34", "MICROSOFT_GRAPH_URL": "http://example.com",
               "CALRELAY_EXTENDED_PROPERTY": "nonsense", "CALRELAY_DELETED_EVENTS": "keep"},
    "connect": {"CALRELAY_HTTP_LISTEN": ":::", "MICROSOFT_LOGIN_URL": "ftp://example.com",
                "CALRELAY_TOKEN_KEYS": "nonsense", "MICROSOFT_REDIRECT_URI": "not a url",
                "CALRELAY_JWT_PUBLIC_KEY": "not a key",
                "CALRELAY_FRAME_ANCESTORS": "https://plan.example/app"},
}


def refusal(program):
    """What a program says on stderr when it refuses to start."""
    done = subprocess.run(program.argv, env=program.env, capture_output=True, text=True,
                          timeout=20)
    assert done.returncode not in (0, None) and done.returncode > 0, "it must refuse"
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1, f"one line, not: {lines}"
    return lines[0]


@pytest.mark.parametrize("room,name", [(room, name) for room in REQUIRED
                                       for name in REQUIRED[room]])
def test_a_missing_setting_is_named(system, room, name):
    program = getattr(system, room)
    program.with_settings(**{name: None, f"{name}_FILE": None})
    assert name in refusal(program)


@pytest.mark.parametrize("room,name", [(room, name) for room in MALFORMED
                                       for name in MALFORMED[room]])
def test_a_malformed_setting_is_named(system, room, name):
    program = getattr(system, room)
    program.with_settings(**{f"{name}_FILE": None, name: MALFORMED[room][name]})
    assert name in refusal(program)


def test_a_secret_file_that_others_can_read_is_refused(system):
    (system.folder / "token-keys").chmod(0o644)
    assert "CALRELAY_TOKEN_KEYS_FILE" in refusal(system.worker)


def test_a_secret_given_twice_is_refused(system):
    system.worker.with_settings(CALRELAY_TOKEN_KEYS="k1:c2hvcnQ=")
    assert "CALRELAY_TOKEN_KEYS" in refusal(system.worker)


@pytest.mark.parametrize("room", ["producer", "worker", "connect", "fake"])
def test_every_program_knows_help_and_version(system, room):
    program = getattr(system, room)
    for option in ("--help", "--version"):
        done = subprocess.run([*program.argv, option], env={}, capture_output=True, text=True)
        assert done.returncode == 0 and f"calrelay-{room}" in done.stdout
    assert subprocess.run([*program.argv, "--nonsense"], env={},
                          capture_output=True).returncode == 64


def test_a_producer_refuses_a_table_that_hides_the_old_user(system):
    system.sql("ALTER TABLE project_assignments REPLICA IDENTITY DEFAULT")
    system.producer.start()
    assert system.producer.wait(30) != 0
    assert "REPLICA IDENTITY FULL" in system.producer.log_text()


def test_a_producer_refuses_a_topic_with_another_cleanup_policy(system):
    system.kafka.create_topic(system.topic, 12, {"cleanup.policy": "delete"})
    system.producer.start()
    assert system.producer.wait(30) != 0
    assert "cleanup.policy" in system.producer.log_text()


def test_a_producer_refuses_a_topic_with_another_number_of_partitions(system):
    system.kafka.create_topic(system.topic, 3, {"cleanup.policy": "compact"})
    system.producer.start()
    assert system.producer.wait(30) != 0
    assert "partitions" in system.producer.log_text()
