"""Workers share the partitions, take over from each other, and leave nothing half done."""
import collections
import contextlib
import threading
import time

import pytest


def test_two_workers_share_the_partitions_and_take_over_from_each_other(pipeline_of_two):
    pipeline = pipeline_of_two
    first, second = pipeline.workers
    everything = {str(number) for number in range(12)}

    def shared():
        one, two = (worker.partitions(pipeline.topic) for worker in (first, second))
        return one and two and not one & two and one | two == everything
    pipeline.wait_until(shared, 30, "both workers have partitions")
    people = pipeline.connect_people(6)
    project = pipeline.create_project()
    pipeline.create_assignments(project, people)
    pipeline.wait_calendars_equal_plan()

    second.kill9()
    pipeline.redate_project(project, "2026-04-01", "2026-04-02")
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_until(lambda: first.partitions(pipeline.topic) == everything, 30,
                        "the first has them all, also where nobody was waiting for it")

    second.start().wait_ready()
    pipeline.wait_until(shared, 30, "the partitions are shared again")
    assert first.sigterm() == 0
    pipeline.redate_project(project, "2026-05-01", "2026-05-02")
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()


def wait_halfway(pipeline, mark, kind, total):
    def halfway():
        return 0 < len(pipeline.fake.requests(mark, kinds={kind})) < total
    pipeline.wait_until(halfway, 30, f"some of the {total} {kind}s are there")


def good_writes(pipeline, mark):
    """{kind: {assignment: how often it succeeded}} from the fake's own records."""
    count = collections.defaultdict(collections.Counter)
    for record in pipeline.fake.writes(mark):
        if 200 <= record["status"] < 300:
            count[record["kind"]][record["assignment"]] += 1
    return count


def test_kill_9_of_a_worker_during_the_bulk_change_loses_and_doubles_nothing(pipeline_of_two):
    pipeline = pipeline_of_two
    people = pipeline.connect_people(6)
    assignments = pipeline.create_assignments(pipeline.create_project(), people * 60)
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()
    events = {event["assignment"]: event["id"] for person in people
              for event in pipeline.calendar(person.email)}
    pipeline.fake.latency(400)
    mark = pipeline.fake.mark()

    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    wait_halfway(pipeline, mark, "update", len(assignments))
    pipeline.workers[0].kill9()

    pipeline.wait_calendars_equal_plan(90)
    pipeline.wait_committed(60)
    pipeline.assert_calendars_equal_plan()
    done = good_writes(pipeline, mark)
    assert set(done["update"]) == set(assignments), "every assignment was updated"
    assert not done["create"] and not done["delete"], "and none was made anew"
    assert events == {event["assignment"]: event["id"] for person in people
                      for event in pipeline.calendar(person.email)}


def test_kill_9_of_a_worker_while_it_creates_makes_no_event_twice(pipeline_of_two):
    pipeline = pipeline_of_two
    people = pipeline.connect_people(6)
    pipeline.fake.latency(400)
    mark = pipeline.fake.mark()

    assignments = pipeline.create_assignments(pipeline.create_project(), people * 40)
    wait_halfway(pipeline, mark, "create", len(assignments))
    pipeline.workers[0].kill9()

    pipeline.wait_calendars_equal_plan(90)
    pipeline.wait_committed(60)
    pipeline.assert_calendars_equal_plan()
    everything = [event for person in people
                  for event in pipeline.fake.events(person.email, folder=None)]
    assert len(everything) == len(assignments), "also none in Deleted Items"


def test_sigterm_drains_what_is_in_flight_and_exits_0(pipeline):
    ada, alan = pipeline.connect_people(2)
    assignments = pipeline.create_assignments(pipeline.create_project(), [ada, alan] * 10)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    pipeline.fake.latency(1000)
    mark = pipeline.fake.mark()

    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    pipeline.wait_until(lambda: pipeline.worker.metric("calrelay_worker_in_flight_users") > 0,
                        30, "a user is in flight")
    assert pipeline.worker.sigterm() == 0

    pipeline.fake.latency(0)
    pipeline.worker.start().wait_ready()
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    done = good_writes(pipeline, mark)["update"]
    assert set(done) == set(assignments) and set(done.values()) == {1}, "each exactly once"


@pytest.mark.slow
def test_sigterm_just_after_partitions_were_assigned_exits_0(pipeline):
    worker = pipeline.worker
    assert worker.sigterm() == 0
    for number in range(16):  # some of them while the look-up of positions is under way
        before = worker.log_text().count("partitions assigned")
        worker.start()
        while worker.log_text().count("partitions assigned") == before:
            time.sleep(0.0002)
        time.sleep(0.0005 * number)
        assert worker.sigterm(25) == 0, number


def test_every_program_exits_0_on_sigterm(pipeline):
    for program in (pipeline.worker, pipeline.connect, pipeline.producer, pipeline.fake):
        assert program.sigterm() == 0, program.log_tail()


def test_a_frozen_worker_that_comes_back_corrupts_nothing(pipeline_of_two):
    pipeline = pipeline_of_two
    people = pipeline.connect_people(6)
    assignments = pipeline.create_assignments(pipeline.create_project(), people * 10)
    pipeline.wait_calendars_equal_plan()
    pipeline.fake.latency(300)
    frozen = pipeline.workers[0]

    pipeline.bulk_update_assignment_status(assignments, "option")
    frozen.pause()
    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    pipeline.wait_calendars_equal_plan(90)
    frozen.cont()
    pipeline.wait_until(frozen.is_ready, 60, "the frozen worker is ready again")

    pipeline.redate_project(pipeline.value("SELECT id FROM projects"), "2026-04-01", "2026-04-02")
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed(60)


def test_a_worker_that_comes_back_repeats_no_call_whose_answer_was_lost(pipeline_of_two):
    """libcurl by itself writes a request again where a kept connection ends without an answer."""
    pipeline = pipeline_of_two
    ada, = pipeline.connect_people(1, partition=5)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    frozen, = (worker for worker in pipeline.workers
               if "5" in worker.partitions(pipeline.topic))
    pipeline.fake.latency(1500)
    pipeline.fake.fault("batch", "lose_answer", ada.email)

    pipeline.update_assignment_status(assignment, "option")
    pipeline.wait_until(lambda: pipeline.fake.stats()["calls"] == 1, 30, "it is under way")
    frozen.pause()
    pipeline.update_assignment_status(assignment, "confirmed")
    pipeline.wait_calendars_equal_plan(90)
    pipeline.fake.latency(0)
    pipeline.wait_until(lambda: pipeline.fake.stats()["calls"] == 0, 30, "no call is under way")
    mark = pipeline.fake.mark()
    frozen.cont()
    pipeline.wait_until(lambda: frozen.partitions(pipeline.topic), 60, "it has partitions again")

    assert pipeline.fake.writes(mark) == []
    pipeline.assert_calendars_equal_plan()


def test_a_sync_of_a_former_owner_is_not_finished(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    pipeline.age_requests()
    claim = pipeline.postgres.connect(pipeline.database)
    claim.autocommit = False
    claim.cursor().execute("UPDATE calrelay_partition_owner SET epoch = epoch + 1")

    request = ada.sync_now()
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE '%synced_snapshot%'") == 1, 30,
        "the sync's end waits for the claim")
    claim.commit()
    claim.close()

    assert ada.wait_request(request)["state"] == "done"
    pipeline.wait_until(lambda: pipeline.worker.metric(
        "calrelay_worker_fenced_writes_total") > 0, 30, "a write was fenced")


@pytest.mark.slow
def test_a_worker_that_joins_waits_for_no_call_that_takes_long(pipeline_of_two):
    pipeline = pipeline_of_two
    people = pipeline.connect_people(8)
    pipeline.fake.fault("batch", "delay", ms=20_000, times=1000)
    assignments = pipeline.create_assignments(pipeline.create_project(), people * 2)
    pipeline.wait_until(lambda: sum(worker.metric("calrelay_worker_in_flight_users")
                                    for worker in pipeline.workers) == len(people),
                        30, "everybody is in flight")
    assert pipeline.kafka.group_state(pipeline.group) == ("Stable", 2)

    started = time.monotonic()
    pipeline.new_worker().start()

    def seconds_to_stable():
        asked = time.monotonic()
        if pipeline.kafka.group_state(pipeline.group) == ("Stable", 3):
            return asked - started
        return None
    assert pipeline.wait_until(seconds_to_stable, 40, "three members are stable") < 14
    pipeline.fake.clear_faults()
    pipeline.wait_calendars_equal_plan(90)
    pipeline.wait_committed(60)
    everything = [event for person in people
                  for event in pipeline.fake.events(person.email, folder=None)]
    assert len(everything) == len(assignments), "nothing is doubled, also not in Deleted Items"


@contextlib.contextmanager
def committed_never_exceeds_done(pipeline):
    """Asks Kafka, then PostgreSQL, all the while; how often it compared."""
    compared, ended = [], threading.Event()

    def compare():
        connection = pipeline.postgres.connect(pipeline.database)
        while not ended.wait(0.05):
            committed = pipeline.kafka.committed(pipeline.group, pipeline.topic)
            with connection.cursor() as cursor:
                cursor.execute("SELECT partition, done_offset FROM calrelay_partition_progress "
                               "WHERE topic = %s", (pipeline.topic,))
                done = {row["partition"]: row["done_offset"] for row in cursor.fetchall()}
            compared.append([(number, offset, done.get(number))
                             for number, offset in committed.items()
                             if offset >= 0 and offset > done.get(number, -1)])
        connection.close()
    watcher = threading.Thread(target=compare)
    watcher.start()
    try:
        yield compared
    finally:
        ended.set()
        watcher.join()
    assert len(compared) > 10 and not any(compared), compared


@pytest.mark.slow
def test_what_is_done_above_a_held_record_is_not_done_again_after_kill_9(pipeline):
    held, *others = pipeline.connect_people(4, partition=5)
    project = pipeline.create_project()
    pipeline.fake.fault("any", "error", account=held.email, status=503, times=100_000)
    with committed_never_exceeds_done(pipeline):
        first = pipeline.create_assignment(project, held)
        pipeline.wait_published()
        offset = next(record.offset for record in pipeline.kafka.read(pipeline.topic)
                      if record.partition == 5 and first in str(record.key))
        assignments = pipeline.create_assignments(project, others * 500)
        held_ones = {first}
        pipeline.wait_until(lambda: sum(len(pipeline.calendar(person.email)) for person in others)
                            == len(assignments), 120, "the others' events are there")
        pipeline.wait_until(lambda: pipeline.value(
            "SELECT count(*) FROM synced_calendar_events WHERE applied_pos IS NOT NULL "
            "AND pending_pos IS NULL") == len(assignments), 30, "and stored")
        assert pipeline.kafka.committed(pipeline.group, pipeline.topic)[5] <= offset
        pipeline.worker.kill9()
        pipeline.fake.clear_faults()
        mark = pipeline.fake.mark()

        pipeline.worker.start()

        pipeline.wait_calendars_equal_plan(60)
        pipeline.wait_committed(60)
    assert {write["assignment"] for write in pipeline.fake.writes(mark)} == held_ones


@pytest.mark.slow
def test_a_backlog_above_the_ceiling_delays_nobody_else_and_is_done_in_the_end(pipeline):
    held = pipeline.connect_people(1, partition=5)[0]
    other = pipeline.connect_people(1, partition=6)[0]
    project = pipeline.create_project()
    pipeline.fake.fault("any", "error", account=held.email, status=503, times=100_000)
    pipeline.sql("INSERT INTO project_assignments (project_id, user_id, booking_status, notes) "
                 "SELECT %s, %s, 'tentative', repeat('n', 5000) FROM generate_series(1, 1500)",
                 project, str(held.user_id))
    pipeline.wait_published(60)
    end = sum(1 for record in pipeline.kafka.read(pipeline.topic) if record.partition == 5)
    assert end * 5000 * 2 > 6 << 20, "twice: as the change and as it came"

    assignment = pipeline.create_assignment(project, other)

    pipeline.wait_until(lambda: pipeline.event_of(other, assignment), 30, "the other's event")
    assert pipeline.kafka.committed(pipeline.group, pipeline.topic)[5] <= 0
    pipeline.wait_until(lambda: pipeline.worker.metric(
        "calrelay_worker_partition_lag_records", topic=pipeline.topic, partition="5") == end,
        30, "the lag counts what is not read yet")
    pipeline.fake.clear_faults()
    pipeline.wait_calendars_equal_plan(180)
    pipeline.wait_committed(60)
