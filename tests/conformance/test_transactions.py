"""transactionId, and what becomes of a deleted event."""
import pytest

from parts.microsoft import path_of, refusal

DUPLICATE = "ErrorDuplicateTransactionId"


def test_the_same_content_again_is_the_same_event(graph, assignment):
    first, again = graph.create(assignment), graph.create(assignment)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert graph.wait_found(assignment)


@pytest.mark.switch("duplicate_status")
def test_other_content_is_a_duplicate(graph, assignment, switch):
    graph.create(assignment)
    refused = refusal(graph.create(assignment, subject="Other"))
    assert refused.code == DUPLICATE
    switch.saw(refused.status)
    assert graph.wait_found(assignment)


@pytest.mark.switch("existing_event_id")
def test_the_refusal_may_name_the_event(graph, assignment, switch):
    first = graph.create(assignment).json()
    error = graph.create(assignment, subject="Other").json()["error"]
    assert error.get("@event.existingEventId", first["id"]) == first["id"]
    switch.saw("@event.existingEventId" in error)


@pytest.mark.switch("transaction_after_delete")
def test_a_transaction_id_after_its_event_was_deleted(graph, assignment, switch):
    first = graph.create(assignment).json()
    assert graph.call("DELETE", path_of(first["id"])).status_code == 204
    again = graph.create(assignment)
    if again.status_code == 201:
        switch.saw("replay" if again.json()["id"] == first["id"] else "forget")
    else:
        assert refusal(again).code == DUPLICATE
        switch.saw("refuse")


@pytest.mark.switch("deleted_items")
def test_a_deleted_event_may_answer_to_its_immutable_id(graph, assignment, switch):
    path = path_of(graph.create(assignment).json()["id"])
    assert graph.call("DELETE", path).status_code == 204
    answers = [graph.call(method, path, body) for method, body in (
        ("GET", None), ("PATCH", {"subject": "ghost"}), ("DELETE", None))]
    seen = [answer.status_code for answer in answers]
    assert seen in ([404, 404, 404], [200, 200, 204])
    assert seen[0] == 200 or {refusal(answer).code for answer in answers} == {"ErrorItemNotFound"}
    switch.saw("visible" if seen[0] == 200 else "hidden")
    assert graph.find(assignment) == [], "a search does not find what is deleted"


def test_another_transaction_id_makes_another_event(graph, assignment):
    for transaction in ("first", "second", None):
        name = transaction and f"{assignment}-{transaction}"
        assert graph.create(assignment, transactionId=name).status_code == 201
    assert graph.wait_found(assignment, 3)
