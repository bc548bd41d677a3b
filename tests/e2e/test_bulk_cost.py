"""What a large change costs at Microsoft: full batches, not one call per assignment."""


def batches_since(pipeline, mark):
    return len(pipeline.fake.requests(mark, kinds={"batch"}))


def test_two_hundred_changes_of_one_person_fit_into_a_dozen_batches(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project()
    assignments = pipeline.create_assignments(project, [ada] * 200)
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()

    mark = pipeline.fake.mark()
    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()
    assert batches_since(pipeline, mark) <= 13
    assert len(pipeline.fake.writes(mark)) == 200

    mark = pipeline.fake.mark()
    pipeline.redate_project(project, "2026-04-01", "2026-04-02")
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()
    assert batches_since(pipeline, mark) <= 13
    assert pipeline.fake.stats()["max_in_flight_per_mailbox"] <= 4
