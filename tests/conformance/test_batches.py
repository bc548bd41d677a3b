"""JSON batches: their form, their items, what depends on what."""
import urllib.parse

import pytest

from parts.microsoft import IMMUTABLE, by_assignment, event, item, path_of, statuses


@pytest.fixture
def creation(ms):
    """An item that creates an event of its own."""
    def made(number, **more):
        return item(number, "POST", "/me/events", event(ms.new_assignment()), **more)
    return made


def test_twenty_items_are_answered_each(graph, creation):
    items = [creation(n) for n in range(19)] + [item(19, "DELETE", "/me/events/nonsense")]
    answer = graph.batch(*items)
    assert answer.status_code == 200
    assert statuses(answer) == {**{str(n): 201 for n in range(19)}, "19": 400}
    made = next(one["body"]["id"] for one in answer.json()["responses"] if one["status"] == 201)
    gone = graph.batch(item("x", "DELETE", path_of(made))).json()
    assert gone["responses"][0]["status"] == 204 and not gone["responses"][0].get("body")


MALFORMED = {
    "nothing": lambda _new: [],
    "21 items": lambda new: [new(n) for n in range(21)],
    "an id twice, in another case": lambda new: [new("a"), new("A")],
    "a dependency that comes later": lambda new: [new(1, dependsOn=["2"]), new(2)],
    "a dependency on itself": lambda new: [new(1, dependsOn=["1"])],
    "a dependency on nobody": lambda new: [new(1), new(2, dependsOn=["3"])],
    "a body without Content-Type": lambda new: [{**new(1), "headers": IMMUTABLE}],
    "no id": lambda _new: [{"method": "GET", "url": "/me"}],
    "no url": lambda _new: [{"id": "1", "method": "GET"}],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_batch_is_refused_whole(graph, creation, name):
    assert graph.batch(*MALFORMED[name](creation)).status_code == 400
    assert not graph.created


UNUSUAL = {
    "two dependencies of one item": lambda new: [new(1), new(2), new(3, dependsOn=["1", "2"])],
    "a fourth shape of dependencies": lambda new: [new(1), new(2), new(3, dependsOn=["1"]),
                                                   new(4, dependsOn=["2"])],
    "depends_on": lambda new: [new(1), new(2, depends_on=["1"])],
    "a creation without a body": lambda _new: [item(1, "POST", "/me/events")],
    "a whole URL": lambda new: [{**new(1), "url": "https://graph.microsoft.com/v1.0/me/events"}],
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_we_never_send_may_be_refused(ms, graph, creation, name):
    ms.refuses(graph.batch(*UNUSUAL[name](creation)), f"a batch with {name}")


@pytest.mark.parametrize("depends", [
    [None, None, None], [None, "0", "1"], [None, "0", "0"]], ids=["parallel", "serial", "same"])
def test_the_three_shapes_are_taken(graph, creation, depends):
    items = [creation(n, **({"dependsOn": [on]} if on else {})) for n, on in enumerate(depends)]
    assert statuses(graph.batch(*items)) == {"0": 201, "1": 201, "2": 201}


def test_what_depends_on_a_failure_is_not_tried(graph, creation):
    bad = item(1, "DELETE", "/me/events/nonsense")
    serial = graph.batch(bad, creation(2, dependsOn=["1"]), creation(3, dependsOn=["2"]))
    assert statuses(serial) == {"1": 400, "2": 424, "3": 424}
    same = graph.batch(bad, creation(2, dependsOn=["1"]), creation(3, dependsOn=["1"]))
    assert statuses(same) == {"1": 400, "2": 424, "3": 424}
    assert not graph.created


def test_a_url_may_be_encoded_or_not(ms, graph, assignment):
    ids = [graph.create(ms.new_assignment()).json()["id"] for _ in range(2)]
    ids.append(graph.create(assignment).json()["id"])
    made = next((one for one in ids if path_of(one) != "/me/events/" + one), ids[0])
    graph.wait_found(assignment)
    query = by_assignment(assignment)
    answer = graph.batch(
        item(1, "PATCH", path_of(made), {"subject": "x"}),
        item(2, "PATCH", "/me/events/" + made, {"subject": "y"}),
        item(3, "GET", "/me/events?$select=id&$filter=" + urllib.parse.quote(query)),
        item(4, "GET", "/me/events?$select=id&$filter=" + query),
        item(5, "GET", "me/events?$select=id&$top=1"))
    assert statuses(answer) == {str(n): 200 for n in range(1, 6)}
    found = {one["id"]: one["body"].get("value") for one in answer.json()["responses"]}
    assert [len(found["3"]), len(found["4"])] == [1, 1]


def test_paths_stay_below_the_version_and_batches_do_not_nest(graph):
    answer = graph.batch(item(1, "GET", "/me"), item(2, "GET", "/v1.0/me"),
                         item(3, "POST", "/$batch", {"requests": []}))
    status = statuses(answer)
    assert status["1"] == 200 and status["2"] >= 400 and status["3"] >= 400


def test_prefer_holds_for_the_item_that_carries_it(graph, assignment):
    immutable = graph.create(assignment).json()["id"]
    graph.wait_found(assignment)
    found = "/me/events?$select=id&$filter=" + urllib.parse.quote(by_assignment(assignment))
    answer = graph.batch(item(1, "GET", found), {**item(2, "GET", found), "headers": {}},
                         headers=IMMUTABLE)
    ids = {one["id"]: one["body"]["value"][0]["id"] for one in answer.json()["responses"]}
    assert ids["1"] == immutable and ids["2"] != immutable


def test_if_match_holds_for_the_item_that_carries_it(graph, assignment):
    made = graph.create(assignment).json()
    def patch(number, etag):
        one = item(number, "PATCH", path_of(made["id"]), {"subject": f"s{number}"})
        return {**one, "headers": {**one["headers"], "If-Match": etag}}
    assert statuses(graph.batch(patch(1, made["@odata.etag"]))) == {"1": 200}
    assert statuses(graph.batch(patch(1, made["@odata.etag"]))) == {"1": 412}
