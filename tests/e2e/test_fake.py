"""The fake Microsoft keeps its rules over connections and accounts, and does what control asks."""
import base64
import concurrent.futures
import json
import re
import urllib.parse

import jwt
import pytest
import requests

from parts import microsoft
from parts.microsoft import SCOPES, event, item, path_of, refusal
from parts.process import Folder, wait_until
from parts.programs import Fake

CALLBACK = "http://127.0.0.1:8080/api/auth/microsoft/callback"
VERIFIER = "v" * 43
ANNA = "anna@example.org"


@pytest.fixture(scope="module")
def running():
    folder = Folder("fake")
    fake = Fake("fake", folder.path, {"FAKE_REDIRECT_URI": CALLBACK}).start().wait_ready()
    yield fake
    assert fake.sigterm() == 0, fake.log_tail()
    assert not re.search(r"Sanitizer|runtime error", fake.log_text()), fake.log_text()
    folder.remove()


@pytest.fixture
def fake(running):
    running.control("POST", "reset")
    running.add_account(ANNA, "Anna <Berg>", time_zone="Europe/Berlin")
    return running


def application(fake):
    return microsoft.Application(fake.url, "common", "calrelay-client", "calrelay-secret", CALLBACK)


def authorize(fake, **changes):
    asked = {"state": "s t&", "nonce": "n-1", "code_challenge": microsoft.challenge(VERIFIER),
             **changes}
    return requests.get(application(fake).authorize_url(**asked), allow_redirects=False, timeout=10)


def parameters(answer):
    location = urllib.parse.urlsplit(answer.headers["Location"])
    assert location._replace(query="").geturl() == CALLBACK
    return dict(urllib.parse.parse_qsl(location.query))


def token(fake, **form):
    return application(fake).token(**form)


def code_of(fake, account=ANNA, **changes):
    return parameters(authorize(fake, fake_account=account, **changes))["code"]


def redeem(fake, code, **changes):
    return application(fake).redeem(code, VERIFIER, **changes)


class Client(microsoft.Graph):
    """A person who signed in to the fake."""

    def __init__(self, fake, account=ANNA, scope=SCOPES):
        self.tokens = redeem(fake, code_of(fake, account, scope=scope)).json()
        super().__init__(fake.url, self.tokens["access_token"])


@pytest.fixture
def client(fake):
    return Client(fake)


def creation(number, **more):
    return item(number, "POST", "/me/events", event(f"a-{number}"), **more)


# ---- identity ----

def test_a_person_signs_in_and_gets_tokens(fake):
    back = parameters(authorize(fake, fake_account="Anna@Example.org"))
    assert back["state"] == "s t&"
    tokens = redeem(fake, back["code"]).json()
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 3599
    assert "https://graph.microsoft.com/Calendars.ReadWrite" in tokens["scope"]
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["iss"]) == (
        "calrelay-client", f"{fake.url}/9d2d5f1e-8c1b-4b7e-9f43-0a1f3c6a7b10/v2.0")
    account = fake.control("GET", "accounts")["accounts"][0]
    assert claims["nonce"] == "n-1" and claims["oid"] == account["id"]
    assert claims["preferred_username"] == claims["email"] == ANNA
    me = requests.get(f"{fake.url}/v1.0/me", timeout=10,
                      headers={"Authorization": "Bearer " + tokens["access_token"]}).json()
    assert (me["id"], me["mail"], me["userPrincipalName"]) == (account["id"], ANNA, ANNA)


def test_the_picker_offers_people_escaped_and_a_way_to_deny(fake):
    page = authorize(fake)
    assert page.status_code == 200 and "Anna &lt;Berg&gt;" in page.text and "<Berg>" not in page.text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(\?[^"]+)"', page.text)]
    base = f"{fake.url}/common/oauth2/v2.0/authorize"
    answers = [parameters(requests.get(base + link, allow_redirects=False, timeout=10))
               for link in links]
    assert "code" in answers[0] and answers[-1]["error"] == "access_denied"
    assert all(answer["state"] == "s t&" for answer in answers)


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"redirect_uri": CALLBACK + "/"},
                                     {"redirect_uri": "http://evil.example/"}])
def test_an_untrusted_redirect_is_a_page_not_a_redirect(fake, changes):
    answer = authorize(fake, fake_account=ANNA, **changes)
    assert answer.status_code == 400 and "Location" not in answer.headers


@pytest.mark.parametrize("changes", [
    {"code_challenge": None}, {"code_challenge_method": "plain"}, {"nonce": None},
    {"response_type": "token"}, {"scope": "Mail.Send"}, {"response_mode": "fragment"}])
def test_authorize_refuses_what_is_missing(fake, changes):
    assert "error" in parameters(authorize(fake, fake_account=ANNA, **changes))


def test_a_code_works_once_with_its_verifier_and_redirect(fake):
    assert redeem(fake, code_of(fake), code_verifier="w" * 43).json()["error_codes"] == [501481]
    assert redeem(fake, code_of(fake), redirect_uri=CALLBACK + "2").json()["error_codes"] == [500112]
    code = code_of(fake)
    assert redeem(fake, code).status_code == 200
    again = redeem(fake, code)
    assert again.status_code == 400 and again.json()["error"] == "invalid_grant"
    assert again.json()["error_codes"] == [54005]
    assert set(again.json()) == {"error", "error_description", "error_codes", "timestamp",
                                 "trace_id", "correlation_id", "error_uri"}


def test_a_revoked_person_is_out(fake, client):
    fake.revoke(ANNA)
    answer = token(fake, grant_type="refresh_token", refresh_token=client.tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [50173])
    answer = client.call("GET", "/me")
    assert refusal(answer) == (401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert Client(fake).call("GET", "/me").status_code == 200


def test_access_tokens_expire_when_they_say(fake):
    fake.control("POST", "settings", {"expires_in": 1})
    client = Client(fake)
    assert client.tokens["expires_in"] == 1
    wait_until(lambda: client.call("GET", "/me").status_code == 401, 30)


# ---- events ----

def test_a_deleted_event_lies_in_deleted_items(fake, client):
    path = path_of(client.create().json()["id"])
    client.call("PATCH", path, {"subject": "Better"})
    (seen,) = fake.events(ANNA)
    assert (seen["assignment"], seen["version"], seen["isReminderOn"]) == ("a-1", 2, False)
    assert client.call("DELETE", path).status_code == 204
    assert [seen["folder"] for seen in fake.events(ANNA, None)] == ["deleteditems"]
    fake.control("POST", "settings", {"deleted_items": "visible"})
    assert client.call("PATCH", path, {"subject": "ghost"}).status_code == 200
    assert [seen["subject"] for seen in fake.events(ANNA, None)] == ["ghost"]


def test_nobody_reaches_another_persons_events(fake, client):
    fake.add_account("ben@example.org", "Ben")
    made = client.create().json()["id"]
    other = Client(fake, "ben@example.org")
    assert refusal(other.call("DELETE", "/me/events/" + made)) == (404, "ErrorItemNotFound")


def test_scopes_and_mailboxes_are_checked(fake):
    small = Client(fake, scope="openid offline_access User.Read")
    assert refusal(small.call("GET", "/me/events")) == (403, "ErrorAccessDenied")
    assert refusal(small.call("GET", "/me/mailboxSettings")) == (403, "ErrorAccessDenied")
    large = Client(fake, scope=SCOPES + " MailboxSettings.ReadWrite")
    assert large.call("GET", "/me/mailboxSettings").json()["timeZone"] == "Europe/Berlin"
    for mailbox, code in ((False, "MailboxNotEnabledForRESTAPI"),
                          *((code, code) for code in ("MailboxNotSupportedForRESTAPI",
                                                      "ErrorNonExistentMailbox"))):
        fake.control("PUT", f"accounts/{ANNA}", {"mailbox": mailbox})
        assert refusal(large.call("GET", "/me/events")) == (404, code)
        assert refusal(large.call("DELETE", "/me/events/x")) == (404, code)
    assert large.call("GET", "/me").status_code == 200


# ---- batches ----

def test_a_batch_is_answered_in_any_order(client):
    items = [item(n, "GET", "/me") for n in range(20)]
    orders = {tuple(microsoft.statuses(client.batch(*items))) for _ in range(5)}
    assert len(orders) > 1


def test_a_mailbox_takes_four_at_a_time_over_all_connections(fake, client):
    second = Client(fake)
    fake.latency(1000)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(client.batch, *[creation(n) for n in range(4)])
        wait_until(lambda: fake.metric("calrelay_fake_calls") == 1, 30)
        throttled = second.batch(creation(10), creation(11)).json()["responses"]
    assert {a["status"] for a in first.result().json()["responses"]} == {201}
    assert [a["status"] for a in throttled] == [429, 429]
    assert all(int(a["headers"]["Retry-After"]) >= 1 for a in throttled)
    assert fake.stats()["max_in_flight_per_mailbox"] > 4


def test_one_batch_alone_keeps_the_rule_of_four(fake, client):
    fake.latency(20)
    answers = client.batch(*[creation(n) for n in range(20)]).json()["responses"]
    assert {answer["status"] for answer in answers} == {201}
    assert fake.stats()["max_in_flight_per_mailbox"] == 4


def test_a_mailbox_takes_so_many_requests_in_ten_minutes(fake, client):
    fake.control("POST", "settings", {"rate_limit": 5})
    status = [client.create(assignment=f"a-{n}").status_code for n in range(7)]
    assert status == [201] * 5 + [429] * 2
    assert int(client.create().headers["Retry-After"]) > 500


# ---- faults ----

def test_an_injected_throttle_says_how_long(fake, client):
    fake.fault("create", "throttle", ANNA, 2, retry_after="2.5")
    answers = client.batch(*[creation(n) for n in range(4)]).json()["responses"]
    throttled = [a for a in answers if a["status"] == 429]
    assert len(throttled) == 2 and throttled[0]["headers"]["Retry-After"] == "2.5"
    fake.fault("batch", "throttle", retry_after=None)
    answer = client.batch(creation(9))
    assert answer.status_code == 429 and "Retry-After" not in answer.headers
    fake.fault("any", "error", status=503, code="ServiceUnavailable", retry_after=3)
    answer = client.create()
    assert refusal(answer) == (503, "ServiceUnavailable") and answer.headers["Retry-After"] == "3"
    assert client.create().status_code == 201


def test_a_fault_can_wait_for_one_assignment(fake, client):
    fake.fault("create", "error", status=400, code="ErrorPoison", assignment="a-2", times=9)
    status = {a["id"]: a["status"] for a in
              client.batch(*[creation(n) for n in range(4)]).json()["responses"]}
    assert status == {"0": 201, "1": 201, "2": 400, "3": 201}


def test_a_lost_answer_was_executed(fake, client):
    fake.fault("create", "lose_answer")
    with pytest.raises(requests.ConnectionError):
        client.batch(creation(1), creation(2))
    assert {e["assignment"] for e in fake.events(ANNA)} == {"a-1", "a-2"}
    assert all(record["lost"] for record in fake.requests(account=ANNA, kinds={"create", "batch"}))
    fake.fault("token", "lose_answer")
    with pytest.raises(requests.ConnectionError):
        token(fake, grant_type="refresh_token", refresh_token=client.tokens["refresh_token"])


def test_a_delayed_request_lands_after_the_client_has_gone(fake, client):
    fake.fault("create", "delay", ms=2000)
    with pytest.raises(requests.Timeout):
        client.call("POST", "/me/events", event(), timeout=0.5)
    assert fake.events(ANNA) == [] and fake.stats()["calls"] == 1
    wait_until(lambda: len(fake.events(ANNA)) == 1, 30)
    assert fake.stats()["calls"] == 0
    fake.fault("update", "delay", ms=60000, when="after")
    with pytest.raises(requests.Timeout):
        client.call("PATCH", "/me/events/" + fake.events(ANNA)[0]["id"], {"subject": "x"},
                    timeout=0.5)
    wait_until(lambda: fake.events(ANNA)[0]["subject"] == "x", 30)


def test_a_truncated_answer_is_no_json(fake, client):
    fake.fault("batch", "truncate")
    with pytest.raises(json.JSONDecodeError):
        json.loads(client.batch(creation(1)).text)
    assert len(fake.events(ANNA)) == 1


def test_a_gateway_answers_in_microsofts_place(fake, client):
    fake.fault("batch", "gateway", status=511, location="http://127.0.0.1/elsewhere")
    answer = client.batch(creation(1))
    assert (answer.status_code, answer.headers["Location"]) == (511, "http://127.0.0.1/elsewhere")
    fake.fault("token", "gateway")
    answer = redeem(fake, code_of(fake))
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")
    fake.fault("create", "gateway")
    answer = client.batch(creation(1), creation(2))
    assert "json" in answer.headers["Content-Type"] and "<html>" in answer.text
    assert len(fake.events(ANNA)) == 1, "the other one was made"


def claims_of(header):
    assert header.startswith("Bearer ") and 'error="insufficient_claims"' in header
    return json.loads(base64.b64decode(re.search(r'claims="([^"]+)"', header)[1]))


def test_a_claims_challenge_can_come_any_time(fake, client):
    fake.fault("me", "challenge")
    answer = client.call("GET", "/me")
    assert refusal(answer) == (401, "InvalidAuthenticationToken")
    assert claims_of(answer.headers["WWW-Authenticate"])["access_token"]["nbf"]["essential"]
    fake.fault("create", "challenge")
    first, second = client.batch(creation(1), creation(2, dependsOn=["1"])).json()["responses"]
    item_1, item_2 = sorted((first, second), key=lambda one: one["id"])
    assert (item_1["status"], item_2["status"]) == (401, 424)
    assert claims_of(item_1["headers"]["WWW-Authenticate"])
    fake.revoke(ANNA)
    assert claims_of(client.call("GET", "/me").headers["WWW-Authenticate"])


def test_an_answer_can_say_something_else_than_what_was_done(fake, client):
    fake.fault("create", "amend", answer={"id": None, "subject": "Other"})
    made = client.batch(creation(1)).json()["responses"][0]
    assert made["status"] == 201 and "id" not in made["body"]
    assert made["body"]["subject"] == "Other" and len(fake.events(ANNA)) == 1
    fake.fault("batch", "amend", answer={"responses": [{"id": "7", "status": 201}]})
    assert client.batch(creation(2)).json() == {"responses": [{"id": "7", "status": 201}]}
    fake.fault("token", "amend", answer={"refresh_token": None, "expires_in": "soon"})
    tokens = token(fake, grant_type="refresh_token",
                   refresh_token=client.tokens["refresh_token"]).json()
    assert "refresh_token" not in tokens and tokens["expires_in"] == "soon"
    assert tokens["access_token"]


def test_a_fault_that_is_misspelt_is_refused(fake):
    for fault in ({"on": "creat", "do": "error"}, {"on": "create", "do": "explode"},
                  {"on": "create", "do": "error", "tmies": 2},
                  {"on": "token", "do": "challenge"}, {"on": "create", "do": "amend"},
                  {"on": "create", "do": "error", "answer": {}}):
        assert requests.post(fake.url + "/control/faults", json=fault, timeout=5).status_code == 400


# ---- looking behind ----

def test_the_journal_tells_who_asked_for_what(fake, client):
    mark = fake.mark()
    client.batch(creation(1), item(2, "GET", "/me"))
    client.create(assignment="a-2")
    records = fake.requests(mark, ANNA)
    assert sorted(record["kind"] for record in records) == ["batch", "create", "create", "me"]
    made = {record["assignment"]: record for record in records if record["kind"] == "create"}
    assert made["a-2"]["event_id"] == fake.events(ANNA)[-1]["id"]
    assert made["a-2"]["status"] == 201 and made["a-2"]["path"] == "/me/events"
    stats = fake.stats()
    assert stats["requests"]["create"] == {"201": 2} and stats["batch_items"] == 2


def test_bodies_are_kept_as_they_were_sent_where_somebody_asks(fake, client):
    client.create(assignment="a-0")
    fake.control("POST", "settings", {"keep_bodies": True})
    client.batch(creation(1), item(2, "GET", "/me"))
    client.call("PATCH", path_of(fake.events(ANNA)[0]["id"]), {"subjects": "x"})
    kept = fake.control("GET", "bodies")["bodies"]
    assert kept == [{"kind": "create", "status": 201, "body": event("a-1")},
                    {"kind": "update", "status": 400, "body": {"subjects": "x"}}]


def test_people_edit_their_calendars_by_hand(fake, client):
    made = client.create().json()
    fake.edit_event(ANNA, made["id"], subject="Mine", showAs="free")
    fake.create_event(ANNA, "Dentist")
    edited, private = fake.events(ANNA)
    assert (edited["subject"], edited["showAs"]) == ("Mine", "free")
    assert edited["changeKey"] != made["changeKey"] and private["assignment"] is None
    fake.delete_event(ANNA, made["id"])
    assert [e["subject"] for e in fake.events(ANNA)] == ["Dentist"]


def test_the_month_view_shows_everybodys_days(fake, client):
    client.create(subject="<script>Acme")
    page = requests.get(fake.url + "/calendars", params={"month": "2026-03"}, timeout=10)
    assert page.status_code == 200 and "March 2026" in page.text
    assert "&lt;script&gt;Acme" in page.text and "<script" not in page.text
    assert "grid-column:3/8;grid-row:1" in page.text
    assert "month=2026-02" in page.text and "month=2026-04" in page.text
    alone = requests.get(fake.url + "/calendars", timeout=10,
                         params={"month": "2026-03", "person": "nobody@example.org"})
    assert "Acme" not in alone.text


def test_reset_forgets_everything_and_cuts_what_waits(fake, client):
    fake.fault("create", "delay", ms=60000)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.create)
        wait_until(lambda: fake.metric("calrelay_fake_calls") == 1, 30)
        fake.control("POST", "reset")
        with pytest.raises(requests.ConnectionError):
            waiting.result()
    assert fake.control("GET", "accounts")["accounts"] == []
    assert client.call("GET", "/me").status_code == 401
