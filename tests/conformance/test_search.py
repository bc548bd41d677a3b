"""Events found by our property, in pages, and in a view."""
import urllib.parse

import pytest

from parts.microsoft import EXPAND, PROPERTY, at, by_assignment, event, item, statuses


def test_our_property_finds_an_event_whatever_the_case_of_its_value(graph, assignment):
    made = graph.create(assignment.upper()).json()
    graph.create(assignment + "-other")
    query = {"$select": "id", "$expand": EXPAND}
    (found,) = graph.wait_found(assignment, **query)
    assert found["id"] == made["id"] and "subject" not in found
    (kept,) = found["singleValueExtendedProperties"]
    assert kept["value"] == assignment.upper() and kept["id"].lower() == PROPERTY.lower()


@pytest.mark.switch("search")
def test_a_search_finds_what_was_just_created(graph, assignment, switch):
    made = graph.create(assignment).json()
    at_once = [one["id"] for one in graph.find(assignment)] == [made["id"]]
    graph.wait_found(assignment)
    switch.saw("prompt" if at_once else "late")


@pytest.mark.parametrize("value", ["null", ""])
def test_every_marked_event_is_listed_in_pages(ms, graph, value):
    values = [ms.new_assignment() for _ in range(13)]
    done = graph.batch(*[item(n, "POST", "/me/events", event(one))
                         for n, one in enumerate(values)])
    assert set(statuses(done).values()) == {201}
    for one in values:
        graph.wait_found(one)
    graph.create(ms.new_assignment(), singleValueExtendedProperties=None)
    first = "/me/events?" + urllib.parse.urlencode({
        "$filter": by_assignment(value, "ne"), "$select": "id", "$expand": EXPAND, "$top": 5})
    pages = list(graph.pages(first))
    listed = [one["singleValueExtendedProperties"][0]["value"] for one in sum(pages, [])]
    assert len(pages) >= 3 and all(len(page) <= 5 for page in pages)
    assert [listed.count(one) for one in values] == [1] * 13
    assert len({one["id"] for one in sum(pages, [])}) == len(listed)


def test_a_page_has_ten_events_unless_more_are_asked_for(ms, graph):
    values = [ms.new_assignment() for _ in range(11)]
    graph.batch(*[item(n, "POST", "/me/events", event(one)) for n, one in enumerate(values)])
    for one in values:
        graph.wait_found(one)
    ours = {"$filter": by_assignment("null", "ne"), "$select": "id"}
    assert len(graph.call("GET", "/me/events", **ours).json()["value"]) == 10
    assert len(graph.call("GET", "/me/events", **ours, **{"$top": 1000}).json()["value"]) >= 11


@pytest.mark.parametrize("query", [{"$select": "subjekt"}, {"$filter": "subjekt eq 'x'"},
                                   {"$filter": "singleValueExtendedProperties/Any("},
                                   {"$expand": "singleValue"}])
def test_a_query_that_is_none_is_refused(graph, query):
    assert graph.call("GET", "/me/events", **query).status_code == 400


@pytest.mark.parametrize("query", [{"$filter": "subject eq 'x'"}, {"$top": "1001"},
                                   {"$orderby": "subject"},
                                   {"$expand": "singleValueExtendedProperties"}])
def test_queries_that_we_never_ask_may_be_refused(ms, graph, query):
    ms.refuses(graph.call("GET", "/me/events", **query), f"GET with {query}")


def test_a_view_shows_what_overlaps(graph, assignment):
    graph.create(assignment, start=at("2037-03-02", zone="UTC"), end=at("2037-03-07", zone="UTC"))
    def view(start, end):
        answer = graph.call("GET", "/me/calendarView", startDateTime=start, endDateTime=end)
        return len(answer.json()["value"])
    assert view("2037-03-06T00:00:00Z", "2037-03-09T00:00:00Z") == 1
    assert view("2037-03-07T00:00:00", "2037-03-09T00:00:00") == 0
    assert graph.call("GET", "/me/calendarView").status_code == 400
