"""What a person does with connect: the page, the JSON API, sync now, disconnect; and its refusals."""
import base64
import re
import urllib.parse

import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def page(person):
    answer = person.browser.get(person.system.connect.url + "/my-schedule", timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text


def press(person, html, action, **fields):
    """Submits a form of the page as a browser does."""
    form = re.search(rf'<form[^>]*action="{action}"[^>]*>.*?</form>', html, re.S).group(0)
    assert 'method="post"' in form
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    url = person.system.connect.url
    return person.browser.post(url + action, {**hidden, **fields}, headers={"Origin": url},
                               allow_redirects=False, timeout=20)


def test_the_page_says_what_is_connected_and_offers_what_can_be_done(pipeline):
    ada, = pipeline.add_people(1)
    ada.sign_in()
    before = page(ada)
    assert "/api/auth/microsoft" in before and "/api/calendar/disconnect" not in before

    ada.connect()
    pipeline.wait_connected([ada])

    after = page(ada)
    assert ada.email in after
    assert 'action="/api/calendar/sync"' in after and 'action="/api/calendar/disconnect"' in after
    alert = ada.browser.get(pipeline.connect.url + "/my-schedule?error=access_denied").text
    assert 'role="alert"' in alert


def test_the_json_api_reports_the_connection_and_a_requests_progress(pipeline):
    ada, = pipeline.add_people(1)
    assert ada.connection()["status"] == "not_connected"
    pipeline.create_assignments(pipeline.create_project(), [ada] * 3)
    ada.connect()
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_connected([ada])

    said = ada.connection()
    assert (said["status"], said["email"]) == ("active", ada.email)
    assert said["last_synced_at"] and said["counts"]

    pipeline.age_requests()
    ended = ada.wait_request(ada.sync_now())
    assert (ended["state"], ended["total"], ended["done"], ended["failed"]) == ("done", 3, 3, 0)
    again = ada.api("POST", "/api/calendar/sync")
    assert again.status_code == 429 and 0 < int(again.headers["Retry-After"]) <= 60


def test_sync_now_on_the_page_files_a_request_and_returns_to_the_page(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.age_requests()

    answer = press(ada, page(ada), "/api/calendar/sync")

    assert answer.status_code == 303
    assert urllib.parse.urlparse(answer.headers["Location"]).path == "/my-schedule"
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM calendar_sync_requests WHERE kind = 'full' AND state = 'done'") == 2)


def test_disconnect_keeps_the_events_where_the_person_wants_them(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.create_assignments(pipeline.create_project(), [ada] * 3)
    pipeline.wait_calendars_equal_plan()
    pipeline.age_requests()

    answer = press(ada, page(ada), "/api/calendar/disconnect", events="keep")

    assert answer.status_code == 303
    pipeline.wait_until(lambda: ada.connection()["status"] == "not_connected")
    assert len(pipeline.calendar(ada.email)) == 3
    pipeline.wait_until(lambda: pipeline.value("SELECT count(*) FROM calendar_connections") == 0)


def test_disconnect_removes_our_events_and_no_others(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.create_assignments(pipeline.create_project(), [ada] * 25)
    pipeline.fake.create_event(ada.email, "Dentist")
    pipeline.wait_calendars_equal_plan()
    pipeline.age_requests()

    answer = ada.api("POST", "/api/calendar/disconnect", data={"events": "remove"})

    assert answer.status_code == 202, answer.text
    pipeline.wait_until(lambda: [event["subject"] for event in pipeline.calendar(ada.email)]
                        == ["Dentist"])
    pipeline.wait_until(lambda: ada.connection()["status"] == "not_connected")

    ada.connect()
    pipeline.wait_calendars_equal_plan()


def test_a_callback_works_once_and_only_for_the_browser_that_began_it(pipeline):
    ada, alan = pipeline.add_people(2)
    ada.sign_in()
    alan.sign_in()
    callback = ada.consent(ada.begin_consent())

    assert alan.browser.get(callback, allow_redirects=False).status_code in (400, 403)
    assert requests.get(callback, allow_redirects=False).status_code in (400, 401, 403)
    assert "connected=1" in ada.browser.get(callback, allow_redirects=False).headers["Location"]
    again = ada.browser.get(callback, allow_redirects=False)
    assert again.status_code == 400
    assert pipeline.value("SELECT count(*) FROM calendar_connections") == 1


def test_somebody_without_a_usable_jwt_gets_401(pipeline):
    ada, = pipeline.add_people(1)
    wrong = [ada.token(aud="other"), ada.token(exp=1), ada.token(role="service_role"),
             ada.token()[:-4] + "AAAA", ada.token(sub="nobody"), "x"]
    for token in wrong:
        answer = requests.get(pipeline.connect.url + "/api/calendar/connection",
                              headers={"Authorization": f"Bearer {token}"}, timeout=20)
        assert answer.status_code == 401, token
    assert requests.get(pipeline.connect.url + "/api/calendar/connection").status_code == 401


def test_another_sites_form_can_do_nothing(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.age_requests()
    url = pipeline.connect.url + "/api/calendar/disconnect"
    for headers in ({"Origin": "https://evil.example"}, {}):
        answer = ada.browser.post(url, {"events": "remove"}, headers=headers,
                                  allow_redirects=False)
        assert answer.status_code == 403
    assert ada.browser.get(url).status_code == 405
    assert ada.connection()["status"] == "active"


def opened_tokens(pipeline):
    """The tokens in the database, opened independently of our C."""
    name, key = (pipeline.folder / "token-keys").read_text().strip().split(":", 1)
    tokens = []
    for row in pipeline.sql("SELECT id, access_token, refresh_token FROM calendar_connections"):
        for column in ("access_token", "refresh_token"):
            version, key_id, sealed = row[column].split(":")
            assert (version, key_id) == ("v1", name)
            raw = base64.b64decode(sealed, validate=True)
            place = f"calendar_connections|{row['id']}|{column}".encode()
            tokens.append(AESGCM(base64.b64decode(key)).decrypt(raw[:12], raw[12:], place).decode())
    return tokens


def test_tokens_are_sealed_in_the_database_and_appear_in_no_log_and_no_topic(pipeline):
    people = pipeline.connect_people(2)
    pipeline.create_assignments(pipeline.create_project("Very Secret Client"), people)
    pipeline.wait_calendars_equal_plan()

    tokens = opened_tokens(pipeline)
    assert len(tokens) == 4 and len(set(tokens)) == 4
    topics = b"".join((record.key or b"") + (record.value or b"")
                      for topic in (pipeline.topic, pipeline.requests_topic)
                      for record in pipeline.kafka.read(topic)).decode()
    for program in (pipeline.producer, pipeline.worker, pipeline.connect):
        log = program.log_text()
        assert log and "Very Secret Client" not in log
        for secret in (*tokens, people[0].token()[-20:], "calrelay-secret", "eyJ"):
            assert secret not in log, f"{program.name} logged a secret"
    assert not any(token in topics for token in tokens)


def test_the_browser_role_reads_neither_tokens_nor_other_peoples_rows(pipeline):
    ada, _ = pipeline.connect_people(2)
    connection = pipeline.postgres.connect(pipeline.database)
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE authenticated")
        cursor.execute("SELECT set_config('request.jwt.claim.sub', %s, false)", (ada.user_id,))
        cursor.execute("SELECT user_id, status FROM calendar_connections")
        assert [row["user_id"] for row in cursor.fetchall()] == [ada.user_id]
        for refused in ("SELECT access_token FROM calendar_connections",
                        "SELECT refresh_token FROM calendar_connections",
                        "UPDATE calendar_connections SET status = 'active'",
                        "SELECT * FROM synced_calendar_events"):
            try:
                cursor.execute(refused)
            except Exception as problem:  # noqa: BLE001
                assert "permission denied" in str(problem)
            else:
                raise AssertionError(f"allowed: {refused}")
    connection.close()
