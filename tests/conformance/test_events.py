"""One event's life: what Graph takes, gives back and refuses."""
import pytest

from parts.microsoft import EXPAND, IMMUTABLE, PROPERTY, at, by_assignment, path_of, refusal

TEXT = {"Prefer": 'IdType="ImmutableId", outlook.body-content-type="text"'}
WHOLE = {"isAllDay": True, "start": at("2026-04-01"), "end": at("2026-04-02")}


def test_an_event_lives_from_post_to_delete(graph, assignment):
    made = graph.create(assignment)
    assert made.status_code == 201 and "singleValueExtendedProperties" not in made.json()
    assert (made.json()["showAs"], made.json()["isReminderOn"]) == ("busy", False)
    assert made.json()["body"]["contentType"] == "html"
    assert "line &lt;2&gt;" in made.json()["body"]["content"]
    path = path_of(made.json()["id"])
    changed = graph.call("PATCH", path, {"subject": "Better"})
    assert changed.status_code == 200 and changed.json()["changeKey"] != made.json()["changeKey"]
    assert "singleValueExtendedProperties" not in changed.json()
    found = graph.call("GET", path, headers=TEXT, **{"$expand": EXPAND}).json()
    assert found["subject"] == "Better" and found["changeKey"] == changed.json()["changeKey"]
    assert found["body"]["content"].replace("\r\n", "\n").strip() == "confirmed\nline <2>"
    assert found["singleValueExtendedProperties"] == [{"id": PROPERTY, "value": assignment}]
    assert (found["start"]["dateTime"][:19], found["end"]["dateTime"][:19]) == (
        "2026-03-02T00:00:00", "2026-03-07T00:00:00")
    assert graph.call("DELETE", path).status_code == 204
    assert graph.find(assignment) == []


@pytest.mark.parametrize("changes", [
    {"subjects": "x"}, {"showAs": "Busy?"}, {"isAllDay": "yes"}, {"categories": "one"},
    {"end": at("2026-03-02")}, {"end": at("2026-03-01")}, {"start": at("2026-02-30")},
    {"start": at("2026-03-02", zone="Mars/Base")}, {"start": "2026-03-02"},
    {"body": {"contentType": "markdown", "content": ""}}, {"body": "text"},
    {"singleValueExtendedProperties": [{"id": "AmiDashAssignment", "value": "a"}]}])
def test_a_body_that_is_not_right_is_refused(graph, assignment, changes):
    answer = graph.create(assignment, **changes)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("changes", [
    {"start": at("2026-03-02", "01:00:00")}, {"end": at("2026-03-07", zone="UTC")},
    {"start": at("2026-03-02", "00:00:00Z")}, {"end": None}, {"subject": "x" * 256},
    {"isReminderOn": 0}, {"importance": "urgent"}, {"id": "x"}, {"showAs": "Busy"},
    {"singleValueExtendedProperties": [{"id": PROPERTY}]}])
def test_what_we_never_write_may_be_refused(ms, graph, assignment, changes):
    ms.refuses(graph.create(assignment, **changes), f"POST with {changes}"[:90])


@pytest.mark.parametrize("missing", WHOLE)
def test_dates_of_all_day_events_change_together(ms, graph, assignment, missing):
    path = path_of(graph.create(assignment).json()["id"])
    part = {name: value for name, value in WHOLE.items() if name != missing}
    ms.refuses(graph.call("PATCH", path, part), f"PATCH of an all-day event without {missing}")
    changed = graph.call("PATCH", path, WHOLE)
    assert changed.status_code == 200
    assert changed.json()["start"]["dateTime"].startswith("2026-04-01")
    same_day = graph.call("PATCH", path, {**WHOLE, "end": WHOLE["start"]})
    assert same_day.status_code == 400


def test_a_transaction_id_is_for_creation(ms, graph, assignment):
    path = path_of(graph.create(assignment).json()["id"])
    ms.refuses(graph.call("PATCH", path, {"transactionId": "other"}), "PATCH of transactionId")


@pytest.mark.switch("all_day_zone")
def test_an_all_day_event_reads_midnight_of_some_zone(graph, assignment, switch):
    made = graph.create(assignment).json()
    berlin = {"Prefer": IMMUTABLE["Prefer"] + ', outlook.timezone="Europe/Berlin"'}
    start = graph.call("GET", path_of(made["id"]), headers=berlin).json()["start"]
    assert start["dateTime"].startswith("2026-03-02T00:00:00")
    switch.saw("utc" if start["timeZone"] == "UTC" else "preferred")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
                                  "W. Europe Standard Time"])
def test_zones_are_taken_by_iana_and_windows_names(graph, assignment, zone):
    answer = graph.create(assignment, start=at("2026-03-29", zone=zone),
                          end=at("2026-03-30", zone=zone))
    assert answer.status_code == 201, answer.text


def test_the_longest_that_we_write_is_taken(graph, assignment):
    content = ("0123456789abcdé\n" * 2048)[:32000]
    made = graph.create(assignment, subject="\N{GRINNING FACE}" + "x" * 253,
                        body={"contentType": "text", "content": content})
    assert made.status_code == 201, made.text
    found = graph.call("GET", path_of(made.json()["id"]), headers=TEXT).json()
    assert found["body"]["content"].replace("\r\n", "\n").strip() == content.strip()
    assert found["subject"] == "\N{GRINNING FACE}" + "x" * 253


def test_categories_are_free_names_and_change_as_a_whole(graph, assignment):
    made = graph.create(assignment, categories=["Nobody's name", "Green category"]).json()
    assert sorted(made["categories"]) == ["Green category", "Nobody's name"]
    changed = graph.call("PATCH", path_of(made["id"]), {"categories": ["Blue category"]}).json()
    assert changed["categories"] == ["Blue category"]


def test_ids_are_of_two_kinds(ms, graph, assignment):
    immutable = graph.create(assignment).json()["id"]
    assert [one["id"] for one in graph.wait_found(assignment)] == [immutable]
    (found,) = graph.call("GET", "/me/events", headers={"Prefer": ""}, **{
        "$filter": by_assignment(assignment)}).json()["value"]
    regular = found["id"]
    assert immutable != regular
    assert graph.call("GET", path_of(regular), headers={"Prefer": ""}).status_code == 200
    ms.refuses(graph.call("GET", path_of(regular)), "a regular id where immutable ones are wanted")
    forgot = graph.call("GET", path_of(immutable), headers={"Prefer": ""})
    ms.refuses(forgot, "an immutable id where regular ones are wanted")
    assert refusal(graph.call("GET", "/me/events/nonsense")) == (400, "ErrorInvalidIdMalformed")


def test_if_match_holds_off_who_comes_second(ms, graph, assignment):
    made = graph.create(assignment).json()
    path, match = path_of(made["id"]), {"If-Match": made["@odata.etag"]}
    assert made["@odata.etag"] == f'W/"{made["changeKey"]}"'
    assert graph.call("PATCH", path, {"subject": "x"}, match).status_code == 200
    late = graph.call("PATCH", path, {"subject": "y"}, match)
    assert refusal(late) == (412, "ErrorIrresolvableConflict")
    assert graph.call("PATCH", path, {"subject": "z"}, {"If-Match": "*"}).status_code == 200
    seen = graph.call("GET", path, **{"$select": "id,categories,changeKey"}).json()
    assert {"@odata.etag", "id", "categories", "changeKey"} <= set(seen)
    assert "subject" not in seen
    now = graph.call("PATCH", path, {"subject": "w"}, {"If-Match": seen["@odata.etag"]})
    assert now.status_code == 200


def test_if_match_holds_for_deletions(ms, graph, assignment):
    made = graph.create(assignment).json()
    path = path_of(made["id"])
    graph.call("PATCH", path, {"subject": "x"})
    late = graph.call("DELETE", path, headers={"If-Match": made["@odata.etag"]})
    ms.refuses(late, "DELETE with an old If-Match", 412)
