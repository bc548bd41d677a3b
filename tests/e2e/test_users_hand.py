"""What people do to events by hand: deleted, edited, and what is theirs alone."""
import subprocess


def delete_by_hand(pipeline, person, assignment):
    pipeline.fake.delete_event(person.email, pipeline.event_of(person, assignment)["id"])
    assert pipeline.event_of(person, assignment) is None


def other_assignment_shows(pipeline, person, assignment, status, show_as):
    """Something else of that person went through: what came before it was looked at."""
    pipeline.update_assignment_status(assignment, status)
    pipeline.wait_until(lambda: pipeline.event_of(person, assignment)["showAs"] == show_as, 30,
                        "the other change")
    pipeline.wait_committed()


def test_an_event_deleted_by_hand_comes_back_with_the_next_change(pipeline):
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()

    delete_by_hand(pipeline, ada, assignment)
    pipeline.update_assignment_status(assignment, "confirmed")
    pipeline.wait_calendars_equal_plan()


def test_an_event_deleted_by_hand_comes_back_with_a_sync(pipeline):
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.age_requests()

    delete_by_hand(pipeline, ada, assignment)
    assert ada.wait_request(ada.sync_now())["state"] == "done"
    pipeline.assert_calendars_equal_plan()


def test_an_event_deleted_by_hand_stays_away_where_that_is_respected(system):
    system.worker.with_settings(CALRELAY_DELETED_EVENTS="respect")
    system.start()
    ada, = system.connect_people(1)
    project = system.create_project()
    noticed_by_change, noticed_by_sync, other = system.create_assignments(project, [ada] * 3)
    system.wait_calendars_equal_plan()
    system.age_requests()
    mark = system.fake.mark()

    delete_by_hand(system, ada, noticed_by_change)
    system.update_assignment_status(noticed_by_change, "confirmed")
    other_assignment_shows(system, ada, other, "confirmed", "busy")
    delete_by_hand(system, ada, noticed_by_sync)
    assert ada.wait_request(ada.sync_now())["state"] == "done"
    system.update_assignment_status(noticed_by_sync, "confirmed")
    other_assignment_shows(system, ada, other, "option", "tentative")

    assert [event["assignment"] for event in system.calendar(ada.email)] == [other]
    assert system.fake.requests(mark, ada.email, {"create"}) == []
    states = {row["assignment_id"]: row["state"] for row in system.sql(
        "SELECT assignment_id::text, state FROM synced_calendar_events")}
    assert states == {noticed_by_change: "hidden", noticed_by_sync: "hidden", other: "synced"}

    system.remove_assignment(noticed_by_change)
    other_assignment_shows(system, ada, other, "confirmed", "busy")
    assert system.value("SELECT state FROM synced_calendar_events WHERE assignment_id = %s",
                        noticed_by_change) == "deleted"
    assert system.worker.sigterm() == 0
    system.worker.with_settings(CALRELAY_DELETED_EVENTS="restore").start().wait_ready()
    system.update_assignment_status(noticed_by_sync, "option")
    system.wait_calendars_equal_plan()


def test_an_event_in_deleted_items_that_still_answers_is_noticed_by_a_sync(pipeline):
    pipeline.fake.control("POST", "settings", {"deleted_items": "visible"})
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.age_requests()
    mark = pipeline.fake.mark()

    delete_by_hand(pipeline, ada, assignment)
    pipeline.update_assignment_status(assignment, "confirmed")
    pipeline.wait_published()
    pipeline.wait_committed()
    patched = pipeline.fake.writes(mark, ada.email)
    assert {write["kind"] for write in patched} == {"update"}
    assert [write["status"] for write in patched] == [412, 200], "in the end, Graph said yes"
    assert pipeline.event_of(ada, assignment) is None, "and nobody sees it"

    assert ada.wait_request(ada.sync_now())["state"] == "done"
    pipeline.assert_calendars_equal_plan()


def test_a_hand_edit_is_overwritten_with_the_next_change_and_private_events_are_never_touched(
        pipeline):
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.fake.create_event(ada.email, "Dentist")
    private, = [event for event in pipeline.fake.events(ada.email) if not event["assignment"]]
    pipeline.age_requests()

    event = pipeline.event_of(ada, assignment)["id"]
    pipeline.fake.edit_event(ada.email, event, subject="Lunch", showAs="free")
    pipeline.update_assignment_status(assignment, "confirmed")
    pipeline.wait_calendars_equal_plan()
    assert ada.wait_request(ada.sync_now())["state"] == "done"
    pipeline.remove_assignment(assignment)
    pipeline.wait_calendars_equal_plan()
    assert pipeline.fake.events(ada.email) == [private]


def test_many_orphans_that_only_the_tables_know_of_stay_until_somebody_gives_the_word(pipeline):
    ada, = pipeline.connect_people(1)
    kept, *removed = pipeline.create_assignments(pipeline.create_project(), [ada] * 16)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    pipeline.age_requests()
    assert pipeline.producer.sigterm() == 0  # the log tells nothing of what follows
    for assignment in removed:
        pipeline.remove_assignment(assignment)

    def sync_now():
        request = pipeline.value("INSERT INTO calendar_sync_requests (user_id, kind) VALUES "
                                 "(%s, 'full') RETURNING id", ada.user_id)
        return ada.wait_request(request)
    answer = sync_now()
    assert answer["state"] == "failed" and "word" in answer["error"]
    assert len(pipeline.calendar(ada.email)) == 16

    done = subprocess.run([*pipeline.worker.argv, "remove-orphans", "--user", str(ada.user_id)],
                          env=pipeline.worker.env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    pipeline.wait_calendars_equal_plan()
    assert [event["assignment"] for event in pipeline.calendar(ada.email)] == [kept]
