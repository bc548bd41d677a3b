"""What can go wrong on the way through Microsoft's sign-in, what a person reads then, and what it changes.

Numbers of bad inputs are those of docs/bad-inputs.md.
"""
import concurrent.futures
import html
import re
import socket
import urllib.parse

import pytest
import requests

from parts import crooked as crooked_microsoft
from parts.crooked import GRANTED, Answer, Crooked, tokens
from parts.system import Person
from parts.visit import connect, follow

CODE = "0.AXoA-an-authorization-code"
ELSEWHERE = "99999999-2222-3333-4444-555555555555"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of all outlook.com accounts
READS_ZONE = GRANTED + " https://graph.microsoft.com/MailboxSettings.Read"


@pytest.fixture
def crooked(system):
    """connect at a Microsoft that says what it is told; system.crooked."""
    system.crooked = Crooked()
    system.connect.with_settings(
        MICROSOFT_LOGIN_URL=system.crooked.url, MICROSOFT_GRAPH_URL=system.crooked.url,
        MICROSOFT_TENANT_ID=crooked_microsoft.TENANT, CALRELAY_MAILBOX_SETTINGS="read")
    system.connect.start().wait_ready()
    yield system
    system.crooked.close()
    log = system.connect.log_text()
    assert not any(secret in log for secret in (CODE, "an-access-token", "a-refresh-token"))


@pytest.fixture
def ada(crooked):
    user_id = crooked.value("INSERT INTO profiles (id, email, full_name) VALUES "
                            "(gen_random_uuid(), 'ada@example.com', 'Ada') RETURNING id")
    person = Person(crooked, user_id, "ada@example.com")
    person.sign_in()
    return person


def come_back(person, claims=None, token=None, me=None, settings=None, **changes):
    """A sign-in whose answers are good but for what is named; how it ends."""
    microsoft = person.system.crooked
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(person.begin_consent()).query))
    microsoft.say(token=token or Answer(tokens(microsoft, asked["nonce"], claims, **changes)),
                  me=me or Answer({"mail": "ada@example.com"}),
                  mailboxSettings=settings or Answer({"timeZone": "Tokyo Standard Time"}))
    back = urllib.parse.urlencode({"code": CODE, "state": asked["state"]})
    return follow(person, f"{person.system.connect.url}/api/auth/microsoft/callback?{back}")


def refused(error, number, status=400):
    return Answer({"error": error, "error_codes": [number],
                   "error_description": f"AADSTS{number}: never to be logged"}, status)


def alert(person, code):
    """The page that says so; with a way on."""
    answer = person.browser.get(f"{person.system.connect.url}/my-schedule?error={code}", timeout=20)
    assert answer.status_code == 200
    found = re.search(r'<div class="alert" role="alert".*?</div>', answer.text, re.S).group(0)
    assert re.search(r'href="/api/auth/microsoft', answer.text) or code == "registration"
    return html.unescape(found)


def row(system):
    return system.sql("SELECT * FROM calendar_connections")


ODD = [  # bad input, how it ends, what is odd
    (35, "code", {"token": refused("invalid_grant", 54005)}),   # redeemed twice
    (35, "code", {"token": refused("invalid_grant", 501481)}),  # another verifier
    (35, "code", {"token": refused("invalid_grant", 70008)}),   # too old
    (None, "registration", {"token": refused("invalid_client", 7000215, 401)}),
    (None, "microsoft_unavailable", {"token": refused("temporarily_unavailable", 90033, 503)}),
    (None, "identity", {"claims": {"nonce": "of another sign-in"}}),
    (None, "identity", {"claims": {"aud": "another-application"}}),
    (None, "identity", {"claims": {"exp": 1}}),
    (None, "identity", {"claims": {"iss": "https://evil.example/v2.0"}}),
    (None, "identity", {"claims": {"tid": ELSEWHERE}}),  # not whose issuer it is
    (None, "identity", {"id_token": None}),
    (46, "microsoft_unavailable", {"token": Answer("<html>Please wait</html>")}),
    (48, "challenged", {"me": Answer({}, 401, WWW_Authenticate=(
        'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'))}),
    (47, "mailbox", {"me": Answer({"error": {"code": "MailboxNotEnabledForRESTAPI"}}, 404)}),
    (49, "scopes", {"refresh_token": None}),
    (50, "scopes", {"scope": "https://graph.microsoft.com/User.Read"}),
    (50, "scopes", {"scope": "Calendars.Read User.Read"}),
    (50, "scopes", {"scope": "Calendars.ReadWrite"}),
]


def test_odd_answers_of_microsoft_are_said_and_leave_a_good_connection_as_it_is(crooked, ada):
    """Bad inputs 35, 46, 47, 48, 49, 50, 51."""
    assert come_back(ada) == "connected=1"
    before = row(crooked)

    elsewhere = Crooked()
    moved = Answer("", 301, Location=f"{elsewhere.url}/v1.0/me")
    for number, code, odd in (*ODD, (51, "microsoft_unavailable", {"token": moved}),
                              (51, "mailbox", {"me": moved})):
        assert come_back(ada, **odd) == f"error={code}", (number, odd)
        asked = crooked.crooked.paths()
        assert len(asked) == len(set(asked)), f"{number}: asked more than once: {asked}"
        alert(ada, code)
    assert elsewhere.asked == [], "51: nobody follows a redirect"
    elsewhere.close()

    # of another organisation, whose issuer is right
    issuer = f"{crooked.crooked.url}/{ELSEWHERE}/v2.0"
    assert come_back(ada, {"tid": ELSEWHERE, "iss": issuer}) == "error=wrong_tenant"
    assert "Use another account" in alert(ada, "wrong_tenant")
    assert row(crooked) == before
    assert crooked.value("SELECT count(*) FROM calendar_sync_requests") == 1
    assert crooked.value("SELECT count(*) FROM calrelay_oauth_states") == 0


def test_what_microsoft_may_leave_out_or_get_wrong_keeps_nobody_from_connecting(crooked, ada):
    """Bad inputs 49 (expires_in), 60 (our clock is off by hours), and an optional permission."""
    lives = "SELECT extract(epoch FROM token_expires_at - now()) FROM calendar_connections"
    zone = "SELECT time_zone FROM calendar_connections"
    for said, least, most in ((0, -10, 0), (-1, -10, 0), ("3599", 3500, 3599), (None, -10, 0),
                              (10 ** 15, 86300, 86400)):
        assert come_back(ada, expires_in=said) == "connected=1", said
        assert least <= crooked.value(lives) <= most, said
    assert "mailboxSettings" not in str(crooked.crooked.paths()), "no permission, no call"
    assert crooked.value(zone) is None

    for hours in (-5, 5):
        crooked.crooked.clock_off_s = hours * 3600
        assert come_back(ada) == "connected=1", hours
    assert "our clock differs from Microsoft's" in crooked.connect.log_text()
    crooked.crooked.clock_off_s = 0

    assert come_back(ada, me=Answer({}, 503)) == "connected=1"  # the id_token names the account
    assert come_back(ada, scope=READS_ZONE) == "connected=1"
    assert crooked.value(zone) == "Tokyo Standard Time"
    for settings in (Answer({}, 403), Answer({}, 503), Answer("<html>"), Answer({"timeZone": 7}),
                     Answer({"timeZone": "Customized Time Zone"}),
                     Answer({"timeZone": "tzone://Microsoft/Custom"})):
        assert come_back(ada, scope=READS_ZONE, settings=settings) == "connected=1"
        assert crooked.crooked.paths()[-1] == "/v1.0/me/mailboxSettings"
        assert crooked.value(zone) == "Tokyo Standard Time", "what is known stays"
    assert come_back(ada, scope=None) == "connected=1"  # as asked, says RFC 6749
    assert crooked.crooked.paths()[-1] == "/v1.0/me/mailboxSettings"


def test_the_page_shows_the_mailbox_under_the_first_name_that_microsoft_has_for_it(crooked, ada):
    for me, name in (({"mail": "ada@mail.example", "userPrincipalName": "al@upn.example"},
                      "ada@mail.example"),
                     ({"mail": None, "userPrincipalName": "al@upn.example"}, "al@upn.example"),
                     ({"mail": "", "userPrincipalName": "al@upn.example"}, "al@upn.example"),
                     ({"mail": "", "userPrincipalName": ""}, "ada@example.com"),
                     ({}, "ada@example.com")):  # the id_token's
        assert come_back(ada, me=Answer(me)) == "connected=1", me
        assert ada.connection()["email"] == name
        assert f"<dd>{name}</dd>" in ada.browser.get(f"{crooked.connect.url}/my-schedule").text


def test_personal_accounts_connect_where_the_tenant_says_so(crooked, ada):
    claims = {"tid": PERSONAL, "iss": f"{crooked.crooked.url}/{PERSONAL}/v2.0",
              "oid": "00000000-0000-0000-1111-222233334444"}
    for tenant, ends in (("organizations", "error=wrong_tenant"), ("common", "connected=1"),
                         ("consumers", "connected=1")):
        crooked.connect.stop()
        crooked.connect.with_settings(MICROSOFT_TENANT_ID=tenant).start().wait_ready()
        assert come_back(ada, claims) == ends, tenant
    assert [(found["tenant_id"], found["account_id"]) for found in row(crooked)] == [
        (PERSONAL, claims["oid"])]


def approval_link(person, code):
    return re.search(r'href="(https?://[^"]*/v2\.0/adminconsent[^"]*)"', alert(person, code)).group(1)


def test_where_an_administrator_must_approve_the_page_has_the_link_for_them(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    desk.fake.control("POST", "settings", {"needs_approval": True})
    assert connect(ada) == "error=admin_required"
    link = approval_link(ada, "admin_required")
    assert link == approval_link(ada, "access_denied") == approval_link(ada, "scopes")
    assert link.startswith(f"{desk.fake.url}/organizations/v2.0/adminconsent?")
    assert "Permissions requested" in requests.get(link, timeout=20).text

    # the administrator has no session here, and may say no
    no = requests.get(link + "&fake_deny=1", timeout=20)
    assert no.status_code == 403 and 'role="alert"' in no.text and "not approved" in no.text
    assert connect(ada) == "error=admin_required"
    yes = requests.get(link + "&fake_accept=1", timeout=20)
    assert yes.status_code == 200 and "now approved" in yes.text and "/my-schedule" in yes.text
    assert "admin_consent=True" in yes.url and "tenant=" in yes.url
    assert "Set-Cookie" not in yes.headers

    waiting = ada.consent(ada.begin_consent())
    again = requests.get(f"{yes.url}&error=consent_required", timeout=20)
    assert again.status_code == 403
    assert ada.browser.get(f"{waiting}&admin_consent=True", timeout=20).status_code == 200
    assert desk.sql("SELECT * FROM calendar_connections") == []
    assert follow(ada, waiting) == "connected=1", "nothing of it used up a sign-in"


def test_too_few_permissions_are_said_and_the_next_try_asks_again(desk):
    """Bad input 50."""
    ada, = desk.add_people(1)
    ada.sign_in()
    before = desk.fake.mark()
    basic = "openid profile offline_access User.Read"
    assert connect(ada, fake_scopes=basic) == "error=scopes"
    assert desk.fake.requests(before, kinds={"me"}) == []
    assert desk.sql("SELECT * FROM calendar_connections") == []

    retry = re.search(r'href="(/api/auth/microsoft\?[^"]*)"', alert(ada, "scopes")).group(1)
    location = ada.browser.get(desk.connect.url + retry, allow_redirects=False).headers["Location"]
    assert "&prompt=consent" in location
    assert follow(ada, ada.consent(location)) == "connected=1"


def greeting(person, query=""):
    answer = person.browser.get(f"{person.system.connect.url}/api/auth/microsoft{query}",
                                allow_redirects=False, timeout=20)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(answer.headers["Location"]).query))
    return asked.get("prompt"), asked.get("login_hint")


def test_whoever_reconnects_is_led_to_the_account_that_was_connected(desk):
    """Also bad input 38: nothing in the address says where to go afterwards."""
    ada, = desk.add_people(1)
    ada.sign_in()
    assert greeting(ada) == ("select_account", None)
    assert connect(ada) == "connected=1"
    assert greeting(ada) == ("select_account", ada.email)
    desk.sql("UPDATE calendar_connections SET status = 'needs_reconnect'")
    assert greeting(ada) == (None, ada.email)
    assert greeting(ada, "?prompt=select_account") == ("select_account", ada.email)
    assert greeting(ada, "?prompt=none") == (None, ada.email)
    assert greeting(ada, "?return_to=//evil.example") == (None, ada.email)

    callback = ada.consent(ada.begin_consent())
    elsewhere = "&return_to=//evil.example&redirect_uri=https://evil.example"
    assert follow(ada, callback + elsewhere) == "connected=1"
    assert "evil" not in ada.browser.get(
        f"{desk.connect.url}/my-schedule?return_to=//evil.example").text


def test_a_mailbox_belongs_to_whoever_connected_it_first(desk):
    ada, alan = desk.add_people(2)
    ada.sign_in()
    alan.sign_in()
    assert connect(ada) == "connected=1"
    before = row(desk)

    assert connect(alan, ada.email) == "error=taken"
    assert row(desk) == before
    assert "Somebody else" in alert(alan, "taken")
    assert connect(alan) == "connected=1"


def test_of_two_people_who_connect_one_mailbox_at_the_same_moment_one_is_refused(desk):
    ada, alan = desk.add_people(2)
    ada.sign_in()
    alan.sign_in()
    assert connect(ada) == "connected=1"
    before = row(desk)
    desk.sql("DELETE FROM calendar_connections")
    connection = desk.postgres.connect(desk.database)
    connection.autocommit = False
    with connection.cursor() as cursor, concurrent.futures.ThreadPoolExecutor(1) as browser:
        cursor.execute("INSERT INTO calendar_connections (user_id, access_token, refresh_token, "
                       "token_expires_at, tenant_id, account_id) VALUES (%s, '', '', now(), %s, %s)",
                       (ada.user_id, before[0]["tenant_id"], before[0]["account_id"]))
        answer = browser.submit(connect, alan, ada.email)
        desk.wait_until(lambda: desk.value("SELECT count(*) FROM pg_stat_activity "
                                           "WHERE wait_event_type = 'Lock'") > 0)
        connection.commit()
        assert answer.result(30) == "error=taken"
    connection.close()
    assert [str(found["user_id"]) for found in row(desk)] == [str(ada.user_id)]


def test_whoever_changes_the_mailbox_reads_what_becomes_of_the_old_ones_events(desk):
    ada, alan = desk.add_people(2)
    ada.sign_in()
    assert connect(ada) == "connected=1"
    answer = ada.browser.get(ada.consent(ada.begin_consent(), alan.email), timeout=40)
    assert answer.url.endswith("/my-schedule?connected=1")
    assert "stay there" in answer.text and alan.email in answer.text
    ada.browser.cookies.set("calrelay_replaced", None)
    assert "stay there" not in ada.browser.get(f"{desk.connect.url}/my-schedule").text


def test_a_zone_that_changed_is_in_every_event_after_reconnecting(system):
    system.connect.with_settings(CALRELAY_MAILBOX_SETTINGS="read")
    pipeline = system.start()
    ada, alan = pipeline.add_people(2)
    pipeline.create_assignments(pipeline.create_project(), [ada, ada, alan])
    zones = lambda: {event["start"]["timeZone"] for event in pipeline.calendar(ada.email)}  # noqa: E731
    pipeline.fake.control("PUT", f"accounts/{ada.email}", {"time_zone": "Tokyo Standard Time"})
    ada.connect()
    pipeline.wait_calendars_equal_plan()
    assert zones() == {"Tokyo Standard Time"}

    pipeline.fake.control("PUT", f"accounts/{ada.email}", {"time_zone": "America/New_York"})
    events = {event["id"] for event in pipeline.calendar(ada.email)}
    ada.connect()
    pipeline.wait_until(lambda: zones() == {"America/New_York"}, 30, "the new zone")
    assert {event["id"] for event in pipeline.calendar(ada.email)} == events

    # who leaves that permission out is served all the same, in the zone that is configured
    before = pipeline.fake.mark()
    alan.sign_in()
    less = f"openid profile offline_access {GRANTED}"
    assert connect(alan, fake_scopes=less) == "connected=1"
    assert pipeline.fake.requests(before, kinds={"settings"}) == []
    pipeline.wait_until(lambda: [event["start"]["timeZone"] for event in
                                 pipeline.calendar(alan.email)] == ["Europe/Berlin"], 30)


def raw(program, head):
    """The status of what is no request that a client library would send."""
    with socket.create_connection(("127.0.0.1", program.port), 20) as connection:
        connection.sendall(head)
        return int(connection.recv(65536).split(b" ")[1])


def test_malformed_requests_are_refused_and_the_next_is_served(desk):
    """Bad input 40; the slow ones are cut off in tests/unit/common/test_cutoff.c."""
    huge = b"GET /my-schedule HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 65536 + b"\r\n\r\n"
    assert raw(desk.connect, huge) == 431
    for path in (b"/../etc/passwd", b"/my-schedule/../my-schedule", b"/%2e%2e/my-schedule",
                 b"/my-schedule/..%2f"):
        assert raw(desk.connect, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n") == 404, path
    both = (b"POST /session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 5\r\n\r\n0\r\n\r\n")
    assert raw(desk.connect, both) == 400
    assert raw(desk.connect, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") == 200
