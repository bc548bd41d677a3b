"""A worker dies at each point of a change's way to the mailbox; what it began is finished once.

The points are named as in the list that they were collected in: W1 to W9 for the way of a change,
T1 to T5 for tokens and connections.  Which of them is hit is seen at the fake and in PostgreSQL.
"""
import collections
import contextlib
import socket

import pytest


def connected(pipeline):
    """Somebody with a project, everything done."""
    ada, = pipeline.connect_people(1)
    pipeline.wait_committed()
    return ada, pipeline.create_project()


def one_event(pipeline):
    ada, project = connected(pipeline)
    assignment = pipeline.create_assignment(project, ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    return ada, assignment


def wait_written(pipeline, mark, kind, count=1):
    """Until Microsoft has executed so many."""
    def executed():
        return [record for record in pipeline.fake.requests(mark, kinds={kind})
                if record["status"] < 300]
    return pipeline.wait_until(lambda: len(executed()) >= count and executed(), 60,
                               f"{count} {kind} executed")


def mapping(pipeline, assignment):
    return pipeline.sql("SELECT * FROM synced_calendar_events WHERE assignment_id = %s",
                        assignment)[0]


def wait_intent(pipeline, assignment):
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM synced_calendar_events"
        " WHERE assignment_id = %s AND pending_pos IS NOT NULL", assignment), 30, "an intent")


def under_way(pipeline):
    return pipeline.fake.stats()["calls"] > 0


def wait_settled(pipeline, timeout=60):
    """Until nothing is owed to any row: every quarantine is over."""
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM synced_calendar_events WHERE dirty OR pending_pos IS NOT NULL") == 0,
        timeout, "no dirty row and no unfinished intent")


def waiting_is_over(pipeline):
    pipeline.sql("UPDATE calendar_sync_requests SET due_at = now() WHERE state = 'requested'")


@contextlib.contextmanager
def as_one_batch(pipeline):
    """What is written meanwhile has all come when the worker looks, however busy this machine is."""
    pipeline.worker.pause()
    yield
    pipeline.wait_published()
    pipeline.worker.cont()


def assert_made_once(pipeline, person, mark, count=1):
    """Each assignment has its one event, and Microsoft never made another."""
    pipeline.assert_calendars_equal_plan()
    everything = pipeline.fake.events(person.email, folder=None)
    assert len(everything) == count, "also none in Deleted Items"
    made = collections.defaultdict(set)
    for record in pipeline.fake.requests(mark, person.email, {"create"}):
        if record["status"] == 201:
            made[record["assignment"]].add(record["event_id"])
    assert all(len(events) == 1 for events in made.values())


@contextlib.contextmanager
def black_hole():
    """An address that takes requests and never answers or passes them on."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as hole:
        yield f"http://127.0.0.1:{hole.getsockname()[1]}"


def test_w1_killed_with_an_intent_before_microsoft_heard_of_it(pipeline):
    ada, project = connected(pipeline)
    mark = pipeline.fake.mark()
    assert pipeline.worker.sigterm() == 0
    with black_hole() as nowhere:
        pipeline.worker.with_settings(MICROSOFT_GRAPH_URL=nowhere).start()
        assignment = pipeline.create_assignment(project, ada)
        wait_intent(pipeline, assignment)
        pipeline.worker.kill9()
    assert pipeline.fake.requests(mark, ada.email) == []

    pipeline.worker.with_settings(MICROSOFT_GRAPH_URL=pipeline.fake.url).start()

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert_made_once(pipeline, ada, mark)
    assert len(pipeline.fake.writes(mark)) == 1


@pytest.mark.parametrize("says", ({"duplicate_status": 400, "existing_event_id": True},
                                  {"duplicate_status": 409, "existing_event_id": False}))
def test_w2_killed_between_the_creation_and_its_result(pipeline, says):
    ada, project = connected(pipeline)
    pipeline.fake.control("POST", "settings", says)
    mark = pipeline.fake.mark()
    pipeline.fake.fault("batch", "delay", ada.email, ms=20000, when="after")
    with as_one_batch(pipeline):
        same, changed = pipeline.create_assignments(project, [ada] * 2)
    wait_written(pipeline, mark, "create", 2)
    pipeline.worker.kill9()
    assert mapping(pipeline, same)["external_event_id"] is None, "no result was stored"
    pipeline.update_assignment_status(changed, "confirmed")

    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert_made_once(pipeline, ada, mark, 2)


@pytest.mark.slow
def test_w3_what_lands_after_its_worker_died_is_put_right_after_the_quarantine(pipeline):
    ada, alan, grace = pipeline.connect_people(3)
    project = pipeline.create_project()
    changed = pipeline.create_assignment(project, alan)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    mark = pipeline.fake.mark()
    for person in (ada, alan, grace):
        pipeline.fake.fault("batch", "delay", person.email, ms=20000)
    removed, kept = pipeline.create_assignments(project, [ada, grace])
    notes = "UPDATE project_assignments SET notes = %s WHERE id = %s"
    pipeline.sql(notes, "older", changed)  # a status would not land late: If-Match
    for assignment in (removed, kept, changed):
        wait_intent(pipeline, assignment)
    pipeline.wait_until(lambda: pipeline.fake.stats()["calls"] == 3, 30, "all three are under way")
    pipeline.worker.kill9()
    pipeline.remove_assignment(removed)
    pipeline.sql(notes, "newer", changed)

    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_until(lambda: not under_way(pipeline), 30, "all three have landed")
    assert {line.split(":")[0] for line in pipeline.differences()} == {ada.email, alan.email}
    pipeline.wait_calendars_equal_plan(60)
    wait_settled(pipeline)
    pipeline.assert_calendars_equal_plan()
    assert len(pipeline.fake.events(grace.email, folder=None)) == 1


@pytest.mark.slow
def test_w3_a_creation_that_lands_after_a_sync_had_seen_its_removal_leaves_no_orphan(pipeline):
    ada, project = connected(pipeline)
    pipeline.fake.fault("batch", "delay", ada.email, ms=33000)
    removed = pipeline.create_assignment(project, ada)
    wait_intent(pipeline, removed)
    pipeline.wait_until(lambda: under_way(pipeline), 30, "the creation is under way")
    pipeline.worker.kill9()
    pipeline.remove_assignment(removed)
    pipeline.sql("UPDATE calendar_connections SET not_before = now() + interval '22 s'")
    request = pipeline.value("INSERT INTO calendar_sync_requests (user_id, kind) VALUES "
                             "(%s, 'full') RETURNING id", ada.user_id)

    pipeline.worker.start()

    pipeline.wait_committed()  # she waits: the sync decides
    assert ada.wait_request(request)["state"] == "done"
    assert under_way(pipeline), "the creation has not landed yet"
    pipeline.wait_until(lambda: not under_way(pipeline), 30, "it has")
    assert len(pipeline.calendar(ada.email)) == 1
    pipeline.wait_calendars_equal_plan(60)
    wait_settled(pipeline)


@pytest.mark.slow
def test_w3_a_brake_that_held_while_removals_were_on_their_way_leaves_no_row_in_doubt(pipeline):
    ada, project = connected(pipeline)
    removed = pipeline.create_assignments(project, [ada] * 13)
    doubtful = removed[0]
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    pipeline.fake.fault("batch", "delay", ada.email, ms=3000)
    pipeline.update_assignment_status(doubtful, "confirmed")
    wait_intent(pipeline, doubtful)
    pipeline.wait_until(lambda: under_way(pipeline), 30, "its change is under way")
    pipeline.worker.kill9()
    pipeline.worker.start()
    pipeline.wait_committed()
    assert mapping(pipeline, doubtful)["dirty"]
    pipeline.producer.pause()
    for assignment in removed:
        pipeline.remove_assignment(assignment)

    pipeline.sql("UPDATE synced_calendar_events SET due_at = now() WHERE dirty")
    waiting_is_over(pipeline)
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM calendar_sync_requests WHERE state = 'failed'") == 1, 30,
        "the brake holds")
    pipeline.producer.cont()

    pipeline.wait_calendars_equal_plan()
    wait_settled(pipeline)


@pytest.mark.slow
def test_w4_what_was_answered_of_a_batch_is_stored_before_the_rest_is(pipeline):
    ada, project = connected(pipeline)
    mark = pipeline.fake.mark()
    pipeline.fake.fault("create", "throttle", ada.email, times=10, retry_after=9)
    with as_one_batch(pipeline):
        pipeline.create_assignments(project, [ada] * 20)
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM synced_calendar_events WHERE external_event_id IS NOT NULL") == 10,
        8, "half of it is stored")
    pipeline.worker.kill9()

    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert_made_once(pipeline, ada, mark, 20)
    good = collections.Counter(record["assignment"] for record in pipeline.fake.writes(mark)
                               if record["status"] < 300)
    assert set(good.values()) == {1}, "what was stored is not asked for again"


def test_w4_killed_over_a_batch_whose_answer_ends_in_the_middle(pipeline):
    ada, project = connected(pipeline)
    mark = pipeline.fake.mark()
    pipeline.fake.fault("batch", "truncate", ada.email, times=5)
    pipeline.create_assignments(project, [ada] * 20)
    wait_written(pipeline, mark, "create", 20)
    pipeline.worker.kill9()
    pipeline.fake.clear_faults()

    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert_made_once(pipeline, ada, mark, 20)


@pytest.mark.slow
def test_w5_changes_of_one_assignment_during_a_call_become_one(pipeline):
    ada, assignment = one_event(pipeline)
    mark = pipeline.fake.mark()
    pipeline.fake.latency(2000)
    pipeline.update_assignment_status(assignment, "option")
    pipeline.wait_until(lambda: under_way(pipeline), 30, "the first is under way")
    for status in ("tentative", "confirmed", "requested", "confirmed"):
        pipeline.update_assignment_status(assignment, status)

    pipeline.wait_published()
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert [record["status"] for record in pipeline.fake.writes(mark)] == [200, 200]


def test_w6_killed_between_the_result_and_the_offset(pipeline):
    ada, project = connected(pipeline)
    mark = pipeline.fake.mark()
    pipeline.fake.fault("batch", "delay", ada.email, ms=2000, when="after")
    assignment = pipeline.create_assignment(project, ada)
    wait_written(pipeline, mark, "create")
    pipeline.kafka.process.pause()
    try:
        pipeline.wait_until(lambda: mapping(pipeline, assignment)["external_event_id"], 10,
                            "the result is stored")
        pipeline.worker.kill9()
    finally:
        pipeline.kafka.process.cont()
    assert pipeline.lag() == 1, "the offset is not committed"

    pipeline.worker.start()

    pipeline.wait_committed()
    assert_made_once(pipeline, ada, mark)
    assert len(pipeline.fake.writes(mark)) == 1, "nothing is sent again"


@pytest.mark.slow
def test_w8_workers_that_come_and_go_in_the_middle_of_batches_do_each_change_once(pipeline):
    people = pipeline.connect_people(6)
    assignments = pipeline.create_assignments(pipeline.create_project(), people * 20)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    other = pipeline.new_worker()
    pipeline.fake.latency(500)
    mark = pipeline.fake.mark()

    for status in ("confirmed", "option"):
        pipeline.bulk_update_assignment_status(assignments, status)
        pipeline.wait_until(lambda: under_way(pipeline), 30, "batches are under way")
        other.start().wait_ready()
        pipeline.wait_calendars_equal_plan(60)
        pipeline.bulk_update_assignment_status(assignments, "tentative")
        pipeline.wait_until(lambda: under_way(pipeline), 30, "batches are under way")
        assert other.sigterm() == 0
        pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()
    writes = pipeline.fake.writes(mark)
    assert {record["kind"] for record in writes} == {"update"}
    assert {record["status"] for record in writes} == {200}
    assert len(writes) == 4 * len(assignments)
    assert pipeline.fake.stats()["max_calls_per_mailbox"] == 1


def test_w9_a_lost_mapping_is_found_again_in_the_mailbox(pipeline):
    ada, project = connected(pipeline)
    changed, kept, removed = pipeline.create_assignments(project, [ada] * 3)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    events = {event["assignment"]: event["id"] for event in pipeline.calendar(ada.email)}
    pipeline.worker.kill9()
    mark = pipeline.fake.mark()
    pipeline.sql("DELETE FROM synced_calendar_events")
    pipeline.sql("UPDATE calendar_connections SET adopted_at = NULL")
    pipeline.update_assignment_status(changed, "confirmed")
    pipeline.remove_assignment(removed)

    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert pipeline.fake.requests(mark, kinds={"create"}) == []
    assert {event["assignment"]: event["id"] for event in pipeline.calendar(ada.email)} == {
        key: events[key] for key in (changed, kept)}
    assert mapping(pipeline, changed)["external_event_id"] == events[changed]


def expire_tokens(pipeline):
    pipeline.sql("UPDATE calendar_connections SET token_expires_at = now() - interval '1 hour'")


def test_t1_expired_tokens_are_renewed_once_each_whoever_needs_them(pipeline_of_two):
    pipeline = pipeline_of_two
    people = pipeline.connect_people(4)
    before = pipeline.fake.stats()["tokens_refreshed"]
    expire_tokens(pipeline)
    pipeline.fake.fault("token", "delay", ms=1000, times=100)

    project = pipeline.create_project()
    for _ in range(25):
        pipeline.create_assignments(project, people)
    pipeline.sql("INSERT INTO calendar_sync_requests (user_id, kind) "
                 "SELECT user_id, 'full' FROM calendar_connections")

    pipeline.wait_calendars_equal_plan(60)
    assert pipeline.fake.stats()["tokens_refreshed"] == before + len(people)


@pytest.mark.slow
def test_t2_killed_between_a_renewal_and_its_storing_the_old_token_serves(pipeline):
    ada, assignment = one_event(pipeline)
    before = pipeline.fake.stats()["tokens_refreshed"]
    version = pipeline.value("SELECT token_version FROM calendar_connections")
    expire_tokens(pipeline)
    pipeline.fake.fault("token", "delay", ada.email, ms=20000)
    pipeline.update_assignment_status(assignment, "confirmed")
    pipeline.wait_until(lambda: pipeline.fake.stats()["tokens_refreshed"] == before + 1, 30)
    pipeline.worker.kill9()
    assert pipeline.value("SELECT token_version FROM calendar_connections") == version

    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan(90)
    pipeline.wait_committed()
    assert pipeline.fake.stats()["tokens_refreshed"] == before + 2
    assert ada.connection()["status"] == "active"


@pytest.mark.slow
@pytest.mark.parametrize("dies", (False, True))
def test_t4_disconnecting_in_the_middle_of_a_batch_leaves_no_event(pipeline, dies):
    ada, project = connected(pipeline)
    pipeline.create_assignments(project, [ada] * 20)
    pipeline.wait_calendars_equal_plan()
    pipeline.fake.latency(500)
    mark = pipeline.fake.mark()
    pipeline.age_requests()
    pipeline.create_assignments(project, [ada] * 20)
    wait_written(pipeline, mark, "create", 4)

    answer = ada.api("POST", "/api/calendar/disconnect", json={"events": "remove"})
    assert answer.status_code == 202, answer.text
    if dies:
        pipeline.worker.kill9()
        pipeline.worker.start()

    assert ada.wait_request(answer.json()["id"])["state"] == "done"
    pipeline.wait_until(lambda: not under_way(pipeline), 30, "nothing is under way")
    assert pipeline.calendar(ada.email) == []
    assert pipeline.value("SELECT count(*) FROM calendar_connections") == 0
    pipeline.wait_committed()


def test_t5_in_another_mailbox_nothing_of_the_first_one_is_used(pipeline):
    ada, project = connected(pipeline)
    pipeline.create_assignments(project, [ada] * 5)
    pipeline.wait_calendars_equal_plan()
    old = {event["id"] for event in pipeline.calendar(ada.email)}
    pipeline.age_requests()
    answer = ada.api("POST", "/api/calendar/disconnect", json={"events": "keep"})
    ada.wait_request(answer.json()["id"])
    pipeline.fake.add_account("ada@second.example", "Ada")
    mark = pipeline.fake.mark()

    ada.connect("ada@second.example")

    pipeline.wait_until(lambda: len(pipeline.calendar("ada@second.example")) == 5, 30)
    pipeline.wait_committed()
    writes = pipeline.fake.writes(mark)
    assert {record["kind"] for record in writes} == {"create"} and len(writes) == 5
    assert {record["account"] for record in writes} == {"ada@second.example"}
    assert not old & {event["id"] for event in pipeline.calendar("ada@second.example")}
