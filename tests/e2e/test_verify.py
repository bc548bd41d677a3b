"""`calrelay-worker verify` says how calendars differ from the plan, and changes nothing."""
import subprocess


def verify(system, *arguments):
    """(exit status, findings as lists of columns, the last line)."""
    done = subprocess.run([*system.worker.argv, "verify", *arguments], env=system.worker.env,
                          capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    return done.returncode, [line.split("\t") for line in lines[:-1]], lines[-1] if lines else ""


def everything(pipeline, people):
    rows = pipeline.sql("SELECT *, xmin::text AS written FROM synced_calendar_events ORDER BY id")
    return ([pipeline.fake.events(person.email, folder=None) for person in people], rows,
            pipeline.sql("SELECT * FROM calendar_sync_requests ORDER BY id"))


def test_calendars_that_are_as_planned_are_said_to_be(pipeline):
    people = pipeline.connect_people(3)
    pipeline.create_assignments(pipeline.create_project(), people * 4)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()

    before = everything(pipeline, people)
    status, findings, last = verify(pipeline)
    assert (status, findings) == (0, [])
    assert last == "calendars: 3 as planned, 0 not (0 events), 0 not compared"
    assert everything(pipeline, people) == before


def test_what_differs_is_printed_by_person_and_assignment_and_nothing_is_changed(pipeline):
    ada, alan, edsger = people = pipeline.connect_people(3)
    gone, edited, orphaned, fine = pipeline.create_assignments(pipeline.create_project(),
                                                               [ada, ada, alan, edsger])
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert pipeline.worker.sigterm() == 0
    pipeline.fake.delete_event(ada.email, pipeline.event_of(ada, gone)["id"])
    pipeline.fake.edit_event(ada.email, pipeline.event_of(ada, edited)["id"], subject="Lunch")
    pipeline.remove_assignment(orphaned)
    pipeline.fake.create_event(alan.email, "Dentist")

    before, mark = everything(pipeline, people), pipeline.fake.mark()
    status, findings, last = verify(pipeline)
    assert status == 1
    assert sorted(findings) == sorted([[str(ada.user_id), gone, "missing"],
                                       [str(ada.user_id), edited, "differs"],
                                       [str(alan.user_id), orphaned, "unwanted"]])
    assert last == "calendars: 1 as planned, 2 not (3 events), 0 not compared"
    assert everything(pipeline, people) == before
    assert pipeline.fake.writes(mark) == []

    status, findings, last = verify(pipeline, "--user", str(edsger.user_id))
    assert (status, findings) == (0, [])
    assert last == "calendars: 1 as planned, 0 not (0 events), 0 not compared"
    assert fine


def test_a_calendar_that_cannot_be_listed_is_not_said_to_be_as_planned(pipeline):
    ada, alan = pipeline.connect_people(2)
    pipeline.create_assignments(pipeline.create_project(), [ada, alan])
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()

    pipeline.fake.fault("list", "error", account=ada.email, status=500, times=1000)
    status, findings, last = verify(pipeline)
    assert status == 1
    assert [finding[:3] for finding in findings] == [[str(ada.user_id), "-", "not compared"]]
    assert last == "calendars: 1 as planned, 0 not (0 events), 1 not compared"
    assert pipeline.value("SELECT count(*) FROM calendar_connections"
                          " WHERE not_before IS NOT NULL") == 0


def test_an_unknown_user_and_wrong_arguments_are_refused(pipeline):
    assert verify(pipeline, "--user", "7a1c2d6e-0000-4000-8000-000000000000")[0] == 1
    assert verify(pipeline, "--user", "nobody")[0] == 64
    assert verify(pipeline, "--everything")[0] == 64
