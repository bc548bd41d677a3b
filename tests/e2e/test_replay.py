"""Resetting the group's offsets with Kafka's own tool rebuilds every calendar from the topic."""


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
    pipeline.fake.latency(300)
    mark = pipeline.fake.mark()

    pipeline.worker.start()
    pipeline.wait_until(lambda: pipeline.fake.writes(mark), 60, "the replay writes")
    pipeline.worker.kill9()
    pipeline.fake.latency(0)
    pipeline.worker.start()

    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed(60)
    pipeline.assert_calendars_equal_plan()
