"""The host app's four actions, and what else moves an assignment, seen in real calendars."""
from parts.truth import Entry, shown


def test_createAssignment_puts_one_event_into_the_persons_calendar(pipeline):
    ada, alan = pipeline.connect_people(2)
    project = pipeline.create_project("Acme Corp", "2026-03-02", "2026-03-06")

    assignment = pipeline.create_assignment(project, ada, "confirmed", "Bring the plans")

    pipeline.wait_calendars_equal_plan()
    event = pipeline.event_of(ada, assignment)
    assert shown(event) == Entry("Acme Corp", "2026-03-02", "2026-03-07", "busy",
                                 ("Green category",))
    assert "confirmed" in event["body"]["content"] and "Bring the plans" in event["body"]["content"]
    assert pipeline.calendar(alan.email) == []


def test_updateAssignmentStatus_changes_the_event_that_is_there(pipeline):
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada, "tentative")
    pipeline.wait_calendars_equal_plan()
    before = pipeline.event_of(ada, assignment)
    assert before["showAs"] == "tentative"

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_calendars_equal_plan()
    after = pipeline.event_of(ada, assignment)
    assert after["id"] == before["id"]
    assert (after["showAs"], after["categories"]) == ("busy", ["Green category"])


def test_removeAssignment_removes_the_event_and_nothing_else(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project()
    removed, kept = (pipeline.create_assignment(project, ada) for _ in range(2))
    pipeline.fake.create_event(ada.email, "Dentist")
    pipeline.wait_calendars_equal_plan()

    pipeline.remove_assignment(removed)

    pipeline.wait_calendars_equal_plan()
    assert pipeline.event_of(ada, removed) is None
    assert pipeline.event_of(ada, kept) is not None
    assert "Dentist" in [event["subject"] for event in pipeline.calendar(ada.email)]


def test_bulkUpdateAssignmentStatus_changes_everybodys_events(pipeline):
    people = pipeline.connect_people(4)
    project = pipeline.create_project()
    assignments = pipeline.create_assignments(project, people * 5)
    pipeline.wait_calendars_equal_plan()

    pipeline.bulk_update_assignment_status(assignments, "confirmed")

    pipeline.wait_calendars_equal_plan()
    for person in people:
        events = pipeline.calendar(person.email)
        assert [event["showAs"] for event in events] == ["busy"] * 5


def test_a_cancelled_assignment_has_no_event_and_a_revived_one_has_it_again(pipeline):
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()

    pipeline.update_assignment_status(assignment, "cancelled")
    pipeline.wait_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment) is None

    pipeline.update_assignment_status(assignment, "confirmed")
    pipeline.wait_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment)["showAs"] == "busy"


def test_what_an_event_says_follows_its_assignment_and_its_project(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project("Acme Corp", notes="Loading bay at the back")
    other = pipeline.create_project("Another Client", "2026-05-04", "2026-05-05")
    assignment = pipeline.create_assignment(project, ada, "confirmed", "Bring the plans")
    synced = "SELECT last_synced_at FROM calendar_connections"

    def says(subject, *texts):
        pipeline.wait_calendars_equal_plan()
        event = pipeline.event_of(ada, assignment)
        body = event["body"]["content"].strip().replace("\r\n", "\n")
        assert (event["subject"], body) == (subject, "\n\n".join(texts))
        return event["id"]

    def soon_says(*wanted):
        return pipeline.wait_until(lambda: says(*wanted), 30, f"the event says {wanted}")
    event = soon_says("Acme Corp", "confirmed", "Bring the plans", "Loading bay at the back")
    pipeline.wait_committed()
    before = pipeline.value(synced)

    pipeline.sql("UPDATE project_assignments SET notes = 'Bring boots' WHERE id = %s", assignment)
    assert soon_says("Acme Corp", "confirmed", "Bring boots", "Loading bay at the back") == event
    pipeline.wait_committed()
    assert pipeline.value(synced) > before, "the page's last synchronisation is this one"

    pipeline.sql("UPDATE projects SET client_name = 'Acme & Sons', notes = 'Gate 3' WHERE id = %s",
                 project)
    assert soon_says("Acme & Sons", "confirmed", "Bring boots", "Gate 3") == event
    pipeline.sql("UPDATE projects SET notes = NULL WHERE id = %s", project)
    assert soon_says("Acme & Sons", "confirmed", "Bring boots") == event

    pipeline.sql("UPDATE project_assignments SET project_id = %s, notes = NULL WHERE id = %s",
                 other, assignment)
    assert soon_says("Another Client", "confirmed") == event


def test_a_project_moved_to_other_dates_moves_the_events_of_all_its_people(pipeline):
    people = pipeline.connect_people(3)
    project = pipeline.create_project("Acme Corp", "2026-03-02", "2026-03-06")
    other = pipeline.create_project("Another Client", "2026-05-04", "2026-05-05")
    pipeline.create_assignments(project, people)
    pipeline.create_assignments(other, people)
    pipeline.wait_calendars_equal_plan()

    pipeline.redate_project(project, "2026-04-01", "2026-04-01")

    pipeline.wait_calendars_equal_plan()
    for person in people:
        dates = {(event["subject"], *shown(event)[1:3])
                 for event in pipeline.calendar(person.email)}
        assert dates == {("Acme Corp", "2026-04-01", "2026-04-02"),
                         ("Another Client", "2026-05-04", "2026-05-06")}


def test_a_project_without_dates_has_no_events_until_it_gets_some(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project(start=None, end=None)
    assignment = pipeline.create_assignment(project, ada)
    pipeline.wait_published()
    pipeline.wait_committed()
    assert pipeline.event_of(ada, assignment) is None

    pipeline.redate_project(project, "2026-03-02", "2026-03-03")
    pipeline.wait_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment) is not None

    pipeline.redate_project(project, "2026-03-03", "2026-03-02")
    pipeline.wait_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment) is None


def test_dates_that_outlook_cannot_show_have_no_event_for_the_same_reason_everywhere(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project()
    assignment = pipeline.create_assignment(project, ada)
    pipeline.wait_calendars_equal_plan()
    reason = "SELECT last_error FROM synced_calendar_events WHERE assignment_id = %s"

    for start, end, why in (("0044-03-15 BC", "2026-03-06", "outside"),
                            ("-infinity", "2026-03-06", "outside"),
                            ("2026-03-02", "12026-03-06", "outside"), (None, None, "no start")):
        pipeline.sql("UPDATE projects SET start_date = %s, end_date = %s WHERE id = %s", start, end,
                     project)
        pipeline.wait_published()
        pipeline.wait_committed()
        assert why in pipeline.value(reason, assignment)
        assert pipeline.event_of(ada, assignment) is None
        pipeline.age_requests()
        assert ada.wait_request(ada.sync_now())["state"] == "done"
        assert why in pipeline.value(reason, assignment), "a sync reads the tables, not the log"


def test_a_reassignment_takes_the_event_from_one_person_and_gives_it_to_the_other(pipeline):
    ada, alan = pipeline.connect_people(2)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada, "confirmed")
    pipeline.wait_calendars_equal_plan()

    pipeline.reassign(assignment, alan)

    pipeline.wait_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment) is None
    assert pipeline.event_of(alan, assignment)["showAs"] == "busy"


def test_a_deleted_project_takes_all_its_events_along(pipeline):
    people = pipeline.connect_people(2)
    project = pipeline.create_project()
    pipeline.create_assignments(project, people)
    pipeline.wait_calendars_equal_plan()

    pipeline.sql("DELETE FROM projects WHERE id = %s", project)

    pipeline.wait_calendars_equal_plan()
    assert all(pipeline.calendar(person.email) == [] for person in people)


def test_what_was_planned_before_somebody_connected_is_there_afterwards(pipeline):
    ada, = pipeline.add_people(1)
    project = pipeline.create_project()
    pipeline.create_assignments(project, [ada] * 25)
    pipeline.wait_published()

    ada.connect()

    pipeline.wait_calendars_equal_plan()
    assert len(pipeline.calendar(ada.email)) == 25


def test_what_stood_in_the_tables_before_the_first_start_is_snapshotted(system):
    system.fake.start().wait_ready()
    people = system.add_people(3)
    project = system.create_project()
    assignments = system.create_assignments(project, people * 4)
    system.fake.stop()

    system.start()
    published = {record.key for record in system.kafka.read(system.topic)}
    assert len(published) == len(assignments)
    for person in people:
        system.fake.add_account(person.email, "Somebody")
        person.connect()
    system.wait_calendars_equal_plan()
