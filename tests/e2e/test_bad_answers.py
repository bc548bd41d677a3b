"""Answers that Microsoft, or something in between, never should have given; what a person sees then.

The numbers are those of docs/bad-inputs.md, which also says where what is not here has its test.
"""
import contextlib
import socket

import pytest

TEN_YEARS_S = 10 * 365 * 86400


def one_event(pipeline):
    """Somebody whose calendar shows one assignment, and everything done."""
    ada, = pipeline.connect_people(1)
    assignment = pipeline.create_assignment(pipeline.create_project(), ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    return ada, assignment


def connection_row(pipeline):
    return pipeline.sql("SELECT *, not_before - now() AS waits FROM calendar_connections")[0]


def wait_hits(pipeline, mark, kind, status, count=1):
    """Until a fault has been met."""
    pipeline.wait_until(lambda: len([
        record for record in pipeline.fake.requests(mark, kinds={kind})
        if record["status"] == status]) >= count, 60, f"{count} {kind} answered {status}")


def test_44_a_retry_after_of_ten_years_holds_no_offset_and_ends_within_an_hour(pipeline):
    ada, assignment = one_event(pipeline)
    pipeline.fake.fault("update", "throttle", ada.email, retry_after=TEN_YEARS_S)

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_until(lambda: connection_row(pipeline)["not_before"], 30, "she waits")
    pipeline.wait_committed()
    assert 3500 < connection_row(pipeline)["waits"].total_seconds() <= 3600
    assert connection_row(pipeline)["status"] == "active"


@pytest.mark.slow
def test_44_retry_after_in_every_odd_form_is_waited_for_and_loses_nothing(pipeline):
    ada, assignment = one_event(pipeline)
    for status, form in (("confirmed", "-3"), ("option", "2.128"), ("tentative", "1,1"),
                         ("confirmed", "soon"), ("option", None)):
        mark = pipeline.fake.mark()
        pipeline.fake.fault("update", "throttle", ada.email, retry_after=form)
        pipeline.update_assignment_status(assignment, status)
        pipeline.wait_calendars_equal_plan()
        refused, repeated = pipeline.fake.writes(mark)
        assert (refused["status"], repeated["status"]) == (429, 200), form
        waited_ms = repeated["at_ms"] - refused["at_ms"]
        assert waited_ms >= {"2.128": 2128, "1,1": 1000}.get(form, 0), form
    pipeline.wait_committed()
    assert pipeline.dlq_records() == []


def test_46_a_page_in_place_of_a_batchs_answer_is_no_answer(pipeline):
    ada, assignment = one_event(pipeline)
    mark = pipeline.fake.mark()
    pipeline.fake.fault("batch", "gateway", ada.email, times=2)

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert len(pipeline.fake.requests(mark, kinds={"batch"})) == 3
    assert len(pipeline.fake.writes(mark)) == 1


def test_46_a_page_in_the_middle_of_a_batchs_answer_leaves_every_outcome_open(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.fake.fault("create", "gateway", ada.email)

    assignments = pipeline.create_assignments(pipeline.create_project(), [ada] * 8)

    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert len(pipeline.fake.events(ada.email, folder=None)) == len(assignments)


def test_46_a_page_in_place_of_a_listing_deletes_nothing_and_makes_nothing(pipeline):
    ada, _ = one_event(pipeline)
    pipeline.age_requests()
    mark = pipeline.fake.mark()
    pipeline.fake.fault("list", "gateway", ada.email, times=2)

    assert ada.wait_request(ada.sync_now())["state"] == "done"

    pipeline.assert_calendars_equal_plan()
    assert len(pipeline.fake.requests(mark, kinds={"list"})) == 3
    assert pipeline.fake.writes(mark) == []


def test_46_a_page_in_place_of_a_token_is_asked_for_again_and_blames_nobody(pipeline):
    ada, assignment = one_event(pipeline)
    expire_tokens(pipeline)
    pipeline.fake.fault("token", "gateway", times=2)
    before = pipeline.fake.stats()["tokens_refreshed"]

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_calendars_equal_plan()
    assert pipeline.fake.stats()["tokens_refreshed"] == before + 1
    assert ada.connection()["status"] == "active"


def expire_tokens(pipeline):
    pipeline.sql("UPDATE calendar_connections SET token_expires_at = now() - interval '1 hour'")


def test_47_a_mailbox_without_a_licence_waits_with_the_reason_and_loses_no_event(pipeline):
    ada, assignment = one_event(pipeline)
    mark = pipeline.fake.mark()
    pipeline.fake.control("PUT", f"accounts/{ada.email}", {"mailbox": False})

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_until(lambda: ada.connection()["status_reason"] == "mailbox", 30)
    pipeline.wait_committed()
    assert ada.connection()["status"] == "active"
    assert "mailbox" in ada.browser.get(f"{pipeline.connect.url}/my-schedule", timeout=20).text
    assert not [record for record in pipeline.fake.requests(mark) if record["kind"] == "delete"]

    pipeline.fake.control("PUT", f"accounts/{ada.email}", {"mailbox": True})
    waiting_is_over(pipeline)
    pipeline.wait_calendars_equal_plan()
    assert len(pipeline.fake.events(ada.email, folder=None)) == 1, "the same event"


def waiting_is_over(pipeline):
    pipeline.sql("UPDATE calendar_connections SET not_before = now()")
    pipeline.sql("UPDATE calendar_sync_requests SET due_at = now() WHERE state = 'requested'")


def test_47_an_event_that_is_gone_comes_back_with_the_next_change(pipeline):
    ada, assignment = one_event(pipeline)
    gone = pipeline.event_of(ada, assignment)["id"]
    pipeline.fake.delete_event(ada.email, gone)

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_calendars_equal_plan()
    assert pipeline.event_of(ada, assignment)["id"] != gone


def test_48_a_fresh_token_that_is_refused_is_renewed_once_then_the_person_is_asked(pipeline):
    ada, assignment = one_event(pipeline)
    before = pipeline.fake.stats()["tokens_refreshed"]
    pipeline.fake.fault("batch", "error", ada.email, status=401,
                        code="InvalidAuthenticationToken", times=100)
    mark = pipeline.fake.mark()

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_until(lambda: ada.connection()["status"] == "needs_reconnect", 30)
    pipeline.wait_committed()
    assert pipeline.fake.stats()["tokens_refreshed"] == before + 1
    assert len(pipeline.fake.requests(mark, kinds={"batch"})) == 2

    pipeline.fake.clear_faults()
    ada.connect()
    pipeline.wait_calendars_equal_plan()


def test_48_a_token_that_is_refused_once_is_renewed_and_nobody_notices(pipeline):
    ada, assignment = one_event(pipeline)
    before = pipeline.fake.stats()["tokens_refreshed"]
    pipeline.fake.fault("batch", "error", ada.email, status=401,
                        code="InvalidAuthenticationToken")

    pipeline.update_assignment_status(assignment, "confirmed")

    pipeline.wait_calendars_equal_plan()
    assert pipeline.fake.stats()["tokens_refreshed"] == before + 1
    assert ada.connection()["status"] == "active"


def test_51_a_redirect_to_another_host_is_never_followed(pipeline):
    ada, assignment = one_event(pipeline)
    mark = pipeline.fake.mark()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as elsewhere:
        elsewhere.settimeout(0)
        pipeline.fake.fault("batch", "gateway", ada.email, status=301, times=3,
                            location=f"http://127.0.0.1:{elsewhere.getsockname()[1]}/")

        pipeline.update_assignment_status(assignment, "confirmed")

        wait_hits(pipeline, mark, "batch", 301, 3)
        pipeline.wait_calendars_equal_plan(60)
        pipeline.wait_committed()
        with contextlib.suppress(BlockingIOError):
            elsewhere.accept()
            raise AssertionError("somebody went there")
