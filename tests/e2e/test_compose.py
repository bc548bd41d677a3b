"""docker-compose.yml as it is: brought up from nothing, its demo's people connected, a worker killed, taken down.

Real PostgreSQL, Kafka and Prometheus stand for the images of others; there is no Grafana to be had."""
import psycopg2
import pytest
import requests
import yaml

from lint.monitoring import rules
from parts import composed, containers
from parts.process import ROOT

pytestmark = pytest.mark.slow
PROMETHEUS = "http://127.0.0.1:9090/api/v1"


@pytest.fixture(scope="module")
def compose(tmp_path_factory, commit):
    """The file with images built from it, and nothing up."""
    containers.build(tmp_path_factory.mktemp("images"), commit)
    made = composed.Compose(composed.build_peers(), commit)
    made.build()  # the same layers again, by the file's own words
    made.clear()  # of what a killed run left
    with composed.own_network():
        yield made
        made.clear()


@pytest.fixture(scope="module")
def demo_that_is_up(compose):
    compose.up()
    return composed.Composed()


@pytest.fixture
def demo(demo_that_is_up, request):
    request.node.system = demo_that_is_up
    return demo_that_is_up


@pytest.fixture
def connected(demo):
    """The demo with everybody connected through the seed's links."""
    if not demo.connected:
        for program in demo.readied:
            demo.wait_until(program.is_ready, 120, f"{program.name} is ready")
        for person in demo.seeded_people():
            person.connect()
        demo.wait_connected(demo.people.values(), 120)
    return demo


def test_up_gives_a_demo_whose_people_find_the_plan_in_their_calendars(connected):
    demo = connected
    demo.wait_calendars_equal_plan(60)
    assert len(demo.connected) == 8
    assert sum(len(demo.calendar(email)) for email in demo.connected) == 30
    for person in demo.people.values():
        page = person.browser.get(f"{demo.connect.url}/my-schedule", timeout=20)
        assert page.status_code == 200 and "Connected" in page.text and person.email in page.text


def test_every_health_check_of_the_file_and_the_images_passes(connected):
    checked = {name for name, container in connected.containers.items() if container.check()}
    assert checked == {"postgres", "kafka", "producer", "worker-1", "worker-2", "connect", "fake"}
    for name in checked:
        connected.wait_until(connected.containers[name].is_healthy, 30, f"{name} is healthy")


def test_prometheus_scrapes_every_program_and_evaluates_our_rules(connected):
    config = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    wanted = {(job["job_name"], group["labels"]["instance"]) for job in config["scrape_configs"]
              for group in job["static_configs"]}

    def all_up():
        targets = asked("targets")["activeTargets"]
        assert {(one["labels"]["job"], one["labels"]["instance"]) for one in targets} == wanted
        assert {one["health"] for one in targets} == {"up"}, [one["lastError"] for one in targets]
        return True
    connected.wait_until(all_up, 60, "everything is scraped")
    named = {rule.get("alert") or rule["record"] for _, rule in rules()}

    def all_evaluated():
        found = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
        assert {rule["name"] for rule in found} == named
        assert {rule["health"] for rule in found} == {"ok"}, found
        return True
    connected.wait_until(all_evaluated, 60, "every rule is evaluated")


def asked(what):
    answer = requests.get(f"{PROMETHEUS}/{what}", timeout=10).json()
    assert answer["status"] == "success", answer
    return answer["data"]


def test_a_change_in_postgresql_arrives_in_the_calendar(connected):
    person, project = connected.people["anna@example.com"], connected.create_project("Globex")
    made = connected.create_assignment(project, person, "confirmed")
    connected.wait_calendars_equal_plan()
    assert connected.event_of(person, made)["subject"] == "Globex"
    connected.remove_assignment(made)
    connected.wait_calendars_equal_plan()
    assert connected.event_of(person, made) is None


def test_nobody_comes_to_postgresql_without_its_password(connected):
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connected.postgres.connect(connected.database, password="wrong")


def test_a_killed_worker_comes_back_by_itself_and_a_replaced_one_takes_its_place(connected, compose):
    """Nothing is lost, and nothing is made a second time."""
    demo = connected
    assignments = [row["id"] for row in demo.sql("SELECT id FROM project_assignments")]
    worker = demo.containers["worker-1"]
    mark, first = demo.fake.mark(), worker.inspect()
    demo.fake.latency(150)
    demo.bulk_update_assignment_status(assignments, "requested")
    demo.wait_until(lambda: demo.fake.writes(mark), 30, "the bulk change begins")
    worker.kill9()
    demo.fake.latency(0)
    demo.wait_until(lambda: worker.state()["Running"] and demo.workers[0].is_ready(), 120,
                    "the worker is there again")
    assert worker.state()["Pid"] != first["State"]["Pid"]
    demo.wait_calendars_equal_plan(120)

    demo.bulk_update_assignment_status(assignments, "confirmed")
    assert containers.podman("rm", "--force", "--time", "60", worker.container).status == 0
    compose.up("worker-1")
    assert worker.inspect()["Id"] != first["Id"]
    demo.wait_until(demo.workers[0].is_ready, 120, "the new worker is ready")
    demo.wait_calendars_equal_plan(120)
    demo.wait_committed(60)
    assert demo.fake.requests(mark, kinds={"create", "delete"}) == []


def test_down_leaves_nothing(connected, compose):
    assert all(compose.left().values())
    compose.down()
    assert not any(compose.left().values()), compose.left()
