"""microsoft.py - Microsoft as its clients see it: signing in, tokens, Graph's calls and bodies."""
import base64
import collections
import hashlib
import secrets
import urllib.parse

import requests

PROPERTY = "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name AmiDashAssignment"
SCOPES = ("openid profile offline_access https://graph.microsoft.com/Calendars.ReadWrite "
          "https://graph.microsoft.com/User.Read")
SETTINGS_SCOPE = "https://graph.microsoft.com/MailboxSettings.ReadWrite"
CATEGORIES = "/me/outlook/masterCategories"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
SECONDS_MAX = 60


class Application:
    """An application as it is registered with a tenant, and that tenant's endpoints."""

    def __init__(self, login_url, tenant_id, client_id, client_secret, redirect_uri):
        self.login_url, self.tenant_id = login_url.rstrip("/"), tenant_id
        self.client_id, self.client_secret = client_id, client_secret
        self.redirect_uri = redirect_uri

    def endpoint(self, name):
        return f"{self.login_url}/{self.tenant_id}/{name}"

    def question(self, **changes):
        """What authorize is asked; None leaves a parameter out."""
        asked = {"client_id": self.client_id, "redirect_uri": self.redirect_uri,
                 "response_type": "code", "response_mode": "query", "scope": SCOPES,
                 "state": secrets.token_urlsafe(16), "nonce": secrets.token_urlsafe(16),
                 "code_challenge_method": "S256", **changes}
        return {name: value for name, value in asked.items() if value is not None}

    def authorize_url(self, **question):
        return (self.endpoint("oauth2/v2.0/authorize") + "?"
                + urllib.parse.urlencode(self.question(**question)))

    def token(self, **form):
        whole = {"client_id": self.client_id, "client_secret": self.client_secret, **form}
        return requests.post(self.endpoint("oauth2/v2.0/token"), timeout=SECONDS_MAX,
                             data={name: value for name, value in whole.items()
                                   if value is not None})

    def redeem(self, code, verifier, **changes):
        return self.token(**{"grant_type": "authorization_code", "code": code,
                             "redirect_uri": self.redirect_uri, "code_verifier": verifier,
                             **changes})

    def refresh(self, refresh_token, **changes):
        return self.token(**{"grant_type": "refresh_token", "refresh_token": refresh_token,
                             **changes})


def challenge(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Graph:
    """One signed-in person's Graph."""

    def __init__(self, url, access_token):
        self.url = url.rstrip("/")
        self.http = requests.Session()
        self.http.headers["Authorization"] = "Bearer " + access_token

    def call(self, method, path, body=None, headers=None, timeout=SECONDS_MAX, **query):
        return self.http.request(method, self.url + "/v1.0" + path, json=body, params=query,
                                 headers={**IMMUTABLE, **(headers or {})}, timeout=timeout)

    def create(self, assignment="a-1", headers=None, **changes):
        return self.call("POST", "/me/events", event(assignment, **changes), headers)

    def batch(self, *items, headers=None, timeout=SECONDS_MAX):
        return self.call("POST", "/$batch", {"requests": items}, headers, timeout)

    def find(self, assignment, **query):
        """The events that carry our property with that value."""
        answer = self.call("GET", "/me/events", **{"$filter": by_assignment(assignment), **query})
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def pages(self, path):
        """The values of each page."""
        while path:
            page = self.call("GET", path).json()
            yield page["value"]
            path = page.get("@odata.nextLink", "").removeprefix(self.url + "/v1.0")


def event(assignment="a-1", **changes):
    """An event as the worker writes one; None leaves a member out."""
    whole = {"subject": "Acme", "body": {"contentType": "text", "content": "confirmed\nline <2>"},
             "isAllDay": True, "start": at("2026-03-02"), "end": at("2026-03-07"),
             "showAs": "busy", "categories": ["Green category"], "isReminderOn": False,
             "transactionId": f"t-{assignment}",
             "singleValueExtendedProperties": [{"id": PROPERTY, "value": assignment}], **changes}
    return {name: value for name, value in whole.items() if value is not None}


def at(day, clock="00:00:00", zone="Europe/Berlin"):
    return {"dateTime": f"{day}T{clock}", "timeZone": zone}


def path_of(event_id):
    return "/me/events/" + urllib.parse.quote(event_id, safe="")


def item(number, method, url, body=None, **more):
    made = {"id": str(number), "method": method, "url": url,
            "headers": {**IMMUTABLE, **({"Content-Type": "application/json"} if body else {})}}
    if body:
        made["body"] = body
    return {**made, **more}


def statuses(answer):
    """{item's id: status} of a batch."""
    return {one["id"]: one["status"] for one in answer.json()["responses"]}


Refusal = collections.namedtuple("Refusal", "status code")


def refusal(answer):
    return Refusal(answer.status_code, answer.json()["error"]["code"])


def by_assignment(value, test="eq"):
    literal = value if value == "null" else f"'{value}'"
    return (f"singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' "
            f"and ep/value {test} {literal})")


EXPAND = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"
