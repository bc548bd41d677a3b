"""Disconnecting ends, whatever happens meanwhile, leaves no token, and says what had to remain."""
import re

from parts.secrets import opened_tokens


def connected(pipeline, events):
    """Somebody with so many events in the calendar, everything done."""
    ada, = pipeline.connect_people(1)
    assignments = pipeline.create_assignments(pipeline.create_project(), [ada] * events)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    return ada, assignments


def disconnect(person, events="remove"):
    """Its request's id."""
    answer = person.api("POST", "/api/calendar/disconnect", data={"events": events})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def counts(request):
    return tuple(request[name] for name in ("state", "total", "done", "failed"))


def tables_text(pipeline):
    """Every row of every table of the database."""
    tables = pipeline.sql("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    return "\n".join(row["text"] for table in tables for row in pipeline.sql(
        f"SELECT t::text AS text FROM public.{table['name']} t"))


def assert_no_token(pipeline, tokens):
    text = tables_text(pipeline)
    assert pipeline.value("SELECT count(*) FROM calendar_connections") == 0
    assert tokens and not [token for token in tokens if token in text]
    assert "v1:k" not in text, "nothing sealed either"


def wait_removed(pipeline, mark, count):
    pipeline.wait_until(lambda: len(pipeline.fake.requests(mark, kinds={"delete"})) >= count, 30)


def test_a_worker_killed_in_the_middle_of_a_removal_goes_on_with_it(pipeline):
    ada, _ = connected(pipeline, 45)
    tokens = opened_tokens(pipeline)
    pipeline.fake.latency(500)
    mark = pipeline.fake.mark()
    request = disconnect(ada)
    wait_removed(pipeline, mark, 8)
    under_way = ada.api("GET", f"/api/calendar/requests/{request}").json()

    pipeline.worker.kill9()
    pipeline.fake.latency(0)
    assert 0 < len(pipeline.calendar(ada.email)) < 45
    assert ada.connection()["status"] == "disconnecting"
    pipeline.worker.start()

    ended = ada.wait_request(request)
    assert under_way["state"] in ("requested", "running")
    assert (ended["state"], ended["failed"], ended["error"]) == ("done", 0, None)
    assert ended["done"] == ended["total"] > 0, "those that were left to be removed"
    assert pipeline.calendar(ada.email) == []
    assert ada.connection()["status"] == "not_connected"
    assert_no_token(pipeline, tokens)


def test_connecting_again_in_the_middle_of_a_removal_brings_everything_back(pipeline):
    ada, _ = connected(pipeline, 45)
    row = pipeline.value("SELECT id FROM calendar_connections")
    pipeline.fake.latency(500)
    mark = pipeline.fake.mark()
    request = disconnect(ada)
    wait_removed(pipeline, mark, 8)

    ada.connect()

    pipeline.fake.latency(0)
    pipeline.wait_calendars_equal_plan(60)
    assert "connected again" in ada.wait_request(request)["error"]
    assert pipeline.value("SELECT id FROM calendar_connections") == row
    wait_connected_again(pipeline, ada)
    pipeline.assert_calendars_equal_plan()


def wait_connected_again(pipeline, person):
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT state = 'done' FROM calendar_sync_requests WHERE user_id = %s AND kind = 'full' "
        "ORDER BY created_at DESC LIMIT 1", person.user_id), 30)


def test_with_a_dead_token_disconnecting_says_what_remains_and_doing_so_removes_it(pipeline):
    ada, _ = connected(pipeline, 3)
    tokens = opened_tokens(pipeline)
    pipeline.fake.revoke(ada.email)

    ended = ada.wait_request(disconnect(ada))

    assert counts(ended) == ("done", 3, 0, 3)
    assert ended["error"] == (
        "3 events could not be removed: Microsoft no longer accepts our access. Delete what "
        "remains in Outlook, or connect the same calendar again and disconnect once more.")
    page = ada.browser.get(f"{pipeline.connect.url}/my-schedule", timeout=20).text
    assert "could not be removed" in page and "Connect Outlook Calendar" in page
    assert len(pipeline.calendar(ada.email)) == 3
    assert_no_token(pipeline, tokens)

    ada.connect()
    wait_connected_again(pipeline, ada)
    assert len(pipeline.fake.events(ada.email, folder=None)) == 3, "the same three"
    assert counts(ada.wait_request(disconnect(ada))) == ("done", 3, 3, 0)
    assert pipeline.calendar(ada.email) == []


def test_53_tokens_whose_key_is_gone_ask_for_a_reconnect_and_stop_nobody(pipeline):
    """Bad input 53: a key id in a row that no key has; a disconnect ends then, too."""
    ada, (assignment,) = connected(pipeline, 1)
    alan, = pipeline.connect_people(1)
    pipeline.sql("UPDATE calendar_connections SET access_token = replace(access_token, ':k1:', "
                 "':lost:'), refresh_token = replace(refresh_token, ':k1:', ':lost:') "
                 "WHERE user_id = %s", ada.user_id)

    pipeline.update_assignment_status(assignment, "confirmed")
    other = pipeline.create_assignment(pipeline.create_project(), alan)

    pipeline.wait_until(lambda: ada.connection()["status"] == "needs_reconnect")
    pipeline.wait_until(lambda: pipeline.event_of(alan, other), 30)
    pipeline.wait_committed()
    assert not re.search(r"v1:lost:\w", pipeline.worker.log_text())
    ended = ada.wait_request(disconnect(ada))
    assert counts(ended) == ("done", 1, 0, 1)
    assert ended["error"].startswith("1 event could not be removed: our stored access can no")
    ada.connect()
    pipeline.wait_calendars_equal_plan()


def test_a_mailbox_that_lets_nobody_in_holds_a_disconnect_for_a_day_at_most(pipeline):
    ada, _ = connected(pipeline, 2)
    tokens = opened_tokens(pipeline)
    pipeline.fake.control("PUT", f"accounts/{ada.email}", {"mailbox": False})
    request = disconnect(ada)
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT status_reason = 'mailbox' FROM calendar_connections"))
    assert ada.api("GET", f"/api/calendar/requests/{request}").json()["state"] == "requested"

    pipeline.sql("UPDATE calendar_sync_requests SET due_at = now(), created_at = created_at - "
                 "interval '25 hours' WHERE id = %s", request)

    ended = ada.wait_request(request)
    assert counts(ended) == ("done", 2, 0, 2)
    assert "has not let us into the mailbox for a day" in ended["error"]
    assert_no_token(pipeline, tokens)


def row_alone(pipeline, person, **columns):
    """A disconnect filed as any host may: by a row, past connect."""
    names = "".join(f", {name}" for name in columns)
    values = "".join(", %s" for _ in columns)
    return pipeline.value(f"INSERT INTO calendar_sync_requests (user_id, kind{names}) VALUES "
                          f"(%s, 'disconnect'{values}) RETURNING id", person.user_id,
                          *columns.values())


def test_a_disconnect_that_is_filed_as_a_row_alone_disconnects(pipeline):
    ada, _ = connected(pipeline, 3)
    alan, _ = connected(pipeline, 2)
    tokens = opened_tokens(pipeline)
    pipeline.sql("UPDATE calendar_connections SET status = 'needs_reconnect' WHERE user_id = %s",
                 alan.user_id)

    kept = ada.wait_request(row_alone(pipeline, ada))
    removed = alan.wait_request(row_alone(pipeline, alan, remove_events=True))

    assert (counts(kept), kept["error"]) == (("done", 3, 3, 0), None)
    assert (counts(removed), removed["error"]) == (("done", 2, 2, 0), None)
    assert len(pipeline.calendar(ada.email)) == 3 and pipeline.calendar(alan.email) == []
    assert {ada.connection()["status"], alan.connection()["status"]} == {"not_connected"}
    assert_no_token(pipeline, tokens)
    nothing = ada.wait_request(row_alone(pipeline, ada))
    assert (nothing["state"], nothing["error"]) == ("done", "No calendar is connected.")
