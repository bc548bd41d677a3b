"""conftest.py - the Microsoft that is asked: the fake, or the one that CONFORMANCE_* names.

Where Microsoft's behaviour is uncertain, a test has the mark `switch` and says what it saw.  Against
the fake it runs once for each position of that switch, and has to see it; against Microsoft it runs
once and has to see one of them."""
import os
import pathlib
import re
import sys
import threading
import urllib.parse
import uuid

import pytest
import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import sign_in  # noqa: E402
from parts import microsoft  # noqa: E402
from parts.process import Folder, free_port, wait_until  # noqa: E402
from parts.programs import Fake  # noqa: E402

ANNA = "anna@example.org"
GRAPH_URL = "https://graph.microsoft.com"
NEEDED = ("CONFORMANCE_TENANT_ID", "CONFORMANCE_CLIENT_ID", "CONFORMANCE_CLIENT_SECRET",
          "CONFORMANCE_REFRESH_TOKEN")
IS_REAL = any(name in os.environ for name in NEEDED)
POSITIONS = {"duplicate_status": [400, 409],
             "existing_event_id": [True, False],
             "transaction_after_delete": ["refuse", "forget", "replay"],
             "deleted_items": ["hidden", "visible"],
             "all_day_zone": ["preferred", "utc"],
             "search": ["prompt", "late"]}
PREFIX = "conformance-"
MARKED = "/me/events?" + urllib.parse.urlencode({
    "$filter": microsoft.by_assignment("null", "ne"), "$select": "id",
    "$expand": microsoft.EXPAND, "$top": 100})
SEEN = []  # lines of the report


def pytest_configure(config):
    config.addinivalue_line("markers", "switch(name): says which position of that setting it saw")
    missing = [name for name in NEEDED if name not in os.environ]
    if IS_REAL and missing:
        raise pytest.UsageError(f"set {', '.join(missing)} too, or none of them for the fake")


def pytest_generate_tests(metafunc):
    mark = metafunc.definition.get_closest_marker("switch")
    if mark:
        positions = [None] if IS_REAL else POSITIONS[mark.args[0]]
        metafunc.parametrize("switch", [(mark.args[0], position) for position in positions],
                             indirect=True, ids=[f"{mark.args[0]}={p}" for p in positions])


def pytest_terminal_summary(terminalreporter):
    if IS_REAL:
        terminalreporter.section("what this Microsoft does")
        for line in SEEN:
            terminalreporter.write_line(line)


class Microsoft:
    """Application, person and Graph; control is the fake's, or None."""

    def __init__(self, app, graph_url, refresh_token, control=None):
        self.app, self.graph_url, self.control = app, graph_url, control
        self.refresh_token = refresh_token
        answer = app.refresh(refresh_token)
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        self.run = uuid.uuid4().hex[:12]

    def graph(self):
        return Graph(self.graph_url, self.tokens["access_token"])

    def sweep(self):
        """Deletes what any run of this suite left in the calendar."""
        graph = self.graph()
        left = [one["id"] for page in graph.pages(MARKED) for one in page
                if one["singleValueExtendedProperties"][0]["value"].startswith(PREFIX)]
        for event_id in left:
            graph.call("DELETE", microsoft.path_of(event_id))
        return left

    def new_assignment(self):
        """A value of our property that nobody else has."""
        return f"{PREFIX}{self.run}-{uuid.uuid4()}"

    def refuses(self, answer, what, status=400):
        """For what we never send: the fake refuses it, Microsoft may let it pass."""
        SEEN.append(f"{what}: {answer.status_code}")
        assert IS_REAL or answer.status_code == status, answer.text


class Graph(microsoft.Graph):
    """Knows the events that were created through it, also by items of batches."""

    def __init__(self, url, access_token):
        super().__init__(url, access_token)
        self.created = set()

    def call(self, method, path, *arguments, **more):
        answer = super().call(method, path, *arguments, **more)
        if (method, path, answer.status_code) == ("POST", "/me/events", 201):
            self.created.add(answer.json()["id"])
        elif (path, answer.status_code) == ("/$batch", 200):
            self.created |= {one["body"]["id"] for one in answer.json()["responses"]
                             if one["status"] == 201}
        return answer

    def wait_found(self, assignment, count=1, **query):
        """Those that a search by our property finds, when they are so many: it may come late."""
        return wait_until(lambda: self._found(assignment, count, query), 60)

    def _found(self, assignment, count, query):
        found = self.find(assignment, **query)
        assert len(found) == count, f"{len(found)} events instead of {count}"
        return found


@pytest.fixture(scope="session")
def the_microsoft():
    if IS_REAL:
        made = Microsoft(sign_in.application(), os.environ.get("CONFORMANCE_GRAPH_URL", GRAPH_URL),
                         os.environ["CONFORMANCE_REFRESH_TOKEN"])
        yield made
        made.sweep()
        return
    folder, redirect = Folder("conformance"), f"http://localhost:{free_port()}/"
    fake = Fake("fake", folder.path, {"FAKE_REDIRECT_URI": redirect}).start().wait_ready()
    fake.add_account(ANNA, "Anna Berg", time_zone="Europe/Berlin")
    app = microsoft.Application(fake.url, "common", "calrelay-client", "calrelay-secret", redirect)
    tokens = sign_in.sign_in(app, visit_the_fake)
    made = Microsoft(app, fake.url, tokens["refresh_token"], fake.control)
    yield made
    assert made.sweep() == [] and fake.events(ANNA) == [], "each test cleans up after itself"
    assert fake.sigterm() == 0, fake.log_tail()
    assert not re.search(r"Sanitizer|runtime error", fake.log_text()), fake.log_text()
    folder.remove()


def visit_the_fake(url):
    """A browser that follows each redirect, so the last of them to the callback."""
    url += "&" + urllib.parse.urlencode({"fake_account": ANNA})
    threading.Thread(target=requests.get, args=[url], kwargs={"timeout": 20}, daemon=True).start()


@pytest.fixture
def ms(the_microsoft):
    return the_microsoft


@pytest.fixture
def graph(ms):
    """The person's Graph; what was created through it is gone afterwards."""
    made = ms.graph()
    yield made
    for event_id in made.created:
        assert made.call("DELETE", microsoft.path_of(event_id)).status_code in (204, 404)


@pytest.fixture
def assignment(ms):
    return ms.new_assignment()


class Switch:
    """One undocumented behaviour: where the fake's switch stands, and what the test saw."""

    def __init__(self, name, position):
        self.name, self.position, self.seen = name, position, []

    def saw(self, position):
        self.seen.append(position)
        SEEN.append(f"{self.name}: {position}")
        assert position in POSITIONS[self.name], "none of what is modelled"
        assert self.position in (None, position), f"the fake's switch stands at {self.position}"


@pytest.fixture
def switch(request, ms):
    name, position = request.param
    made = Switch(name, position)
    if ms.control is not None:
        ms.control("POST", "settings", {name: position})
    yield made
    if ms.control is not None:
        ms.control("POST", "settings", {name: POSITIONS[name][0]})
    assert made.seen, "a test of a switch says what it saw"
