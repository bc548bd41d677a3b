"""My Schedule in a real Chromium: what people do there, what they see, and what keeps some of them out."""
import re

from parts import node
from parts.process import ROOT, free_port
from parts.programs import build_folder
from parts.scenes import SCENES, Stage

SCRIPTS = ROOT / "tests/page"
EVENTS = 45  # three batches: progress has something to count


def answers_about(system, ada, events):
    """What the scripts may ask."""
    def finished(kind):
        return system.value("SELECT count(*) FROM calendar_sync_requests WHERE user_id = %s "
                            "AND kind = %s AND state = 'done'", ada.user_id, kind)
    return {"person": lambda: {"baseURL": system.connect.url, "link": ada.sign_in_link(),
                               "email": ada.email, "events": events},
            "age_requests": system.age_requests,
            "latency": system.fake.latency,
            "connections": lambda: system.value(
                "SELECT count(*) FROM calendar_connections WHERE user_id = %s", ada.user_id),
            "finished": finished}


def browse(script, answers):
    print("\n".join(node.converse(SCRIPTS / script, answers)))


def test_without_javascript_everything_works_by_forms(pipeline):
    ada, = pipeline.add_people(1)
    pipeline.create_assignments(pipeline.create_project(), [ada] * 3)

    browse("without_script.js", answers_about(pipeline, ada, events=3))

    assert len(pipeline.calendar(ada.email)) == 3


def test_a_person_connects_synchronises_and_disconnects(pipeline):
    ada, = pipeline.add_people(1)
    pipeline.create_assignments(pipeline.create_project(), [ada] * EVENTS)
    pipeline.fake.create_event(ada.email, "Dentist")

    browse("round_trip.js", answers_about(pipeline, ada, EVENTS))

    assert [event["subject"] for event in pipeline.calendar(ada.email)] == ["Dentist"]


def codes():
    """Every ?error= that connect knows, and one that it doesn't."""
    known = re.findall(r'\] = \{"(\w+)", \d', (ROOT / "connect/words.c").read_text())
    return ["nonsense", *known[1:]]


def stage_of(desk, ada, **more):
    """What scripts need that go from state to state without a worker."""
    stage = Stage(desk, ada)
    return {"play": stage.play, "progress": stage.progress, "finish": stage.finish,
            "filed": stage.filed, "stage": lambda: {
                "baseURL": desk.connect.url, "link": ada.sign_in_link(), "email": ada.email, **more}}


def test_in_every_state_the_page_is_accessible_and_fits(desk):
    ada, = desk.add_people(1)
    folder = build_folder() / "screenshots"
    folder.mkdir(exist_ok=True)
    scenes = [(name, badge) for name, (_, badge) in SCENES.items()]

    browse("states.js", stage_of(desk, ada, folder=folder, scenes=scenes, codes=codes()))


def test_the_keyboard_is_enough_and_updates_take_nothing_away(desk):
    ada, = desk.add_people(1)

    browse("keyboard.js", stage_of(desk, ada))


def test_the_page_is_embedded_by_whom_the_operator_lists(system):
    hosts = {name: {"port": port, "url": f"http://127.0.0.1:{port}"}
             for name, port in (("listed", free_port()), ("stranger", free_port()))}
    system.connect.with_settings(CALRELAY_FRAME_ANCESTORS=hosts["listed"]["url"])
    system.fake.start().wait_ready()
    system.connect.start().wait_ready()
    ada, = system.add_people(1)

    browse("embedded.js", stage_of(system, ada, hosts=hosts))
