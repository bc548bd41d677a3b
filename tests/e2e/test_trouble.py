"""One mailbox's trouble stays with its person, and a bad record with itself."""
import pytest


def test_a_throttled_mailbox_waits_as_asked_and_delays_nobody_else(pipeline):
    ada, alan = pipeline.connect_people(2)
    assignments = pipeline.create_assignments(pipeline.create_project(), [ada, alan])
    pipeline.wait_calendars_equal_plan()
    mark = pipeline.fake.mark()

    pipeline.fake.fault("update", "throttle", account=ada.email, retry_after=8)
    pipeline.bulk_update_assignment_status(assignments, "confirmed")

    pipeline.wait_calendars_equal_plan()
    refused, repeated = pipeline.fake.writes(mark, ada.email)
    assert (refused["status"], repeated["status"]) == (429, 200)
    assert repeated["at_ms"] - refused["at_ms"] >= 8000
    other, = pipeline.fake.writes(mark, alan.email)
    assert other["at_ms"] < repeated["at_ms"]
    pipeline.wait_committed()
    assert pipeline.dlq_records() == []


def test_removals_that_came_while_a_mailbox_had_to_wait_are_not_taken_for_a_mass_deletion(pipeline):
    ada, = pipeline.connect_people(1)
    kept, *removed = pipeline.create_assignments(pipeline.create_project(), [ada] * 16)
    pipeline.wait_calendars_equal_plan()
    pipeline.fake.fault("update", "throttle", account=ada.email, retry_after=12)
    pipeline.update_assignment_status(kept, "confirmed")
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT not_before IS NOT NULL FROM calendar_connections"), 10, "she waits")

    for assignment in removed:
        pipeline.remove_assignment(assignment)

    pipeline.wait_calendars_equal_plan(40)


def test_a_revoked_person_has_to_reconnect_which_repairs_everything(pipeline):
    ada, alan = pipeline.connect_people(2)
    project = pipeline.create_project()
    first, other = pipeline.create_assignments(project, [ada, alan])
    pipeline.wait_calendars_equal_plan()

    pipeline.fake.revoke(ada.email)
    pipeline.bulk_update_assignment_status([first, other], "confirmed")
    added = pipeline.create_assignment(project, ada)

    pipeline.wait_until(lambda: ada.connection()["status"] == "needs_reconnect", 30)
    pipeline.wait_until(lambda: pipeline.event_of(alan, other)["showAs"] == "busy", 30)
    pipeline.wait_committed()
    assert pipeline.event_of(ada, first)["showAs"] == "tentative"

    ada.connect()
    pipeline.wait_calendars_equal_plan(30)
    assert ada.connection()["status"] == "active"
    assert pipeline.event_of(ada, added) is not None
    assert pipeline.fake.requests(0, ada.email, {"create"})[-1]["assignment"] == added


def test_a_record_nobody_can_read_goes_to_the_dead_letters_and_the_next_is_processed(pipeline):
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    good = pipeline.kafka.read(pipeline.topic)[0]

    offset = pipeline.kafka.produce(pipeline.topic, good.partition, good.key, b"\xff not JSON {",
                                    [("calrelay.pos", good.headers["calrelay.pos"])])
    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    letter, = pipeline.dlq_records()
    assert (letter.key, letter.value) == (good.key, b"\xff not JSON {")
    assert letter.headers["__connect.errors.topic"].decode() == pipeline.topic
    assert letter.headers["__connect.errors.partition"] == str(good.partition).encode()
    assert letter.headers["__connect.errors.offset"] == str(offset).encode()
    assert letter.headers["__connect.errors.exception.message"]
    assert "not JSON" not in pipeline.worker.log_text(), "bodies never reach a log"
    assert f'offset":{offset}' in pipeline.worker.log_text().replace(" ", "")


def test_a_persons_hand_edit_is_corrected_by_sync_now(pipeline):
    ada, = pipeline.connect_people(1)
    first, second = pipeline.create_assignments(pipeline.create_project(), [ada] * 2)
    pipeline.wait_calendars_equal_plan()
    pipeline.fake.delete_event(ada.email, pipeline.event_of(ada, first)["id"])
    pipeline.fake.edit_event(ada.email, pipeline.event_of(ada, second)["id"], subject="Mine")
    pipeline.age_requests()

    ended = ada.wait_request(ada.sync_now())

    assert (ended["state"], ended["total"], ended["done"], ended["failed"]) == ("done", 2, 2, 0)
    pipeline.assert_calendars_equal_plan()


def test_an_error_while_listing_a_mailbox_deletes_nothing(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.create_assignments(pipeline.create_project(), [ada] * 5)
    pipeline.wait_calendars_equal_plan()
    pipeline.age_requests()
    mark = pipeline.fake.mark()

    pipeline.fake.fault("list", "error", account=ada.email, times=2, status=503)
    ada.wait_request(ada.sync_now(), 120)

    pipeline.assert_calendars_equal_plan()
    assert pipeline.fake.requests(mark, ada.email, {"delete"}) == []


@pytest.mark.slow
def test_while_microsoft_serves_nobody_one_call_at_a_time_tries_it_and_nobody_is_parked(pipeline):
    people = pipeline.connect_people(8)
    assignments = pipeline.create_assignments(pipeline.create_project(), people * 3)
    pipeline.wait_calendars_equal_plan()
    mark = pipeline.fake.mark()

    pipeline.fake.fault("any", "error", status=503, times=1000)
    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    pipeline.wait_until(lambda: pipeline.worker.metric("calrelay_worker_breaker_open",
                                                       service="graph") == 1, 30, "the breaker")
    opened = pipeline.fake.mark()
    probes = pipeline.wait_until(lambda: pipeline.fake.requests(opened)[3:], 60, "some probes")
    times = [request["at_ms"] for request in pipeline.fake.requests(opened)]
    assert all(later - earlier >= 900 for earlier, later in zip(times, times[1:])), times
    assert probes and len(pipeline.fake.requests(mark)) < 20 + len(times)
    assert pipeline.value("SELECT count(*) FROM calendar_connections WHERE status <> 'active'"
                          " OR not_before IS NOT NULL") == 0

    pipeline.fake.clear_faults()
    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed()
    assert pipeline.dlq_records() == []


@pytest.mark.slow
def test_a_mailbox_that_serves_nothing_for_a_minute_holds_no_partition(pipeline):
    people = pipeline.connect_people(3)
    ada, others = people[0], people[1:]
    assignments = pipeline.create_assignments(pipeline.create_project(), people)
    pipeline.wait_calendars_equal_plan()
    pipeline.fake.fault("any", "error", account=ada.email, status=500, times=100000)

    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    for other, assignment in zip(others, assignments[1:]):
        pipeline.wait_until(lambda who=other, what=assignment:
                            pipeline.event_of(who, what)["showAs"] == "busy", 10)
    pipeline.wait_committed(120)
    assert pipeline.value("SELECT count(*) FROM calendar_connections WHERE not_before IS NOT NULL"
                          " AND status = 'active'") == 1

    pipeline.fake.clear_faults()
    pipeline.wait_calendars_equal_plan(60)
    assert pipeline.dlq_records() == []


def test_a_token_that_nobody_used_for_a_month_is_used_before_it_ages_out(pipeline):
    people = ada, alan, edsger = pipeline.connect_people(3)
    pipeline.wait_committed()
    pipeline.fake.revoke(edsger.email)
    mark = pipeline.fake.mark()
    for person, days in zip(people, (31, 29, 31)):
        pipeline.sql("UPDATE calendar_connections SET refreshed_at = now() - %s * interval '1 day'"
                     " WHERE user_id = %s", days, person.user_id)

    def used_days_ago(person):
        return pipeline.value("SELECT extract(day FROM now() - refreshed_at)::int "
                              "FROM calendar_connections WHERE user_id = %s", person.user_id)
    pipeline.wait_until(lambda: used_days_ago(ada) == 0, 30, "a new token")
    pipeline.wait_until(lambda: edsger.connection()["status"] == "needs_reconnect", 30,
                        "a refused one has to be reconnected")
    assert used_days_ago(alan) == 29
    assert {person.email: [request["status"] for request in pipeline.fake.requests(
        mark, person.email, {"token"})] for person in people} == {
            ada.email: [200], alan.email: [], edsger.email: [400]}
    assert ada.connection()["status"] == "active"
