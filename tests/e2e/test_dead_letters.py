"""What goes to the dead letters can be listed, and be made good once its cause is gone."""
import json
import re
import subprocess

from parts.process import free_port
from parts.programs import ROOT

REFUSED = "Microsoft answered 400 ErrorInvalidRequest to create"


def dead_letters(system, *args, **settings):
    return subprocess.run([*system.worker.argv, "dead-letters", *map(str, args)],
                          env={**system.worker.env, **settings}, capture_output=True, text=True,
                          timeout=60)


def listed(system):
    """Each letter's line as its columns."""
    done = dead_letters(system, "list")
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def replay(system, *args):
    """Until every sync request that it asked for has ended; those requests."""
    done = dead_letters(system, "replay", *args)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = set(re.findall(r"\tasked for: sync request (\S+)", done.stdout))
    rows = "SELECT * FROM calendar_sync_requests WHERE id = ANY(%s::uuid[])"
    system.wait_until(lambda: all(row["state"] in ("done", "failed")
                                  for row in system.sql(rows, list(asked))), 60, "replayed")
    return system.sql(rows, list(asked))


def refuse_creation(system, person):
    """An assignment whose event Microsoft refused for good, and its letter."""
    before = len(system.dlq_records())
    system.fake.fault("create", "error", account=person.email, status=400,
                      code="ErrorInvalidRequest")
    assignment = system.create_assignment(system.create_project("Secret Client"), person,
                                          notes="a private note")
    system.wait_until(lambda: len(system.dlq_records()) > before, 30, "it is a dead letter")
    system.wait_committed()
    assert system.event_of(person, assignment) is None
    return assignment, system.dlq_records()[-1]


def test_what_microsoft_refused_is_listed_and_its_replay_makes_the_calendar_right(pipeline):
    ada, = pipeline.connect_people(1)
    assignment, letter = refuse_creation(pipeline, ada)
    record = pipeline.kafka.read(pipeline.topic)[-1]

    (partition, offset, when, *place, stage, user, where, reason), = listed(pipeline)
    assert (partition, offset) == ("0", str(letter.offset))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when)
    assert place == [pipeline.topic, str(record.partition), str(record.offset)]
    assert (stage, user, where, reason) == ("graph", str(ada.user_id), assignment, REFUSED)
    assert (letter.key, letter.value) == (record.key, record.value)
    assert letter.headers["calrelay.pos"] == record.headers["calrelay.pos"]

    request, = replay(pipeline, "--partition", partition, "--offset", offset)

    assert (request["state"], request["total"], request["failed"]) == ("done", 1, 0)
    pipeline.assert_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment) is not None


def test_a_replay_that_is_repeated_writes_nothing_anywhere(pipeline):
    ada, = pipeline.connect_people(1)
    for _ in range(3):
        refuse_creation(pipeline, ada)
    assert len(replay(pipeline, "--all")) == 1, "one comparison serves all letters of a person"
    pipeline.assert_calendars_equal_plan()
    records, mark = pipeline.kafka.read(pipeline.topic), pipeline.fake.mark()

    assert [request["state"] for request in replay(pipeline, "--all")] == ["done"]

    assert pipeline.fake.writes(mark) == []
    pipeline.assert_calendars_equal_plan()
    assert pipeline.kafka.read(pipeline.topic) == records, "the producer alone writes there"
    assert len(listed(pipeline)) == 3


def test_a_letter_of_what_has_moved_on_does_not_take_the_calendar_back(pipeline):
    ada, alan = pipeline.connect_people(2)
    changed, _ = refuse_creation(pipeline, ada)
    moved, _ = refuse_creation(pipeline, ada)
    removed, _ = refuse_creation(pipeline, ada)
    pipeline.update_assignment_status(changed, "confirmed")
    pipeline.reassign(moved, alan)
    pipeline.remove_assignment(removed)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    mark = pipeline.fake.mark()

    replay(pipeline, "--all")

    assert pipeline.fake.writes(mark) == []
    pipeline.assert_calendars_equal_plan()
    assert pipeline.event_of(ada, changed)["showAs"] == "busy"
    assert pipeline.event_of(ada, moved) is None and pipeline.event_of(alan, moved) is not None


def test_what_a_wrong_mapping_made_unreadable_is_made_good_under_the_right_one(pipeline):
    ada, = pipeline.connect_people(1)
    mapping = json.loads((ROOT / "common/amidash.mapping.json").read_text())
    mapping["assignments"]["booking_status"] = "phase"
    wrong = pipeline.folder / "wrong.json"
    wrong.write_text(json.dumps(mapping))
    pipeline.worker.sigterm()
    pipeline.worker.with_settings(CALRELAY_MAPPING_FILE=wrong).start().wait_ready()
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_until(pipeline.dlq_records, 30, "nobody can read it")
    pipeline.wait_committed()
    pipeline.worker.sigterm()
    pipeline.worker.with_settings(CALRELAY_MAPPING_FILE=None).start().wait_ready()
    assert pipeline.event_of(ada, assignment) is None

    (*_, stage, user, where, reason), = listed(pipeline)
    assert (stage, user, where) == ("decode", str(ada.user_id), assignment)
    assert "phase" in reason
    letter, = pipeline.dlq_records()
    record = pipeline.kafka.read(pipeline.topic)[-1]
    kept = {name: value for name, value in letter.headers.items()
            if not name.startswith("__connect.errors.")}
    assert kept == record.headers and "calrelay.pos" in kept and "traceparent" in kept
    assert len(letter.headers) == len(kept) + 10

    replay(pipeline, "--all")

    pipeline.assert_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment) is not None


def foreign_letter(system, topic, key):
    headers = {"topic": topic, "partition": "0", "offset": "7", "stage": "decode",
               "exception.message": "no"}
    return system.kafka.produce(system.dlq, 0, key, b"x", [
        (f"__connect.errors.{name}", value.encode()) for name, value in headers.items()])


def test_a_letter_that_is_none_of_ours_or_names_nobody_is_listed_and_refused(pipeline):
    ada, stranger = pipeline.connect_people(1) + pipeline.add_people(1)
    key = json.dumps({"user_id": str(ada.user_id), "id": str(ada.user_id)}).encode()
    other = foreign_letter(pipeline, "payments", key)
    nobodys = foreign_letter(pipeline, pipeline.topic, b"{")
    bare = pipeline.kafka.produce(pipeline.dlq, 0, key, b"a private note")
    lonely = foreign_letter(pipeline, pipeline.topic,
                            key.replace(str(ada.user_id).encode(),
                                        str(stranger.user_id).encode()))
    requests = "SELECT count(*) FROM calendar_sync_requests"
    before = pipeline.value(requests)

    assert [line[3] for line in listed(pipeline)] == [
        "payments", pipeline.topic, "no dead letter: no header __connect.errors.topic",
        pipeline.topic]
    for offset, reason in ((other, "its topic is none of ours"), (nobodys, "names no user"),
                           (bare, "no dead letter"), (lonely, "no calendar of this user"),
                           (lonely + 1, "holds no letter")):
        done = dead_letters(pipeline, "replay", "--partition", 0, "--offset", offset)
        assert (done.returncode, done.stderr) == (1, "") and reason in done.stdout
    done = dead_letters(pipeline, "replay", "--all")

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "letters: 4, sync requests filed: 0, refused: 4"
    assert pipeline.value(requests) == before


def test_dead_letters_says_what_is_missing(system):
    done = dead_letters(system, "list")
    assert done.returncode == 0
    assert done.stdout == f"no dead letters: {system.dlq} does not exist\n"
    assert dead_letters(system, "replay", "--all").returncode == 0
    assert system.dlq not in system.kafka.topics(system.prefix), "looking makes no topic"
    assert dead_letters(system, "replay", "--partition", 0, "--offset", 0).returncode == 1

    for wrong in ((), ("replay",), ("list", "--all"), ("replay", "--partition", "x", "--offset", 1),
                  ("replay", "--partition", 0, "--offset", -1)):
        assert dead_letters(system, *wrong).returncode == 64

    done = dead_letters(system, "list", KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Kafka is not reachable" in done.stderr.splitlines()[-1]


def test_a_letter_that_is_too_large_is_buried_without_its_value_and_holds_nothing_up(pipeline):
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    good = pipeline.kafka.read(pipeline.topic)[0]
    pipeline.kafka.alter_topic(pipeline.dlq, max_message_bytes=100_000)

    for size in (999_600, 200_000):  # more than our client sends, and than the topic takes
        pipeline.kafka.produce(pipeline.topic, good.partition, good.key, b"x" * size,
                               [("calrelay.pos", good.headers["calrelay.pos"])])
    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_committed()
    pipeline.wait_calendars_equal_plan()
    for letter in pipeline.dlq_records():
        assert (letter.key, letter.value) == (good.key, None)
        assert letter.headers["calrelay.pos"] == good.headers["calrelay.pos"]
        assert b"too large" in letter.headers["__connect.errors.exception.message"]
    assert len(pipeline.dlq_records()) == 2


def test_the_dead_letter_topic_gets_as_many_copies_as_the_event_topics(system):
    """Not the broker's default, which may be more than there are brokers."""
    system.worker.with_settings(CALRELAY_REPLICATION_FACTOR=2).start()  # of one broker
    system.wait_until(lambda: "the dead-letter topic was not created" in system.worker.log_text(),
                      30, "Kafka refuses the topic")
    assert system.dlq not in system.kafka.topics(system.prefix)
    system.worker.kill9()
    system.worker.with_settings(CALRELAY_REPLICATION_FACTOR=1).start()
    system.wait_until(lambda: system.dlq in system.kafka.topics(system.prefix), 30,
                      "the topic is created")
