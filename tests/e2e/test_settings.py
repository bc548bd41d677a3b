"""A missing or malformed setting stops a program at its start with one line that names it.

The numbers are those of docs/bad-inputs.md.
"""
import base64
import json
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
               "CALRELAY_QUARANTINE_SECONDS": "34", "MICROSOFT_GRAPH_URL": "ftp://example.com",
               "CALRELAY_EXTENDED_PROPERTY": "nonsense", "CALRELAY_DELETED_EVENTS": "keep"},
    "connect": {"CALRELAY_HTTP_LISTEN": ":::", "MICROSOFT_LOGIN_URL": "ftp://example.com",
                "CALRELAY_TOKEN_KEYS": "nonsense", "MICROSOFT_REDIRECT_URI": "not a url",
                "CALRELAY_JWT_PUBLIC_KEY": "not a key",
                "CALRELAY_FRAME_ANCESTORS": "https://plan.example/app"},
}


@pytest.fixture
def programs(shared_system):
    """Programs to be given settings, which are forgotten afterwards."""
    settings = [(program, dict(program.settings)) for program in shared_system.programs]
    keys = (shared_system.folder / "token-keys").read_text()
    yield shared_system
    for program, before in settings:
        program.settings = before
        program.with_settings()
    (shared_system.folder / "token-keys").write_text(keys)
    (shared_system.folder / "token-keys").chmod(0o600)


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
def test_a_missing_setting_is_named(programs, room, name):
    program = getattr(programs, room)
    program.with_settings(**{name: None, f"{name}_FILE": None})
    assert name in refusal(program)


@pytest.mark.parametrize("room,name", [(room, name) for room in MALFORMED
                                       for name in MALFORMED[room]])
def test_a_malformed_setting_is_named(programs, room, name):
    program = getattr(programs, room)
    program.with_settings(**{f"{name}_FILE": None, name: MALFORMED[room][name]})
    assert name in refusal(program)


KEY = base64.b64encode(b"k" * 32).decode()
KEYS = {  # what is wrong with them: the keys, and what the line says of them
    "none": ("# a comment alone\n", "holds no key"),
    "a short one": (f"k1:{KEY}\nk2:c2hvcnQ=\n", "the key on line 2 is not 32 bytes"),
    "no base64": ("k1:not base64!\n", "the key on line 1 is not 32 bytes"),
    "no id": (f"{KEY}\n", "line 1 must read id:base64"),
    "one id twice": (f"k1:{KEY}\n\nk1:{KEY}\n", "line 3 repeats a key id"),
}


@pytest.mark.parametrize("room", ["worker", "connect"])
@pytest.mark.parametrize("wrong", KEYS)
def test_53_token_keys_that_are_wrong_are_refused_by_their_line(programs, room, wrong):
    text, says = KEYS[wrong]
    (programs.folder / "token-keys").write_text(text)
    line = refusal(getattr(programs, room))
    assert "CALRELAY_TOKEN_KEYS" in line and says in line
    assert KEY not in line and "c2hvcnQ=" not in line


@pytest.mark.parametrize("room", ["worker", "connect"])
def test_53_a_file_of_token_keys_that_is_not_there_is_named(programs, room):
    (programs.folder / "token-keys").unlink()
    line = refusal(getattr(programs, room))
    assert "CALRELAY_TOKEN_KEYS_FILE" in line and str(programs.folder / "token-keys") in line


@pytest.mark.parametrize("room,name", [(room, name) for room in ("worker", "connect") for name in (
    "MICROSOFT_LOGIN_URL", "MICROSOFT_GRAPH_URL", "MICROSOFT_REDIRECT_URI")])
def test_54_an_address_without_tls_is_refused_outside_this_machine(programs, room, name):
    programs.connect.with_settings(**{name: "http://graph.microsoft.com"})
    programs.worker.with_settings(**{name: "http://graph.microsoft.com"})
    line = refusal(getattr(programs, room))
    assert name in line and "https://" in line


SECRETS = [("producer", "DATABASE_URL"), ("worker", "DATABASE_URL"),
           ("worker", "CALRELAY_TOKEN_KEYS"), ("worker", "MICROSOFT_CLIENT_SECRET"),
           ("connect", "DATABASE_URL"), ("connect", "CALRELAY_TOKEN_KEYS"),
           ("connect", "CALRELAY_JWT_SECRET"), ("connect", "MICROSOFT_CLIENT_SECRET")]


@pytest.mark.parametrize("room,name", SECRETS)
def test_55_a_secret_file_that_others_can_read_is_refused(programs, room, name):
    secret = programs.folder / "secret"
    secret.write_text("a secret")
    secret.chmod(0o644)
    program = getattr(programs, room).with_settings(**{name: None, f"{name}_FILE": secret})
    line = refusal(program)
    assert f"{name}_FILE" in line and str(secret) in line and "a secret" not in line


@pytest.mark.parametrize("room", ["producer", "worker"])
def test_55_a_kafka_configuration_that_others_can_read_holds_no_password(programs, room):
    config = programs.folder / "client.properties"
    config.write_text("sasl.username=u\nsasl.password=hidden\n")
    config.chmod(0o644)
    line = refusal(getattr(programs, room).with_settings(KAFKA_CONFIG_FILE=config))
    assert "KAFKA_CONFIG_FILE" in line and str(config) in line and "hidden" not in line


def test_a_secret_given_twice_is_refused(programs):
    programs.worker.with_settings(CALRELAY_TOKEN_KEYS="k1:c2hvcnQ=")
    assert "CALRELAY_TOKEN_KEYS" in refusal(programs.worker)


@pytest.mark.parametrize("room", ["producer", "worker", "connect", "fake"])
def test_every_program_knows_help_and_version(programs, room):
    program = getattr(programs, room)
    for option in ("--help", "--version"):
        done = subprocess.run([*program.argv, option], env={}, capture_output=True, text=True)
        assert done.returncode == 0 and f"calrelay-{room}" in done.stdout


@pytest.mark.parametrize("room", ["producer", "worker", "connect", "fake"])
def test_56_an_unknown_option_is_refused_and_told_the_nearest(programs, room):
    for option, meant in (("--nonsense", None), ("--versoin", "--version"), ("--hlep", "--help")):
        done = subprocess.run([*getattr(programs, room).argv, option], env={}, capture_output=True,
                              text=True)
        assert done.returncode == 64 and f"'{option}'" in done.stderr
        assert ("did you mean" in done.stderr) == (meant is not None)
        assert f"calrelay-{room} --help" in done.stderr and (meant or "") in done.stderr


@pytest.mark.parametrize("room,slip,meant", [
    ("producer", "CALRELAY_PARTITION", "CALRELAY_PARTITIONS"),
    ("worker", "CALRELAY_TOKEN_KEY_FILE", "CALRELAY_TOKEN_KEYS_FILE"),
    ("connect", "MICROSOFT_CLIENT_SECERT", "MICROSOFT_CLIENT_SECRET")])
def test_56_a_variable_that_is_nearly_one_of_ours_is_warned_of(programs, room, slip, meant):
    """Those of the other programs, which every program of a story gets, are not."""
    program = getattr(programs, room).with_settings(**{slip: "hidden", "CALRELAY_HTTP_LISTEN": ":"})
    done = subprocess.run(program.argv, env=program.env, capture_output=True, text=True,
                          timeout=20)
    warning, refused = done.stderr.splitlines()
    assert done.returncode > 0 and "CALRELAY_HTTP_LISTEN" in refused
    assert (json.loads(warning)["variable"], json.loads(warning)["nearest"]) == (slip, meant)
    assert "hidden" not in done.stderr


def test_59_a_producer_refuses_a_table_that_hides_the_old_user(system):
    system.sql("ALTER TABLE project_assignments REPLICA IDENTITY DEFAULT")
    system.producer.start()
    assert system.producer.wait(30) != 0
    assert "REPLICA IDENTITY FULL" in system.producer.log_text()


def test_a_producer_refuses_a_topic_with_another_cleanup_policy(system):
    system.kafka.create_topic(system.topic, 12, {"cleanup.policy": "delete"})
    system.producer.start()
    assert system.producer.wait(30) != 0
    assert "cleanup.policy" in system.producer.log_text()


def test_57_a_producer_refuses_a_topic_with_another_number_of_partitions(system):
    system.kafka.create_topic(system.topic, 3, {"cleanup.policy": "compact"})
    system.producer.start()
    assert system.producer.wait(30) != 0
    assert "partitions" in system.producer.log_text()


def test_57_a_worker_refuses_topics_that_differ_in_partitions(system):
    """A person's changes and requests would be of two workers."""
    system.fake.start().wait_ready()
    system.kafka.create_topic(system.topic, 12, {"cleanup.policy": "compact"})
    assert system.worker.complaints() == (0, [
        f"warn  Kafka has no topic {system.requests_topic} yet: a producer makes it"])
    system.kafka.create_topic(system.requests_topic, 6, {"cleanup.policy": "compact"})
    assert system.worker.complaints() == (1, [
        f"FAIL  topics: {system.topic} has 12 partitions, "
        f"{system.requests_topic} has 6: give one as many as the other has"])
    system.worker.start()
    assert system.worker.wait(30) == 1
    assert '"partitions":12' in system.worker.log_text()
    assert '"requests_partitions":6' in system.worker.log_text()
    assert system.value("SELECT count(*) FROM calrelay_partition_owner") == 0
