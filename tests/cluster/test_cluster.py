"""Workers in a real Kubernetes come and go, by lag and by force, and every calendar stays true."""
import os
import random
import signal
import time

import pytest

from deployed import Backbone, Deployed, processes
from parts.host import HostApp, Steadily
from pause import write_pause_image

PEOPLE, GRACE_S = 24, 60
DEPLOYMENTS = ("worker", "producer", "connect")


@pytest.fixture(scope="module")
def node(cluster):
    """The same API server with a node and KEDA."""
    cluster.start_node_runtime()
    cluster.import_image(write_pause_image(cluster.folder))
    cluster.start_node()
    cluster.start_keda()
    return cluster


@pytest.fixture(scope="module")
def world(node):
    """Deployed, with people connected whom workers from KEDA have served once."""
    backbone = Backbone().start()
    made = Deployed(backbone, node, os.environ["CALRELAY_IMAGES"])
    made.start()
    made.people_connected = made.connect_people(PEOPLE)
    yield made
    made.kubectl("delete", "deployment", "--all", "--wait=true", "--timeout=90s")
    made.close()
    backbone.stop()


@pytest.fixture
def two_workers(world):
    """Two at least, whatever the lag; at the end every calendar is true, and nothing was doubled."""
    world.fake.latency(0)
    world.scale_between(2)
    world.wait_workers(lambda count: count >= 2, 120, "two workers are ready")
    yield world
    assert_true_and_single(world)


def assert_true_and_single(world):
    """The fake's calendars equal the plan; no assignment has an event twice, deleted ones neither."""
    world.fake.latency(0)
    world.wait_published(60)
    world.wait_calendars_equal_plan(240)
    for person in world.people_connected:
        events = world.fake.events(person.email)
        ours = [event["assignment"] for event in events if event["assignment"] is not None]
        assert len(ours) == len(set(ours)), person.email


def test_keda_brings_workers_for_a_backlog_and_takes_them_all_when_it_is_done(world):
    world.wait_workers(lambda count: count == 0, 120, "no worker is left after the first sync")
    world.fake.latency(2000)
    projects = [world.create_project(f"Client {number}") for number in range(40)]

    for project in projects:
        world.create_assignments(project, world.people_connected)

    world.wait_workers(lambda count: count >= 3, 120, "three workers or more are ready")
    assert world.kafka.group_state("calrelay")[1] >= 3
    assert_true_and_single(world)
    world.wait_committed(60)
    world.wait_workers(lambda count: count == 0, 180, "no worker is left")


def test_a_rolling_update_of_everything_under_steady_work_loses_and_doubles_nothing(two_workers):
    world = two_workers
    before = {pod["metadata"]["name"] for name in DEPLOYMENTS for pod in world.pods(name)}
    host = HostApp(world, world.people_connected, random.Random(1))

    with Steadily(host, 0.3):
        world.kubectl("rollout", "restart", *[f"deployment/calrelay-{name}"
                                              for name in DEPLOYMENTS])
        for name in DEPLOYMENTS:
            world.wait_rolled_out(name, 240)

    assert not before & {pod["metadata"]["name"] for name in DEPLOYMENTS
                         for pod in world.pods(name)}


def test_workers_are_evicted_one_at_a_time_and_leave_before_their_grace_ends(two_workers):
    world = two_workers
    victims = {pod["metadata"]["name"]: pod for pod in world.ready("worker")}
    begun = time.monotonic()
    first = {name: world.evict(pod) for name, pod in victims.items()}
    assert sorted(first.values()) == [201, *[429] * (len(victims) - 1)]
    evicted = next(name for name, status in first.items() if status == 201)
    world.wait_gone(evicted, GRACE_S)
    assert time.monotonic() - begun < GRACE_S - 10, "it would soon have been killed"

    def all_evicted():
        here = {pod["metadata"]["name"] for pod in world.pods("worker")}
        for name in here & set(victims):
            world.evict(victims[name])
        return not here & set(victims)
    world.cluster.wait_until(all_evicted, 120, "each was evicted once")
    world.wait_workers(lambda count: count >= 2, 120, "two workers are ready again")


def test_a_worker_killed_amid_a_bulk_change_is_started_again_and_loses_and_doubles_nothing(
        two_workers):
    world = two_workers
    world.fake.latency(500)
    assignments = [row["id"] for row in world.sql("SELECT id FROM project_assignments")]
    mark = world.fake.mark()
    world.bulk_update_assignment_status([str(one) for one in assignments], "confirmed")
    world.cluster.wait_until(lambda: world.fake.writes(mark), 60, "the change is under way")

    victim = processes("calrelay-worker")[0]
    os.kill(victim, signal.SIGKILL)

    def restarted():
        return [pod for pod in world.pods("worker")
                if pod["status"]["containerStatuses"][0]["restartCount"] > 0]
    world.cluster.wait_until(restarted, 60, "the kubelet starts it again")
    world.wait_workers(lambda count: count >= 2, 120, "it is ready again")


def test_a_group_that_is_reset_brings_back_what_was_deleted_by_hand_and_nothing_else(two_workers):
    world = two_workers
    assert_true_and_single(world)
    world.wait_committed(60)
    world.kubectl("annotate", "scaledobject", "calrelay-worker",
                  "autoscaling.keda.sh/paused-replicas=0")
    world.wait_workers(lambda count: count == 0, 120, "no worker is left")
    world.cluster.wait_until(lambda: world.kafka.group_state("calrelay")[1] == 0, 60,
                             "nobody is in the group")
    person = world.people_connected[0]
    lost = [event for event in world.fake.events(person.email)
            if event["assignment"] is not None][:3]
    for event in lost:
        world.fake.delete_event(person.email, event["id"])
    mark = world.fake.mark()

    world.kafka.reset_offsets("calrelay", topic=world.topic)
    world.kubectl("annotate", "scaledobject", "calrelay-worker",
                  "autoscaling.keda.sh/paused-replicas-")

    world.wait_workers(lambda count: count >= 2, 120, "workers are there again")
    assert_true_and_single(world)
    world.wait_committed(120)
    written = world.fake.writes(mark)
    assert {record["account"] for record in written} == {person.email}
    assert len(written) == len(lost)
