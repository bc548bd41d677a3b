"""What a large change costs at Microsoft: full batches, not one call per assignment."""


def batches_since(pipeline, mark):
    return len(pipeline.fake.requests(mark, kinds={"batch"}))


def test_two_hundred_changes_of_one_person_cost_ten_calls(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project()
    assignments = pipeline.create_assignments(project, [ada] * 200)
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()

    mark = pipeline.fake.mark()
    pipeline.worker.pause()  # so that they have all come, however busy this machine is
    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    pipeline.wait_published()
    pipeline.worker.cont()
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()
    assert batches_since(pipeline, mark) == 10
    assert len(pipeline.fake.writes(mark)) == 200

    mark = pipeline.fake.mark()
    pipeline.redate_project(project, "2026-04-01", "2026-04-02")
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()
    assert 10 <= batches_since(pipeline, mark) <= 12, "the first ones go out as they come"
    assert pipeline.fake.stats()["max_in_flight_per_mailbox"] <= 4
