"""What My Schedule and its JSON say of a connection, to whom, and under which headers."""
import html

import requests


def page(person):
    answer = person.browser.get(person.system.connect.url + "/my-schedule", timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text


def told(person):
    """What the page and the JSON say of the same state."""
    return html.unescape(page(person)), person.connection()


def test_the_page_and_the_json_say_each_state_in_the_same_words(desk):
    ada, = desk.add_people(1)
    ada.connect()
    states = [
        ("SELECT 1", "Syncing"),
        ("UPDATE calendar_sync_requests SET state = 'running', total = 40, done = 12",
         "Syncing 12 of 40"),
        ("UPDATE calendar_sync_requests SET state = 'done', finished_at = now()", "Connected"),
        ("UPDATE calendar_connections SET status = 'needs_reconnect',"
         " status_reason = 'consent_revoked'", "Needs you to reconnect"),
        ("UPDATE calendar_connections SET status = 'disconnecting', status_reason = NULL",
         "Disconnecting"),
        ("DELETE FROM calendar_connections", "Not connected")]
    for statement, words in states:
        desk.sql(statement)
        text, said = told(ada)
        assert f"</svg> {words}</p>" in text and f"<title>{words} " in text
        assert f'data-status="{said["status"]}"' in text and said["badge"] == words


def test_what_failed_is_told_with_its_reason_and_a_way_on_and_as_text_only(desk):
    ada, = desk.add_people(1)
    ada.connect()
    hostile = "<img src=x onerror=alert(1)>\"'&"
    rows = [("synced", None, 4), ("failed", "Microsoft answered 400 ErrorX to create", 3),
            ("failed", hostile, 2), ("deleted", "the project ends before it starts", 2),
            ("deleted", "the assignment was removed", 9), ("hidden", None, 1),
            *(("failed", f"reason {number}", 1) for number in range(5))]
    for state, reason, count in rows:
        desk.sql("INSERT INTO synced_calendar_events (assignment_id, connection_id, state,"
                 " last_error, external_event_id) SELECT gen_random_uuid(), id, %s, %s,"
                 " CASE %s WHEN 'synced' THEN 'x' END"
                 " FROM calendar_connections, generate_series(1, %s)", state, reason, state, count)

    text, said = told(ada)

    assert said["counts"] == {"in_calendar": 4, "waiting": 0, "failed": 10, "left_out": 2,
                              "hidden": 1}
    assert [(reason["count"], reason["reason"]) for reason in said["failures"][:2]] == [
        (3, "Microsoft answered 400 ErrorX to create"), (2, hostile)]
    assert len(said["failures"]) == 5 and len(said["left_out"]) == 1
    for reason in said["failures"] + said["left_out"]:
        assert reason["text"] in text and reason["way_on"] in text
    assert "<strong>2</strong> × other reasons" in text
    assert "<img" not in page(ada)


def test_only_whom_the_operator_names_may_frame_the_page(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    url = f"{desk.connect.url}/my-schedule"
    alone = ada.browser.get(url)
    assert "frame-ancestors 'none'" in alone.headers["Content-Security-Policy"]
    assert alone.headers["X-Frame-Options"] == "DENY" and "_blank" not in alone.text

    desk.connect.stop()
    desk.connect.with_settings(CALRELAY_FRAME_ANCESTORS="https://plan.example http://localhost:3")
    desk.connect.start().wait_ready()
    url = f"{desk.connect.url}/my-schedule"
    ada.sign_in()
    for answer in (ada.browser.get(url, headers={"Sec-Fetch-Dest": "iframe"}),
                   requests.get(url, timeout=20)):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.endswith("frame-ancestors https://plan.example http://localhost:3")
        assert "X-Frame-Options" not in answer.headers
    assert 'target="_blank"' in ada.browser.get(url, headers={"Sec-Fetch-Dest": "iframe"}).text


def test_every_answer_carries_the_headers_that_protect_it(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    url = desk.connect.url
    answers = [ada.browser.get(url + "/my-schedule"), requests.get(url + "/my-schedule"),
               ada.api("GET", "/api/calendar/connection"), ada.api("POST", "/api/calendar/sync"),
               requests.get(url + "/", allow_redirects=False),
               ada.browser.post(url + "/api/calendar/disconnect"),
               ada.api("GET", "/api/calendar/requests/1")]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff", answer.url
        assert answer.headers["Cache-Control"] == "no-store", answer.url
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), answer.url
        assert "camera=()" in answer.headers["Permissions-Policy"], answer.url
    for answer in (requests.get(url + "/nothing"), requests.delete(url + "/my-schedule"),
                   ada.browser.post(url + "/session", "x" * 70000)):
        assert answer.status_code in (404, 405, 413)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
