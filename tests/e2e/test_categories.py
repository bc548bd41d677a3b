"""What a status looks like as a category, and that the person's own categories stay."""
OURS = {"AmiDash: Confirmed": "preset4", "AmiDash: Tentative": "preset3",
        "AmiDash: Option": "preset1", "AmiDash: Requested": "preset7", "AmiDash: Other": "preset8"}


def categories(pipeline, person, assignment):
    return pipeline.event_of(person, assignment)["categories"]


def wait_categories(pipeline, person, assignment, wanted):
    pipeline.wait_until(lambda: categories(pipeline, person, assignment) == wanted, 30,
                        f"categories {wanted}")
    pipeline.wait_committed()


def add_by_hand(pipeline, person, assignment, *names):
    event = pipeline.event_of(person, assignment)
    pipeline.fake.edit_event(person.email, event["id"],
                             categories=[*event["categories"], *names])


def sync_now(pipeline, person):
    pipeline.age_requests()
    assert person.wait_request(person.sync_now())["state"] == "done"


def test_what_a_person_adds_to_an_event_stays_and_ours_is_right(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project()
    assignment, other = pipeline.create_assignments(project, [ada] * 2)
    pipeline.wait_calendars_equal_plan()
    add_by_hand(pipeline, ada, assignment, "Travel")

    mark = pipeline.fake.mark()
    sync_now(pipeline, ada)
    assert pipeline.fake.writes(mark) == [], "what the person adds is no drift"
    pipeline.update_assignment_status(assignment, "confirmed")
    wait_categories(pipeline, ada, assignment, ["Green category", "Travel"])

    mark = pipeline.fake.mark()
    pipeline.redate_project(project, "2026-04-01", "2026-04-02")
    pipeline.wait_until(lambda: pipeline.event_of(ada, assignment)["start"]["dateTime"].startswith(
        "2026-04-01"), 30, "the new dates")
    pipeline.wait_committed()
    assert categories(pipeline, ada, assignment) == ["Green category", "Travel"]
    assert len(pipeline.fake.writes(mark)) == 2, "nobody had to look first"

    add_by_hand(pipeline, ada, assignment, "Family")
    add_by_hand(pipeline, ada, other, "Gym")  # nobody knows yet that there are any
    pipeline.bulk_update_assignment_status([assignment, other], "option")
    wait_categories(pipeline, ada, assignment, ["Orange category", "Travel", "Family"])
    wait_categories(pipeline, ada, other, ["Orange category", "Gym"])


def test_ours_comes_back_where_a_person_took_it_away(pipeline):
    ada, = pipeline.connect_people(1)
    project = pipeline.create_project()
    by_sync, by_change = pipeline.create_assignments(project, [ada] * 2)
    pipeline.wait_calendars_equal_plan()
    for assignment in (by_sync, by_change):
        pipeline.fake.edit_event(ada.email, pipeline.event_of(ada, assignment)["id"],
                                 categories=["Travel", "Blue category"])

    pipeline.sql("UPDATE project_assignments SET notes = 'bring boots' WHERE id = %s", by_change)
    wait_categories(pipeline, ada, by_change, ["Yellow category", "Travel"])
    assert categories(pipeline, ada, by_sync) == ["Travel", "Blue category"]
    sync_now(pipeline, ada)
    assert categories(pipeline, ada, by_sync) == ["Yellow category", "Travel"]


def reconnect(system, person, mailbox_settings):
    """Signs in again where connect asks for another permission; until the sync it files is over."""
    assert system.connect.sigterm() == 0
    system.connect.with_settings(CALRELAY_MAILBOX_SETTINGS=mailbox_settings).start().wait_ready()
    person.connect()
    system.wait_connected([person])
    system.wait_committed()


def master_list(system, person):
    answer = system.fake.control("GET", "categories", account=person.email)
    return {category["displayName"]: category["color"] for category in answer["categories"]}


def test_where_we_may_our_own_categories_are_made_and_carried(system):
    system.connect.with_settings(CALRELAY_MAILBOX_SETTINGS="write")
    system.start()
    ada, = system.connect_people(1)
    assert master_list(system, ada).items() >= OURS.items()

    mark = system.fake.mark()
    assignment = system.create_assignment(system.create_project(), ada)
    system.wait_until(lambda: system.event_of(ada, assignment), 30, "the event")
    assert categories(system, ada, assignment) == ["AmiDash: Tentative"]
    add_by_hand(system, ada, assignment, "Travel")
    system.update_assignment_status(assignment, "confirmed")
    wait_categories(system, ada, assignment, ["AmiDash: Confirmed", "Travel"])
    assert system.fake.requests(mark, kinds={"categories"}) == [], "changes don't look"
    sync_now(system, ada)
    looked, = system.fake.requests(mark, kinds={"categories"})
    assert looked["method"] == "GET", "all of them were there"

    reconnect(system, ada, "none")
    assert categories(system, ada, assignment) == ["Green category", "Travel"]
    reconnect(system, ada, "write")
    assert categories(system, ada, assignment) == ["AmiDash: Confirmed", "Travel"]
