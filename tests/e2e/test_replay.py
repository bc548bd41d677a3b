"""Resetting the group's offsets with Kafka's own tool rebuilds every calendar from the topic."""
from parts.murmur2 import partition


def prepared(pipeline):
    """Four people with all kinds of history, everything done."""
    people = pipeline.connect_people(4)
    project = pipeline.create_project("Acme Corp", "2026-03-02", "2026-03-06")
    other = pipeline.create_project("Another Client", "2026-05-04", "2026-05-05", "Hall 3")
    assignments = pipeline.create_assignments(project, people * 3)
    pipeline.create_assignments(other, people, "confirmed")
    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    pipeline.redate_project(project, "2026-04-01", "2026-04-03")
    pipeline.remove_assignment(assignments[0])
    pipeline.reassign(assignments[1], people[3])
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    return people, assignments


def replay(pipeline, *where):
    """Stops the workers, resets the offsets, starts them, and waits until the replay is over."""
    for worker in pipeline.workers:
        assert worker.sigterm() == 0
    pipeline.kafka.reset_offsets(pipeline.group, *where)
    assert pipeline.lag() > 0
    mark = pipeline.fake.mark()
    for worker in pipeline.workers:
        worker.start()
    pipeline.wait_committed(60)
    return mark


def test_replaying_the_topic_brings_back_what_was_deleted_or_altered_by_hand(pipeline):
    people, _ = prepared(pipeline)
    ada, alan, edsger, _ = people
    pipeline.fake.delete_event(ada.email, pipeline.calendar(ada.email)[0]["id"])
    pipeline.fake.edit_event(alan.email, pipeline.calendar(alan.email)[0]["id"],
                             subject="Changed by hand")
    pipeline.fake.create_event(edsger.email, "Dentist")
    assert len(pipeline.differences()) == 2

    mark = replay(pipeline)

    pipeline.wait_calendars_equal_plan()
    writes = pipeline.fake.writes(mark)
    assert sorted(write["kind"] for write in writes) == ["create", "update"], "only what drifted"
    assert "Dentist" in [event["subject"] for event in pipeline.calendar(edsger.email)]


def test_replaying_the_topic_where_nothing_drifted_writes_nothing_to_microsoft(pipeline):
    prepared(pipeline)

    mark = replay(pipeline)

    pipeline.assert_calendars_equal_plan()
    assert pipeline.fake.writes(mark) == []


def test_a_log_that_ends_in_an_aborted_transaction_is_committed_and_replayed_to_its_end(pipeline):
    people, _ = prepared(pipeline)
    pipeline.kafka.abort_transaction(pipeline.topic, range(12))
    pipeline.wait_committed()
    pipeline.fake.delete_event(people[0].email, pipeline.calendar(people[0].email)[0]["id"])

    replay(pipeline)

    pipeline.wait_calendars_equal_plan()


def test_two_workers_replay_together(pipeline_of_two):
    people, _ = prepared(pipeline_of_two)
    for person in people:
        for event in pipeline_of_two.calendar(person.email)[:2]:
            pipeline_of_two.fake.delete_event(person.email, event["id"])

    replay(pipeline_of_two)

    pipeline_of_two.wait_calendars_equal_plan()


def test_a_worker_killed_in_the_middle_of_a_replay_resumes_it(pipeline):
    people, _ = prepared(pipeline)
    for person in people:
        for event in pipeline.calendar(person.email):
            pipeline.fake.delete_event(person.email, event["id"])
    assert pipeline.worker.sigterm() == 0
    pipeline.kafka.reset_offsets(pipeline.group)
    pipeline.fake.latency(2000)  # of five events, one comes so much later than the first four
    mark = pipeline.fake.mark()

    pipeline.worker.start()
    pipeline.wait_until(lambda: pipeline.fake.writes(mark), 60, "the replay writes")
    told = pipeline.worker.metrics()  # at one moment: a partition that is done is no longer told

    def total(name):
        return sum(value for (metric, _), value in told.items() if metric == name)
    assert (0 < total("calrelay_worker_replay_users_left") <= total("calrelay_worker_replay_users")
            <= len(people))
    pipeline.worker.kill9()
    pipeline.fake.latency(0)
    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed(60)
    pipeline.assert_calendars_equal_plan()
    assert not [name for name, _ in pipeline.worker.metrics() if "replay_users" in name]


PROGRESS = ("SELECT topic, partition, done_offset FROM calrelay_partition_progress "
            "WHERE consumer_group = %s AND topic = %s ORDER BY partition")
FULL = "SELECT user_id::text FROM calendar_sync_requests WHERE kind = 'full' AND created_at > %s"


def change_while_nobody_reads(pipeline, people, assignments):
    """What two of the people would never learn if the records of it were skipped."""
    project = pipeline.create_project("Skipped", "2026-08-03", "2026-08-04")
    pipeline.create_assignments(project, people[:2])
    pipeline.remove_assignment(assignments[4])
    pipeline.update_assignment_status(assignments[5], "cancelled")
    pipeline.wait_published()


def skip_everything(pipeline, people, assignments):
    assert pipeline.worker.sigterm() == 0
    change_while_nobody_reads(pipeline, people, assignments)
    pipeline.kafka.reset_offsets(pipeline.group, "--to-latest")
    assert pipeline.lag() == 0
    assert pipeline.differences()


def test_offsets_reset_forward_are_made_up_for_from_the_tables(pipeline):
    people, assignments = prepared(pipeline)
    pipeline.add_people(1)  # without a calendar
    before = {row["partition"]: row["done_offset"]
              for row in pipeline.sql(PROGRESS, pipeline.group, pipeline.topic)}
    skip_everything(pipeline, people, assignments)
    started = pipeline.value("SELECT now()")

    pipeline.worker.start()

    def progress_with_requests():
        rows = pipeline.sql(PROGRESS, pipeline.group, pipeline.topic)  # first this, then those
        filed = {row["user_id"] for row in pipeline.sql(FULL, started)}
        moved = {row["partition"] for row in rows if row["done_offset"] > before[row["partition"]]}
        for person in people:
            if partition(str(person.user_id).encode(), 12) in moved:
                assert str(person.user_id) in filed, "the skip was believed before"
        return moved
    pipeline.wait_until(progress_with_requests, 30, "the skip is believed")
    pipeline.wait_calendars_equal_plan(60)
    skipped = {number for number, end in pipeline.kafka.committed(
        pipeline.group, pipeline.topic).items() if end > before[number]}
    concerned = sorted(str(person.user_id) for person in people
                       if partition(str(person.user_id).encode(), 12) in skipped)
    assert concerned == sorted(row["user_id"] for row in pipeline.sql(FULL, started))


def test_a_worker_killed_while_it_makes_up_for_a_forward_reset_forgets_nobody(pipeline):
    people, assignments = prepared(pipeline)
    before = pipeline.sql(PROGRESS, pipeline.group, pipeline.topic)
    skip_everything(pipeline, people, assignments)
    host = pipeline.postgres.connect(pipeline.database)
    with host.cursor() as cursor:  # nobody can file anything
        cursor.execute("BEGIN; LOCK TABLE calendar_sync_requests IN SHARE ROW EXCLUSIVE MODE")

    pipeline.worker.start()

    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
        "datname = current_database() AND query LIKE 'INSERT INTO public.calendar_sync_requests%'"
    ), 30, "the worker files full syncs")
    assert pipeline.sql(PROGRESS, pipeline.group, pipeline.topic) == before
    pipeline.worker.kill9()
    host.close()
    pipeline.worker.start()
    pipeline.wait_calendars_equal_plan(90)


def test_the_request_topics_offsets_reset_either_way_lose_no_request(pipeline):
    ada, alan, _, _ = prepared(pipeline)[0]
    for where, person in (("--to-latest", ada), ("--to-earliest", alan)):
        pipeline.fake.delete_event(person.email, pipeline.calendar(person.email)[0]["id"])
        assert pipeline.worker.sigterm() == 0
        pipeline.age_requests()
        request = person.sync_now()
        pipeline.wait_published()
        pipeline.kafka.reset_offsets(pipeline.group, where, topic=pipeline.requests_topic)

        pipeline.worker.start()

        assert person.wait_request(request)["state"] == "done"
        pipeline.assert_calendars_equal_plan()
    pipeline.wait_committed()


def newest(records):
    """What compaction would leave."""
    return list({record.key: record for record in records}.values())


def test_a_topic_made_anew_while_it_is_read_is_noticed(pipeline):
    people, _ = prepared(pipeline)
    records = pipeline.kafka.read(pipeline.topic)
    pipeline.fake.delete_event(people[0].email, pipeline.calendar(people[0].email)[0]["id"])
    assert pipeline.producer.sigterm() == 0

    pipeline.kafka.replace_topic(pipeline.topic, newest(records))

    pipeline.wait_calendars_equal_plan(90)
    pipeline.wait_committed(60)


def test_a_topic_made_anew_during_its_replay_does_not_make_it_wait_for_ever(pipeline):
    people, _ = prepared(pipeline)
    records = pipeline.kafka.read(pipeline.topic)
    for person in people:
        for event in pipeline.calendar(person.email):
            pipeline.fake.delete_event(person.email, event["id"])
    assert pipeline.producer.sigterm() == 0
    assert pipeline.worker.sigterm() == 0
    pipeline.kafka.replace_topic(pipeline.topic, records)
    for person in people:
        pipeline.fake.fault("list", "throttle", account=person.email, times=3, retry_after=3)
    pipeline.worker.start()
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM calrelay_partition_progress WHERE replay_to IS NOT NULL"), 60,
        "a replay is under way")
    pipeline.worker.kill9()

    pipeline.kafka.replace_topic(pipeline.topic, newest(records))
    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan(90)
    pipeline.wait_committed(60)
    assert pipeline.value("SELECT count(*) FROM calrelay_partition_progress "
                          "WHERE replay_to IS NOT NULL") == 0
