"""The master list of categories, by MailboxSettings.ReadWrite."""
import uuid

import pytest

from parts.microsoft import CATEGORIES, refusal


@pytest.fixture
def list_of(ms):
    """The list's Graph and a name that nobody has; what was made of it is gone afterwards."""
    if "MailboxSettings.ReadWrite" not in ms.tokens["scope"]:
        pytest.skip("the tenant grants no MailboxSettings.ReadWrite")
    graph, name = ms.graph(), f"conformance {uuid.uuid4()}"
    yield graph, name
    for one in graph.call("GET", CATEGORIES).json()["value"]:
        if one["displayName"] == name:
            assert graph.call("DELETE", f"{CATEGORIES}/{one['id']}").status_code == 204


def test_a_name_is_there_once_and_only_its_colour_changes(ms, list_of):
    graph, name = list_of
    made = graph.call("POST", CATEGORIES, {"displayName": name, "color": "preset4"})
    assert made.status_code == 201 and made.json()["displayName"] == name
    again = graph.call("POST", CATEGORIES, {"displayName": name, "color": "preset1"})
    assert again.status_code == 409
    path = f"{CATEGORIES}/{made.json()['id']}"
    changed = graph.call("PATCH", path, {"color": "preset24"})
    assert changed.status_code == 200 and changed.json()["color"] == "preset24"
    listed = graph.call("GET", CATEGORIES).json()["value"]
    assert [one["color"] for one in listed if one["displayName"] == name] == ["preset24"]
    ms.refuses(graph.call("PATCH", path, {"displayName": name + "!"}), "PATCH of displayName")
    ms.refuses(graph.call("POST", CATEGORIES, {"displayName": name.upper(), "color": "none"}),
               "a category that differs by case", 409)


@pytest.mark.parametrize("colour", ["green", "preset25", ""])
def test_a_colour_is_one_of_outlooks(list_of, colour):
    graph, name = list_of
    answer = graph.call("POST", CATEGORIES, {"displayName": name, "color": colour})
    assert answer.status_code == 400, answer.text


def test_a_category_that_is_deleted_is_gone(list_of):
    graph, name = list_of
    made = graph.call("POST", CATEGORIES, {"displayName": name, "color": "none"}).json()
    path = f"{CATEGORIES}/{made['id']}"
    assert graph.call("DELETE", path).status_code == 204
    assert refusal(graph.call("GET", path)).status == 404
