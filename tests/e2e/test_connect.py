"""What a person does with connect: the page, the JSON API, sync now, disconnect; and its refusals."""
import concurrent.futures
import re
import signal
import subprocess
import time
import urllib.parse
import uuid

import requests

from parts.secrets import opened_tokens
from parts.system import Person
from parts.visit import connect, follow, outcome


def page(person):
    answer = person.browser.get(person.system.connect.url + "/my-schedule", timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text


def press(person, text, action, **fields):
    """Submits a form of the page as a browser does."""
    form = re.search(rf'<form[^>]*action="{action}"[^>]*>.*?</form>', text, re.S).group(0)
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
    before = pipeline.value("SELECT last_synced_at FROM calendar_connections")

    answer = press(ada, page(ada), "/api/calendar/sync")

    assert answer.status_code == 303
    assert urllib.parse.urlparse(answer.headers["Location"]).path == "/my-schedule"
    pipeline.wait_until(lambda: pipeline.value(
        "SELECT count(*) FROM calendar_sync_requests WHERE kind = 'full' AND state = 'done'") == 2)
    after = pipeline.value("SELECT last_synced_at FROM calendar_connections")
    assert after > before, "also where there was nothing to write"


def test_disconnect_keeps_the_events_where_the_person_wants_them(pipeline):
    ada, = pipeline.connect_people(1)
    pipeline.create_assignments(pipeline.create_project(), [ada] * 3)
    pipeline.wait_calendars_equal_plan()
    pipeline.age_requests()

    answer = press(ada, page(ada), "/api/calendar/disconnect", events="keep")

    assert answer.status_code == 303
    pipeline.wait_until(lambda: ada.connection()["status"] == "not_connected")
    assert len(pipeline.calendar(ada.email)) == 3
    assert "3 events stay in it, as you asked" in page(ada)
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
    assert "25 events were removed from it. None of ours remains." in page(ada)

    ada.connect()
    pipeline.wait_calendars_equal_plan()


def connections(system):
    return system.sql("SELECT id, user_id, status, outlook_email FROM calendar_connections")


def filed(system, kind):
    return system.value("SELECT count(*) FROM calendar_sync_requests WHERE kind = %s", kind)


def csrf_of(person):
    return re.search(r'name="csrf" value="([^"]+)"', page(person)).group(1)


def test_connecting_leads_to_microsoft_with_all_that_a_sign_in_must_carry(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    first, second = (urllib.parse.urlparse(ada.begin_consent()) for _ in range(2))

    carried = dict(urllib.parse.parse_qsl(first.query))
    assert first.path == "/common/oauth2/v2.0/authorize"
    assert carried["response_type"] == "code" and carried["response_mode"] == "query"
    assert carried["prompt"] == "select_account"
    assert carried["code_challenge_method"] == "S256" and len(carried["code_challenge"]) == 43
    assert carried["redirect_uri"] == f"{desk.connect.url}/api/auth/microsoft/callback"
    assert set(carried["scope"].split()) == {
        "openid", "profile", "offline_access", "https://graph.microsoft.com/Calendars.ReadWrite",
        "https://graph.microsoft.com/User.Read"}
    again = dict(urllib.parse.parse_qsl(second.query))
    assert all(carried[name] != again[name] for name in ("state", "nonce", "code_challenge"))
    kept = str(desk.sql("SELECT * FROM calrelay_oauth_states"))
    assert carried["state"] not in kept, "a state is stored as its hash alone"


def test_a_callback_works_once_and_only_for_the_browser_that_began_it(desk):
    """Bad inputs 33, 35, 36: a state that was used, a code again, the state of somebody else."""
    ada, alan = desk.add_people(2)
    ada.sign_in()
    alan.sign_in()
    callback = ada.consent(ada.begin_consent())
    before = desk.fake.mark()

    assert follow(alan, callback) == "error=state"
    assert requests.get(callback, allow_redirects=False).status_code == 401
    other_browser = requests.Session()
    other_browser.get(ada.sign_in_link(), allow_redirects=False)
    assert outcome(other_browser.get(callback, allow_redirects=False)) == "error=state"
    assert desk.fake.requests(before, kinds={"token"}) == []

    assert follow(ada, callback) == "connected=1"
    assert follow(ada, callback) == "error=state"
    assert len(desk.fake.requests(before, kinds={"token"})) == 1
    assert len(connections(desk)) == 1


def test_a_callback_without_a_live_state_asks_microsoft_for_nothing(desk):
    """Bad input 33: no state, a wrong one, one that is too old."""
    ada, = desk.add_people(1)
    ada.sign_in()
    stale = ada.consent(ada.begin_consent())
    desk.sql("UPDATE calrelay_oauth_states SET created_at = now() - interval '11 minutes'")
    bare = f"{desk.connect.url}/api/auth/microsoft/callback"
    before = desk.fake.mark()

    for callback in (stale, bare, f"{bare}?code=x", f"{bare}?code=x&state=y",
                     f"{bare}?error=access_denied&state=y"):
        assert follow(ada, callback) == "error=state"
    assert desk.fake.requests(before, kinds={"token"}) == []
    assert connections(desk) == []


def test_sign_ins_that_nobody_finishes_do_not_pile_up(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    waiting = "SELECT count(*) FROM calrelay_oauth_states"
    locations = [ada.begin_consent() for _ in range(22)]
    assert desk.value(waiting) == 20
    assert follow(ada, ada.consent(locations[0])) == "error=state", "the oldest went first"
    assert follow(ada, ada.consent(locations[-1])) == "connected=1"

    desk.sql("UPDATE calrelay_oauth_states SET created_at = now() - interval '11 minutes'")
    ada.begin_consent()
    assert desk.value(waiting) == 1


def test_two_tabs_and_a_callback_sent_twice_at_once_end_in_one_connection(desk):
    """Bad input 41."""
    ada, = desk.add_people(1)
    ada.sign_in()
    tabs = [ada.consent(ada.begin_consent()) for _ in range(3)]
    cookies = ada.browser.cookies
    with concurrent.futures.ThreadPoolExecutor(6) as browser:
        results = list(browser.map(
            lambda callback: outcome(requests.get(callback, cookies=cookies, timeout=40,
                                                  allow_redirects=False)), tabs * 2))

    assert sorted(results) == ["connected=1"] * 3 + ["error=state"] * 3
    assert len(connections(desk)) == 1


def test_a_person_who_denies_access_is_told_so_with_a_way_on(desk):
    """Bad input 34."""
    ada, = desk.add_people(1)
    ada.sign_in()
    denied = ada.browser.get(f"{ada.begin_consent()}&fake_deny=1", allow_redirects=False)

    assert follow(ada, denied.headers["Location"]) == "error=access_denied"
    assert "did not allow access" in ada.browser.get(
        f"{desk.connect.url}/my-schedule?error=access_denied").text
    strange = ada.browser.get(f"{desk.connect.url}/my-schedule?error=%22%3E%3Cscript%3E").text
    assert 'role="alert"' in strange and "<script>" not in strange


def test_trouble_at_microsoft_during_the_sign_in_leaves_nothing_behind(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    trouble = [({"on": "token", "do": "error"}, "code"),
               ({"on": "token", "do": "error", "status": 401, "code": "invalid_client"},
                "registration"),
               ({"on": "token", "do": "error", "status": 503, "code": "temporarily_unavailable"},
                "microsoft_unavailable"),
               ({"on": "token", "do": "truncate"}, "microsoft_unavailable"),
               ({"on": "me", "do": "error", "status": 403, "code": "ErrorAccessDenied"},
                "mailbox")]
    for fault, code in trouble:
        desk.fake.fault(**fault)
        assert connect(ada) == f"error={code}", fault
        desk.fake.clear_faults()
    assert connections(desk) == [] and filed(desk, "full") == 0
    for code in ("code", "registration", "microsoft_unavailable", "mailbox"):
        assert desk.connect.metric("calrelay_connect_oauth_callbacks_total", result=code) > 0


def test_reconnecting_the_same_mailbox_keeps_the_connection_and_its_mappings(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    assert connect(ada) == "connected=1"
    row, = connections(desk)
    desk.sql("INSERT INTO synced_calendar_events (assignment_id, connection_id) "
             "VALUES (gen_random_uuid(), %s)", row["id"])
    desk.sql("UPDATE calendar_connections SET status = 'needs_reconnect', not_before = now()")
    assert "Reconnect Outlook Calendar" in page(ada)
    assert ada.api("POST", "/api/calendar/sync").json()["error"] == "needs_reconnect"

    assert connect(ada) == "connected=1"

    assert connections(desk) == [row]
    assert desk.value("SELECT count(*) FROM synced_calendar_events") == 1
    assert desk.value("SELECT not_before IS NOT NULL FROM calendar_connections")
    assert filed(desk, "full") == 2


def test_another_mailbox_is_another_connection(desk):
    ada, alan = desk.add_people(2)
    ada.sign_in()
    assert connect(ada) == "connected=1"
    first, = connections(desk)
    desk.sql("INSERT INTO synced_calendar_events (assignment_id, connection_id) "
             "VALUES (gen_random_uuid(), %s)", first["id"])

    assert connect(ada, alan.email) == "connected=1"

    second, = connections(desk)
    assert second["id"] != first["id"] and second["user_id"] == first["user_id"]
    assert second["outlook_email"] == alan.email
    assert desk.value("SELECT count(*) FROM synced_calendar_events") == 0


def test_while_disconnecting_the_same_mailbox_cancels_it_and_another_waits(desk):
    ada, alan = desk.add_people(2)
    ada.sign_in()
    assert connect(ada) == "connected=1"
    row, = connections(desk)
    request = ada.api("POST", "/api/calendar/disconnect", data={"events": "remove"}).json()["id"]
    assert ada.api("POST", "/api/calendar/disconnect").json()["id"] == request
    assert ada.connection()["status"] == "disconnecting"

    assert connect(ada, alan.email) == "error=disconnecting"
    assert connect(ada) == "connected=1"

    assert connections(desk) == [row]
    cancelled = ada.wait_request(request)
    assert cancelled["state"] == "failed" and "connected again" in cancelled["error"]


def test_who_disconnects_and_keeps_the_events_leaves_no_token_even_where_no_worker_runs(desk):
    ada, alan = desk.add_people(2)
    for person, events in ((ada, "keep"), (alan, "remove")):
        person.sign_in()
        assert connect(person) == "connected=1"
        assert person.api("POST", "/api/calendar/disconnect",
                          data={"events": events}).status_code == 202
        assert person.connection()["status"] == "disconnecting"

    kept, removing = desk.sql("SELECT access_token, refresh_token, token_version "
                              "FROM calendar_connections ORDER BY created_at")
    assert (kept["access_token"], kept["refresh_token"], kept["token_version"]) == ("", "", 1)
    assert removing["access_token"].startswith("v1:"), "the worker needs it for the removal"
    rekeyed = subprocess.run([*desk.connect.argv, "rekey"], env=desk.connect.env, check=True,
                             capture_output=True, text=True, timeout=60)
    assert "already 1, unreadable 0" in rekeyed.stdout
    assert connect(ada) == "connected=1", "and signing in again cancels it"
    assert ada.connection()["status"] == "active"


def test_a_user_without_a_profile_is_told_so(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    callback = ada.consent(ada.begin_consent())
    desk.sql("DELETE FROM profiles")

    assert follow(ada, callback) == "error=unknown_user"
    answer = ada.browser.get(f"{desk.connect.url}/api/auth/microsoft", allow_redirects=False)
    assert outcome(answer) == "error=unknown_user"


def test_asking_a_hundred_times_files_one_synchronisation(desk):
    """Bad input 42."""
    ada, = desk.add_people(1)
    ada.sign_in()
    assert connect(ada) == "connected=1"
    desk.sql("UPDATE calendar_sync_requests SET state = 'done'")
    desk.age_requests()
    with concurrent.futures.ThreadPoolExecutor(20) as impatient:
        answers = list(impatient.map(lambda _: ada.api("POST", "/api/calendar/sync"), range(100)))

    refused = [answer for answer in answers if answer.status_code != 202]
    assert len(refused) == 99 and {answer.status_code for answer in refused} == {429}
    assert all(0 < int(answer.headers["Retry-After"]) <= 60 for answer in refused)
    assert filed(desk, "full") == 2

    on_the_page = press(ada, page(ada), "/api/calendar/sync")
    assert on_the_page.status_code == 429 and 'role="alert"' in on_the_page.text
    assert int(on_the_page.headers["Retry-After"]) > 0
    assert ada.api("POST", "/api/calendar/disconnect").status_code == 202


def test_what_is_not_connected_is_neither_synchronised_nor_disconnected(desk):
    ada, = desk.add_people(1)
    ada.sign_in()

    def refusal(path):
        answer = ada.api("POST", f"/api/calendar/{path}")
        return answer.status_code, answer.json()["error"]
    assert refusal("sync") == refusal("disconnect") == (409, "not_connected")
    assert connect(ada) == "connected=1"
    desk.sql("UPDATE calendar_sync_requests SET state = 'done'")
    desk.age_requests()
    assert ada.api("POST", "/api/calendar/disconnect?events=remove").status_code == 202
    desk.age_requests()
    assert refusal("sync") == (409, "disconnecting")
    assert (filed(desk, "full"), filed(desk, "disconnect")) == (1, 1)


def test_requests_of_other_people_do_not_exist(desk):
    ada, alan = desk.add_people(2)
    ada.sign_in()
    assert connect(ada) == "connected=1"
    request = desk.value("SELECT id FROM calendar_sync_requests")

    assert ada.api("GET", f"/api/calendar/requests/{request}").json()["kind"] == "full"
    for person, name in ((alan, request), (ada, alan.user_id), (ada, "1"), (ada, "..%2F..")):
        assert person.api("GET", f"/api/calendar/requests/{name}").status_code == 404


def test_the_hosts_token_becomes_a_cookie_that_scripts_cannot_read(desk):
    ada, = desk.add_people(1)
    url = f"{desk.connect.url}/session"
    for answer in (requests.post(url, data={"token": ada.token()}, allow_redirects=False),
                   requests.post(url, headers=ada.bearer, allow_redirects=False),
                   requests.get(ada.sign_in_link(), allow_redirects=False)):
        assert answer.status_code == 303 and answer.headers["Location"] == "/my-schedule"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
        assert "eyJ" not in cookie
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    long_lived = ada.token(exp=int(time.time()) + 3700)
    assert requests.get(f"{url}?token={long_lived}", allow_redirects=False).status_code == 401
    assert requests.post(url, data={"token": long_lived},
                         allow_redirects=False).status_code == 303
    assert requests.post(url).status_code == 401
    assert requests.get(url).status_code == 401
    assert requests.get(f"{desk.connect.url}/my-schedule").status_code == 401


def test_over_https_the_cookie_is_bound_to_the_host(system):
    system.connect.with_settings(
        MICROSOFT_REDIRECT_URI="https://calendar.example/api/auth/microsoft/callback")
    system.connect.start().wait_ready()
    ada = Person(system, uuid.uuid4(), "ada@example.com")
    answer = requests.get(ada.sign_in_link(), allow_redirects=False, timeout=20)
    assert answer.headers["Set-Cookie"].startswith("__Host-calrelay=")
    assert "; Secure" in answer.headers["Set-Cookie"]


def test_check_proves_the_surroundings_and_names_what_is_missing(desk):
    def check():
        status, lines = desk.connect.check()
        return status, [line for line in lines if "FAIL" in line]
    assert check() == (0, [])
    desk.connect.with_settings(CALRELAY_JWT_SECRET="short")  # it serves, too, and says so
    assert check() == (0, [])

    desk.sql("REVOKE DELETE ON calendar_connections FROM calrelay_connect")
    desk.sql("DROP POLICY calrelay_reads ON profiles")
    desk.connect.with_settings(MICROSOFT_TENANT_ID="nobody.example")
    status, failures = check()
    assert status == 1 and len(failures) == 3
    for line, name in zip(failures, ("calendar_connections", "profiles", "MICROSOFT_TENANT_ID")):
        assert name in line


def test_a_connect_that_can_see_nobody_refuses(desk):
    """To it nobody would have a profile, whoever signs in."""
    assert desk.connect.sigterm() == 0
    desk.sql("DROP POLICY calrelay_reads ON profiles")
    desk.connect.start()
    assert desk.connect.wait(30) == 1
    assert "row security hides" in desk.connect.log_text()


def test_what_is_under_way_is_answered_before_connect_stops(desk):
    ada, = desk.add_people(1)
    connection = desk.postgres.connect(desk.database)
    connection.autocommit = False
    with connection.cursor() as cursor, concurrent.futures.ThreadPoolExecutor(1) as browser:
        cursor.execute("LOCK TABLE calendar_connections IN ACCESS EXCLUSIVE MODE")
        answer = browser.submit(ada.connection)
        desk.wait_until(lambda: desk.value("SELECT count(*) FROM pg_stat_activity "
                                           "WHERE wait_event_type = 'Lock'") > 0)
        desk.connect.expected = False
        desk.connect.signal(signal.SIGTERM)
        desk.wait_until(lambda: not desk.connect.is_ready())
        connection.rollback()
        assert answer.result(20)["status"] == "not_connected"
    assert desk.connect.wait(20) == 0
    connection.close()


def test_somebody_without_a_usable_jwt_gets_401(desk):
    """Bad input 37; with keys of other algorithms, tests/unit/connect/test_identity.c."""
    ada, = desk.add_people(1)
    wrong = [ada.token(aud="other"), ada.token(exp=1), ada.token(role="service_role"),
             ada.token()[:-4] + "AAAA", ada.token(sub="nobody"), "x",
             f"eyJhbGciOiJub25lIn0.{ada.token().split('.')[1]}."]  # alg: none
    for token in wrong:
        answer = requests.get(desk.connect.url + "/api/calendar/connection",
                              headers={"Authorization": f"Bearer {token}"}, timeout=20)
        assert answer.status_code == 401, token
    assert requests.get(desk.connect.url + "/api/calendar/connection").status_code == 401


def test_who_is_not_signed_in_reaches_nothing_of_anybodys(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    assert connect(ada) == "connected=1"
    request = desk.value("SELECT id FROM calendar_sync_requests")
    before = desk.fake.mark()
    for method, path in (("GET", "/my-schedule"), ("GET", "/api/auth/microsoft"),
                         ("GET", "/api/auth/microsoft/callback?code=x&state=y"),
                         ("GET", "/api/calendar/connection"),
                         ("GET", f"/api/calendar/requests/{request}"),
                         ("POST", "/api/calendar/sync"), ("POST", "/api/calendar/disconnect")):
        answer = requests.request(method, desk.connect.url + path, allow_redirects=False,
                                  headers={"Origin": desk.connect.url}, timeout=20)
        assert answer.status_code == 401 and ada.email not in answer.text, path
    assert desk.fake.requests(before) == []
    assert ada.connection()["status"] == "active" and filed(desk, "disconnect") == 0


def test_another_sites_form_can_do_nothing(desk):
    """Bad input 39."""
    ada, = desk.add_people(1)
    ada.connect()
    url = desk.connect.url + "/api/calendar/disconnect"
    own = {"Origin": desk.connect.url}
    token = csrf_of(ada)
    for headers, fields in (({"Origin": "https://evil.example"}, {"csrf": token}),
                            ({"Origin": "null"}, {"csrf": token}),
                            ({}, {"csrf": token}), (own, {}), (own, {"csrf": token[::-1]})):
        answer = ada.browser.post(url, {"events": "remove", **fields}, headers=headers,
                                  allow_redirects=False)
        assert answer.status_code == 403, (headers, fields)
    assert ada.browser.get(url).status_code == 405
    assert ada.connection()["status"] == "active"
    assert ada.browser.post(url, {"events": "all", "csrf": token}, headers=own).status_code == 400
    assert ada.browser.post(url, {"csrf": token}, headers=own,
                            allow_redirects=False).status_code == 303


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
