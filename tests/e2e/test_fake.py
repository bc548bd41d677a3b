"""The fake Microsoft is as strict as Microsoft: it refuses what a careless client would send."""
import base64
import concurrent.futures
import hashlib
import json
import re
import urllib.parse

import jwt
import pytest
import requests

from parts.process import Folder, wait_until
from parts.programs import Fake

CALLBACK = "http://127.0.0.1:8080/api/auth/microsoft/callback"
PROPERTY = "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name AmiDashAssignment"
SCOPES = ("openid profile offline_access https://graph.microsoft.com/Calendars.ReadWrite "
          "https://graph.microsoft.com/User.Read")
VERIFIER = "v" * 43
CATEGORIES = "/me/outlook/masterCategories"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
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


def question(**changes):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
    asked = {"client_id": "calrelay-client", "redirect_uri": CALLBACK, "response_type": "code",
             "scope": SCOPES, "state": "s t&", "nonce": "n-1", "code_challenge_method": "S256",
             "code_challenge": challenge.decode().rstrip("=")}
    asked.update(changes)
    return {name: value for name, value in asked.items() if value is not None}


def authorize(fake, **changes):
    return requests.get(f"{fake.url}/common/oauth2/v2.0/authorize", params=question(**changes),
                        allow_redirects=False, timeout=10)


def parameters(answer):
    location = urllib.parse.urlsplit(answer.headers["Location"])
    assert location._replace(query="").geturl() == CALLBACK
    return dict(urllib.parse.parse_qsl(location.query))


def token(fake, **form):
    whole = {"client_id": "calrelay-client", "client_secret": "calrelay-secret", **form}
    return requests.post(f"{fake.url}/common/oauth2/v2.0/token", data=whole, timeout=10)


def code_of(fake, account=ANNA, **changes):
    return parameters(authorize(fake, fake_account=account, **changes))["code"]


def redeem(fake, code, **changes):
    return token(fake, **{"grant_type": "authorization_code", "code": code,
                          "redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes})


class Client:
    """One signed-in person's Graph."""

    def __init__(self, fake, account=ANNA, scope=SCOPES):
        self.fake = fake
        self.tokens = redeem(fake, code_of(fake, account, scope=scope)).json()
        self.http = requests.Session()
        self.http.headers["Authorization"] = "Bearer " + self.tokens["access_token"]

    def call(self, method, path, body=None, headers=None, timeout=20, **query):
        return self.http.request(method, self.fake.url + "/v1.0" + path, json=body, params=query,
                                 headers={**IMMUTABLE, **(headers or {})}, timeout=timeout)

    def create(self, **changes):
        return self.call("POST", "/me/events", event(**changes))

    def batch(self, *items, timeout=20):
        return self.call("POST", "/$batch", {"requests": items}, timeout=timeout)


@pytest.fixture
def client(fake):
    return Client(fake)


def event(assignment="a-1", **changes):
    whole = {"subject": "Acme", "body": {"contentType": "text", "content": "confirmed\nline <2>"},
             "isAllDay": True, "start": at("2026-03-02"), "end": at("2026-03-07"),
             "showAs": "busy", "categories": ["Green category"], "isReminderOn": False,
             "transactionId": f"t-{assignment}",
             "singleValueExtendedProperties": [{"id": PROPERTY, "value": assignment}]}
    whole.update(changes)
    return {name: value for name, value in whole.items() if value is not None}


def at(day, clock="00:00:00", zone="Europe/Berlin"):
    return {"dateTime": f"{day}T{clock}", "timeZone": zone}


def item(number, method, url, body=None, **more):
    made = {"id": str(number), "method": method, "url": url,
            "headers": {**IMMUTABLE, **({"Content-Type": "application/json"} if body else {})}}
    if body:
        made["body"] = body
    return {**made, **more}


def creation(number, **more):
    return item(number, "POST", "/me/events", event(f"a-{number}"), **more)


def refusal(answer):
    return answer.status_code, answer.json()["error"]["code"]


def by_assignment(value, test="eq"):
    literal = value if value == "null" else f"'{value}'"
    return (f"singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' "
            f"and ep/value {test} {literal})")


# ---- identity ----

def test_a_person_signs_in_and_gets_tokens(fake):
    back = parameters(authorize(fake, fake_account="Anna@Example.org"))
    assert back["state"] == "s t&"
    tokens = redeem(fake, back["code"]).json()
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 3599
    assert "https://graph.microsoft.com/Calendars.ReadWrite" in tokens["scope"]
    claims = jwt.decode(tokens["id_token"], "calrelay-secret", algorithms=["HS256"],
                        audience="calrelay-client", issuer=f"{fake.url}/9d2d5f1e-8c1b-4b7e-9f43-"
                        "0a1f3c6a7b10/v2.0")
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


def test_refreshing_rotates_and_the_old_token_stays_valid(fake, client):
    old = client.tokens["refresh_token"]
    first = token(fake, grant_type="refresh_token", refresh_token=old, scope=SCOPES).json()
    second = token(fake, grant_type="refresh_token", refresh_token=old).json()
    assert len({old, first["refresh_token"], second["refresh_token"]}) == 3
    wider = token(fake, grant_type="refresh_token", refresh_token=old,
                  scope=SCOPES + " MailboxSettings.ReadWrite").json()
    assert (wider["error"], wider["suberror"]) == ("invalid_grant", "consent_required")
    assert fake.stats()["tokens_refreshed"] == 2


def test_a_revoked_person_is_out(fake, client):
    fake.revoke(ANNA)
    answer = token(fake, grant_type="refresh_token", refresh_token=client.tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [50173])
    answer = client.call("GET", "/me")
    assert refusal(answer) == (401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert Client(fake).call("GET", "/me").status_code == 200


def test_a_wrong_secret_is_the_applications_fault(fake, client):
    answer = token(fake, grant_type="refresh_token", client_secret="wrong",
                   refresh_token=client.tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.json()["error_codes"] == [7000215]


def test_access_tokens_expire_when_they_say(fake):
    fake.control("POST", "settings", {"expires_in": 1})
    client = Client(fake)
    assert client.tokens["expires_in"] == 1
    wait_until(lambda: client.call("GET", "/me").status_code == 401, 5)


# ---- events ----

def test_an_event_lives_from_post_to_deleted_items(fake, client):
    made = client.create()
    assert made.status_code == 201 and "singleValueExtendedProperties" not in made.json()
    path = "/me/events/" + urllib.parse.quote(made.json()["id"], safe="")
    assert made.json()["body"]["contentType"] == "html"
    assert "line &lt;2&gt;" in made.json()["body"]["content"]
    changed = client.call("PATCH", path, {"subject": "Better"})
    assert changed.status_code == 200 and changed.json()["changeKey"] != made.json()["changeKey"]
    found = client.call("GET", path, headers={
        "Prefer": 'IdType="ImmutableId", outlook.body-content-type="text"'}, **{
            "$expand": f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"}).json()
    assert found["subject"] == "Better" and found["body"]["content"] == "confirmed\r\nline <2>\r\n"
    assert found["singleValueExtendedProperties"] == [{"id": PROPERTY, "value": "a-1"}]
    assert found["start"] == {"dateTime": "2026-03-02T00:00:00.0000000", "timeZone": "UTC"}
    (seen,) = fake.events(ANNA)
    assert (seen["assignment"], seen["version"], seen["isReminderOn"]) == ("a-1", 2, False)
    assert client.call("DELETE", path).status_code == 204
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"subject": "x"})):
        assert refusal(client.call(method, path, body)) == (404, "ErrorItemNotFound")
    assert [seen["folder"] for seen in fake.events(ANNA, None)] == ["deleteditems"]
    fake.control("POST", "settings", {"deleted_items": "visible"})
    assert client.call("PATCH", path, {"subject": "ghost"}).status_code == 200


@pytest.mark.parametrize("changes", [
    {"subjects": "x"}, {"showAs": "Busy"}, {"isAllDay": "true"}, {"categories": "one"},
    {"id": "x"}, {"start": at("2026-03-02", "01:00:00")}, {"end": at("2026-03-02")},
    {"end": at("2026-03-07", zone="UTC")}, {"start": at("2026-03-02", "00:00:00Z")},
    {"start": at("2026-02-30")}, {"start": at("2026-03-02", zone="Mars/Base")}, {"end": None},
    {"start": "2026-03-02"}, {"body": {"contentType": "markdown", "content": ""}},
    {"body": "text"}, {"subject": "x" * 256}, {"isReminderOn": 0}, {"importance": "urgent"},
    {"singleValueExtendedProperties": [{"id": "AmiDashAssignment", "value": "a"}]},
    {"singleValueExtendedProperties": [{"id": PROPERTY}]}])
def test_a_body_that_is_not_right_is_refused(client, changes):
    answer = client.create(**changes)
    assert answer.status_code == 400, answer.text
    assert client.call("GET", "/me/events").json()["value"] == []


def test_dates_of_all_day_events_change_only_together(client):
    path = "/me/events/" + client.create().json()["id"]
    whole = {"isAllDay": True, "start": at("2026-04-01"), "end": at("2026-04-02")}
    for missing in whole:
        part = {name: value for name, value in whole.items() if name != missing}
        assert client.call("PATCH", path, part).status_code == 400
    assert client.call("PATCH", path, {**whole, "end": at("2026-04-01")}).status_code == 400
    assert client.call("PATCH", path, {"transactionId": "t"}).status_code == 400
    assert client.call("PATCH", path, whole).json()["start"]["dateTime"].startswith("2026-04-01")


def test_ids_differ_for_a_client_that_forgets_the_header(client):
    immutable = client.create().json()["id"]
    (regular,) = [e["id"] for e in client.call("GET", "/me/events",
                                               headers={"Prefer": ""}).json()["value"]]
    assert immutable != regular
    assert refusal(client.call("GET", "/me/events/" + regular)) == (400, "ErrorInvalidIdMalformed")
    forgot = client.call("GET", "/me/events/" + immutable, headers={"Prefer": ""})
    assert refusal(forgot) == (400, "ErrorInvalidIdMalformed")


def test_nobody_reaches_another_persons_events(fake, client):
    fake.add_account("ben@example.org", "Ben")
    made = client.create().json()["id"]
    other = Client(fake, "ben@example.org")
    assert refusal(other.call("DELETE", "/me/events/" + made)) == (404, "ErrorItemNotFound")


def test_a_transaction_id_makes_one_event(fake, client):
    first = client.create()
    assert client.create().json()["id"] == first.json()["id"] and len(fake.events(ANNA)) == 1
    other = client.create(subject="Other")
    assert refusal(other) == (400, "ErrorDuplicateTransactionId")
    assert other.json()["error"]["@event.existingEventId"] == first.json()["id"]
    fake.control("POST", "settings", {"duplicate_status": 409, "existing_event_id": False})
    other = client.create(subject="Other")
    assert refusal(other) == (409, "ErrorDuplicateTransactionId")
    assert "@event.existingEventId" not in other.json()["error"]
    client.call("DELETE", "/me/events/" + first.json()["id"])
    assert client.create().status_code == 409
    fake.control("POST", "settings", {"transaction_after_delete": "replay"})
    assert client.create().json()["id"] == first.json()["id"] and not fake.events(ANNA)
    fake.control("POST", "settings", {"transaction_after_delete": "forget"})
    assert client.create().status_code == 201 and len(fake.events(ANNA)) == 1


def test_if_match_holds_off_who_comes_second(client):
    made = client.create().json()
    path = "/me/events/" + made["id"]
    match = {"If-Match": made["@odata.etag"]}
    assert client.call("PATCH", path, {"subject": "x"}, headers=match).status_code == 200
    for method, body in (("PATCH", {"subject": "y"}), ("DELETE", None)):
        late = client.call(method, path, body, headers=match)
        assert refusal(late) == (412, "ErrorIrresolvableConflict")
    assert client.call("PATCH", path, {"subject": "z"}, {"If-Match": "*"}).status_code == 200
    seen = client.call("GET", path, **{"$select": "id,categories,changeKey"}).json()
    assert set(seen) == {"@odata.etag", "id", "categories", "changeKey"}
    assert seen["@odata.etag"] == f'W/"{seen["changeKey"]}"'
    assert client.call("DELETE", path, headers={"If-Match": seen["@odata.etag"]}).ok


def test_events_are_found_by_our_property(fake, client):
    for number in range(3):
        client.create(assignment=f"A-{number}")
    fake.create_event(ANNA, "private")
    listed = client.call("GET", "/me/events", **{"$filter": by_assignment("a-1"), "$select": "id"})
    assert [set(found) for found in listed.json()["value"]] == [{"@odata.etag", "id"}]
    for test, value in (("ne", "null"), ("ne", "")):
        found = client.call("GET", "/me/events", **{"$filter": by_assignment(value, test)}).json()
        assert len(found["value"]) == 3
    for query in ({"$filter": "subject eq 'x'"}, {"$select": "subjekt"}, {"$top": "1001"},
                  {"$orderby": "subject"}, {"$expand": "singleValueExtendedProperties"}):
        assert client.call("GET", "/me/events", **query).status_code == 400


def test_lists_come_in_pages(client):
    for start in (0, 20):
        answer = client.batch(*[creation(n) for n in range(start, start + 13)]).json()
        assert {done["status"] for done in answer["responses"]} == {201}
    pages, url = [], "/me/events?" + urllib.parse.urlencode(
        {"$filter": by_assignment("null", "ne"), "$select": "subject"})
    while url:
        page = client.call("GET", url).json()
        pages.append([found["id"] for found in page["value"]])
        url = page.get("@odata.nextLink", "").replace(client.fake.url + "/v1.0", "")
    assert [len(page) for page in pages] == [10, 10, 6] and len({*sum(pages, [])}) == 26
    assert len(client.call("GET", "/me/events", **{"$top": 1000}).json()["value"]) == 26


def test_a_calendar_view_shows_what_overlaps(client):
    client.create()
    def view(start, end):
        answer = client.call("GET", "/me/calendarView", startDateTime=start, endDateTime=end)
        return len(answer.json()["value"])
    assert view("2026-03-06T00:00:00Z", "2026-03-09T00:00:00Z") == 1
    assert view("2026-03-07T00:00:00", "2026-03-09T00:00:00") == 0
    assert client.call("GET", "/me/calendarView").status_code == 400


def test_scopes_and_mailboxes_are_checked(fake):
    small = Client(fake, scope="openid offline_access User.Read")
    assert refusal(small.call("GET", "/me/events")) == (403, "ErrorAccessDenied")
    assert refusal(small.call("GET", "/me/mailboxSettings")) == (403, "ErrorAccessDenied")
    large = Client(fake, scope=SCOPES + " MailboxSettings.ReadWrite")
    assert large.call("GET", "/me/mailboxSettings").json()["timeZone"] == "Europe/Berlin"
    fake.control("PUT", f"accounts/{ANNA}", {"mailbox": False})
    assert refusal(large.call("GET", "/me/events")) == (404, "MailboxNotEnabledForRESTAPI")
    assert large.call("GET", "/me").status_code == 200


def test_the_master_list_holds_each_category_once(fake):
    client = Client(fake, scope=SCOPES + " MailboxSettings.ReadWrite")
    made = client.call("POST", CATEGORIES, {"displayName": "AmiDash", "color": "preset4"})
    assert made.status_code == 201 and made.json()["displayName"] == "AmiDash"
    assert client.call("POST", CATEGORIES, {"displayName": "amidash",
                                            "color": "preset1"}).status_code == 409
    path = f"{CATEGORIES}/{made.json()['id']}"
    assert client.call("PATCH", path, {"color": "preset24"}).json() == {
        **made.json(), "color": "preset24"}
    for body in ({"displayName": "Other"}, {"color": "preset25"}, {"color": "green"}, {}):
        assert client.call("PATCH", path, body).status_code == 400
    listed = client.call("GET", CATEGORIES).json()["value"]
    assert {c["displayName"]: c["color"] for c in listed} == fake.categories(ANNA)
    assert fake.categories(ANNA)["Green category"] == "preset4"
    assert fake.categories(ANNA)["AmiDash"] == "preset24"
    assert client.call("DELETE", path).status_code == 204
    assert refusal(client.call("GET", path)) == (404, "ErrorItemNotFound")
    reader = Client(fake, scope=SCOPES + " MailboxSettings.Read")
    assert reader.call("GET", CATEGORIES).status_code == 200
    assert refusal(reader.call("POST", CATEGORIES, {"displayName": "x", "color": "none"})) == (
        403, "ErrorAccessDenied")


# ---- batches ----

def test_a_batch_answers_each_item_in_any_order(client):
    items = [creation(n) for n in range(19)] + [item(19, "DELETE", "/me/events/nonsense")]
    orders = set()
    for _ in range(5):
        answers = client.batch(*items).json()["responses"]
        orders.add(tuple(answer["id"] for answer in answers))
        status = {answer["id"]: answer["status"] for answer in answers}
        assert status == {**{str(n): 201 for n in range(19)}, "19": 400}
    assert len(orders) > 1
    made = next(answer["body"]["id"] for answer in answers if answer["status"] == 201)
    gone = client.batch(item("x", "DELETE", "/me/events/" + made)).json()
    assert gone == {"responses": [{"id": "x", "status": 204, "body": None}]}


@pytest.mark.parametrize("items", [
    [], [creation(n) for n in range(21)], [creation("a"), creation("A")],
    [creation(1), creation(2, depends_on=["1"])], [creation(1, dependsOn=["2"]), creation(2)],
    [creation(1), creation(2), creation(3, dependsOn=["1"]), creation(4, dependsOn=["2"])],
    [{**creation(1), "headers": IMMUTABLE}], [item(1, "POST", "/me/events")],
    [{**creation(1), "url": "https://graph.microsoft.com/v1.0/me/events"}],
    [{"method": "GET", "url": "/me"}]])
def test_a_malformed_batch_is_refused_whole(fake, client, items):
    assert client.batch(*items).status_code == 400
    assert fake.events(ANNA) == []


def test_items_run_like_single_requests_do(client):
    made = client.create().json()["id"]
    answers = {a["id"]: a for a in client.batch(
        item(1, "GET", "/me"), item(2, "GET", "me/events?$select=id&$top=1"),
        item(3, "PATCH", "/me/events/" + made.replace("=", "%3D"), {"subject": "x"}),
        item(4, "GET", "/v1.0/me"), item(5, "POST", "/$batch", {"requests": []}),
        item(6, "GET", "/me/events?$filter=" + urllib.parse.quote(by_assignment("a-1")))
    ).json()["responses"]}
    assert {number: answer["status"] for number, answer in answers.items()} == {
        "1": 200, "2": 200, "3": 200, "4": 400, "5": 400, "6": 200}
    assert len(answers["6"]["body"]["value"]) == 1


def test_what_depends_on_a_failure_is_not_tried(fake, client):
    answers = {a["id"]: a["status"] for a in client.batch(
        item(1, "DELETE", "/me/events/nonsense"), creation(2, dependsOn=["1"]),
        creation(3, dependsOn=["2"])).json()["responses"]}
    assert answers == {"1": 400, "2": 424, "3": 424} and fake.events(ANNA) == []


def test_a_mailbox_takes_four_at_a_time_over_all_connections(fake, client):
    fake.latency(300)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(client.batch, *[creation(n) for n in range(4)])
        wait_until(lambda: fake.metric("calrelay_fake_calls") == 1, 5)
        second = Client(fake)
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
    fake.fault("create", "delay", ms=600)
    with pytest.raises(requests.Timeout):
        client.call("POST", "/me/events", event(), timeout=0.2)
    assert fake.events(ANNA) == [] and fake.stats()["calls"] == 1
    wait_until(lambda: len(fake.events(ANNA)) == 1, 5)
    assert fake.stats()["calls"] == 0
    fake.fault("update", "delay", ms=600, when="after")
    with pytest.raises(requests.Timeout):
        client.call("PATCH", "/me/events/" + fake.events(ANNA)[0]["id"], {"subject": "x"},
                    timeout=0.3)
    assert fake.events(ANNA)[0]["subject"] == "x"


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


def test_a_claims_challenge_can_come_any_time(fake, client):
    challenge = 'Bearer error="insufficient_claims", claims="eyJ9"'
    fake.fault("me", "error", status=401, code="InvalidAuthenticationToken",
               www_authenticate=challenge)
    answer = client.call("GET", "/me")
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == challenge


def test_a_fault_that_is_misspelt_is_refused(fake):
    for fault in ({"on": "creat", "do": "error"}, {"on": "create", "do": "explode"},
                  {"on": "create", "do": "error", "tmies": 2}):
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
        wait_until(lambda: fake.metric("calrelay_fake_calls") == 1, 5)
        fake.control("POST", "reset")
        with pytest.raises(requests.ConnectionError):
            waiting.result()
    assert fake.control("GET", "accounts")["accounts"] == []
    assert client.call("GET", "/me").status_code == 401
