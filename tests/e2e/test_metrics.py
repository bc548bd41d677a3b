"""What dashboards read: every metric of docs/metrics.md, and lag against Kafka's own tool."""
import re
import subprocess
import time

import pytest
import requests

from parts.process import ROOT
from parts.system import System

ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, ]*?) ?\| ", re.M)
LABEL_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", re.M)
TYPE = re.compile(r"^# TYPE (\w+) (\w+)$", re.M)
LAG = "calrelay_worker_partition_lag_"


@pytest.fixture(scope="module")
def office(backbone):
    """Two workers and two people, for all stories of this file."""
    made = System(backbone)
    yield made.start(workers=2)
    made.close()


@pytest.fixture(autouse=True)
def calm(office):
    """Each story begins and ends with calendars that are true, and with the same two workers."""
    yield
    for worker in office.workers[2:]:
        worker.kill9()
        office.workers.remove(worker)
    office.fake.clear_faults()
    office.wait_calendars_equal_plan(60)
    office.wait_committed(60)


def told(workers, name):
    """{(topic, partition): value} of all of them; a partition that two of them tell is an error."""
    found = {}
    for worker in workers:
        for (metric, labels), value in worker.metrics().items():
            if metric == name:
                key = dict(labels)["topic"], dict(labels)["partition"]
                assert key not in found, f"{name}{key} is told twice"
                found[key] = value
    return found


def wait_lag(office, workers, wanted, perhaps=None):
    """Until that is the lag, and Kafka's own tool and exactly one of the workers say so of each partition.

    The partition `perhaps` may have any."""
    def is_so():
        said = office.kafka.describe_group(office.group)
        assert len(said) == 24
        assert told(workers, LAG + "records") == {at: row[2] for at, row in said.items()}
        assert told(workers, "calrelay_worker_committed_offset") == {
            at: row[0] for at, row in said.items()}
        assert set(told(workers, LAG + "seconds")) == set(said)
        assert {at: row[2] for at, row in said.items() if row[2] and at != perhaps} == wanted
        return True
    office.wait_until(is_so, 40, "the workers say what Kafka says")


def wait_seconds(office, workers, is_right, what):
    """Until the ages of all partitions, by their places, are what they should be."""
    office.wait_until(lambda: is_right(told(workers, LAG + "seconds")), 20, what)


def oldest(workers):
    return max(worker.metric("calrelay_worker_oldest_unsynced_seconds") for worker in workers)


def caught_up(seconds):
    return set(seconds.values()) == {0}


def test_lag_is_what_kafkas_own_tool_says_whatever_happens(office):
    first, second = office.workers[:2]
    wait_lag(office, [first, second], {})
    wait_seconds(office, [first, second], caught_up, "nothing is behind")

    ada, = office.connect_people(1, partition=5)
    office.wait_committed()
    project = office.create_project()
    office.fake.fault("any", "error", account=ada.email, status=503, times=100_000)
    held, asked = (office.topic, "5"), (office.requests_topic, "5")
    office.create_assignments(project, [ada] * 3)
    office.wait_published()
    made = time.time()

    def wait_held(workers):
        """A pass of hers that a rebalance cut off may have asked for another one."""
        wait_lag(office, workers, {held: 3}, perhaps=asked)
    wait_held([first, second])

    third = office.new_worker().start().wait_ready()
    everybody = [first, second, third]
    office.wait_until(lambda: all(told([worker], LAG + "records") for worker in everybody), 20,
                      "the third has partitions")
    wait_held(everybody)
    assert third.sigterm() == 0
    office.workers.remove(third)
    office.wait_until(lambda: len(told([first, second], LAG + "records")) == 24, 20,
                      "the others have them again")
    wait_held([first, second])
    wait_seconds(office, [first, second], lambda seconds: seconds.pop(held, 0) >= time.time() - made - 1
                 and seconds.pop(asked) < time.time() - made and set(seconds.values()) == {0},
                 "the oldest record is as old as it is")
    office.wait_until(lambda: oldest([first, second]) >= time.time() - made - 1, 20)

    office.fake.clear_faults()
    office.wait_committed(60)
    wait_lag(office, [first, second], {})
    office.wait_until(lambda: oldest([first, second]) == 0, 20, "every calendar is true")
    wait_seconds(office, [first, second], caught_up, "nothing is behind")


def test_a_replay_is_as_old_as_its_log_and_as_late_as_it_takes(office):
    workers = office.workers[:2]
    ada, = office.connect_people(1, partition=6)
    office.create_assignments(office.create_project(), [ada] * 2)
    office.wait_calendars_equal_plan()
    office.wait_committed()
    records = [record for record in office.kafka.read(office.topic) if record.partition == 6]
    for worker in workers:
        assert worker.sigterm() == 0
    office.kafka.reset_offsets(office.group)
    office.fake.fault("any", "error", account=ada.email, status=503, times=100_000)

    def age():
        return time.time() - records[0].timestamp_ms / 1000
    office.wait_until(lambda: age() > 5)  # by which the log is older than the replay, below
    for worker in workers:
        worker.start()
    began = time.time()
    for worker in workers:
        worker.wait_ready()
    office.wait_until(lambda: sum(worker.metric("calrelay_worker_replay_users_left", partition="6")
                                  for worker in workers) == 1, 30, "her calendar is compared")
    wait_lag(office, workers, {(office.topic, "6"): len(records)}, perhaps=(office.requests_topic, "6"))
    wait_seconds(office, workers, lambda seconds: seconds.get((office.topic, "6")) == pytest.approx(
        age(), abs=3), "the lag is as old as the log")
    office.wait_until(lambda: oldest(workers) > 0, 20, "she waits")
    assert oldest(workers) < time.time() - began + 1 < age()

    office.fake.clear_faults()
    office.wait_committed(60)
    wait_lag(office, workers, {})
    office.wait_until(lambda: oldest(workers) == 0, 20, "every calendar is true")
    wait_seconds(office, workers, caught_up, "nothing is behind")


def test_a_log_that_ends_in_a_transactions_marker_has_no_lag(office):
    office.kafka.abort_transaction(office.topic, range(12))
    office.wait_committed()
    wait_lag(office, office.workers[:2], {})
    wait_seconds(office, office.workers[:2], caught_up, "nothing is behind")


def observations(workers, least_s):
    """How many changes took longer than that, of all that were observed."""
    name = "calrelay_worker_end_to_end_seconds"
    return sum(worker.metric(name + "_count") - worker.metric(name + "_bucket", le=str(least_s))
               for worker in workers)


def test_a_change_is_as_late_as_nobody_worked_and_as_its_mailbox_waits(office):
    workers = office.workers[:2]
    ada, = office.connect_people(1, partition=7)
    assignment = office.create_assignment(office.create_project(), ada)
    office.wait_calendars_equal_plan()
    for worker in workers:
        assert worker.sigterm() == 0
    office.update_assignment_status(assignment, "confirmed")
    office.wait_published()
    made = time.time()
    office.fake.fault("update", "throttle", account=ada.email, retry_after=600)
    office.wait_until(lambda: time.time() > made + 3)
    for worker in workers:
        worker.start()

    office.wait_until(lambda: sum(worker.metric("calrelay_worker_parked_users", reason="throttled")
                                  for worker in workers) == 1, 30, "she is parked")
    office.wait_committed()
    wait_seconds(office, workers, caught_up, "no offset waits for her")
    office.wait_until(lambda: oldest(workers) >= time.time() - made - 1, 20)
    assert observations(workers, 2.5) == 0

    office.sql("UPDATE calendar_connections SET not_before = now() WHERE user_id = %s", ada.user_id)
    office.sql("UPDATE calendar_sync_requests SET due_at = now() WHERE user_id = %s "
               "AND state = 'requested'", ada.user_id)
    office.wait_calendars_equal_plan()
    office.wait_until(lambda: observations(workers, 2.5) == 1, 30, "it is observed")
    office.wait_until(lambda: oldest(workers) == 0, 30, "every calendar is true")


def label_values():
    """{(metric, label): what a whole value has to match}"""
    allowed = {}
    for name, label, values in LABEL_ROW.findall((ROOT / "docs/metrics.md").read_text()):
        words = re.findall(r"`([^`]+)`", values)
        if values.startswith("an HTTP status"):
            words.append(r"[1-5]\d\d")
        elif values.startswith("the pattern of a route"):
            words.append(r"/[a-z/*.-]*")
        elif label == "result" and "code of" in values:
            words = [r"[a-z_]+"]
        allowed[name, label] = re.compile("|".join(words))
    return allowed


def assert_labels_are_of_closed_sets(office, program, names):
    allowed, texts = label_values(), {office.topic, office.requests_topic}
    for name, labels in program.metrics():
        base = name if name in names else re.sub(r"_(bucket|sum|count)$", "", name)
        wanted = set(filter(None, names[base][1].split(", ")))
        assert {label for label, _ in labels} - {"le"} == wanted, f"{name} has {labels}"
        for label, value in labels:
            if label == "topic":
                assert value in texts
            elif label == "partition":
                assert value in map(str, range(12))
            elif base != "calrelay_build_info" and label != "le":
                assert allowed[base, label].fullmatch(value), f"{name}: {label}={value}"


def do_odd_things(office):
    """What others could try to get into a label."""
    ada, = office.connect_people(1)
    odd = 'Ada "the\\first" {x="1"} <b>ada.lovelace@example.com</b>'
    office.create_assignment(office.create_project(odd, notes=odd), ada, status=odd, notes=odd)
    office.create_assignment(office.create_project(odd, end="2026-01-01"), ada)
    office.kafka.produce(office.topic, 0, odd.encode(), odd.encode(), [("calrelay.pos", b"x")])
    office.sql("INSERT INTO calendar_connections (user_id, access_token, refresh_token, "
               "token_expires_at, status_reason, not_before) VALUES (%s, 'a', 'b', now(), %s, "
               "now() + interval '1 hour')", office.add_people(1)[0].user_id, odd + "\n")
    url = office.connect.url
    for path in (f"/{ada.user_id}", "/my-schedule/%22%0a", f"/api/calendar/requests/{ada.user_id}",
                 "/api/auth/microsoft/callback?error=ada.lovelace&state=x&code=%22%0a"):
        ada.browser.get(url + path, timeout=20, allow_redirects=False)
        requests.request("ODD", url + path, timeout=20)
    office.wait_until(lambda: office.worker.metric("calrelay_worker_parked_users", reason="other")
                      + office.workers[1].metric("calrelay_worker_parked_users", reason="other")
                      == 1, 30, "somebody's odd reason is counted")
    office.wait_until(office.dlq_records, 30, "the odd record is buried")


def test_every_program_tells_exactly_the_metrics_of_the_document(office):
    do_odd_things(office)
    rows = {name: (kind, labels) for name, kind, labels
            in ROW.findall((ROOT / "docs/metrics.md").read_text())}
    for program, room in ((office.producer, "producer"), (office.worker, "worker"),
                          (office.workers[1], "worker"), (office.connect, "connect")):
        answer = requests.get(program.url + "/metrics", timeout=20)
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert dict(TYPE.findall(answer.text)) == {
            name: kind for name, (kind, _) in rows.items()
            if name.startswith((f"calrelay_{room}_", "process_", "calrelay_build_info"))}
        checked = subprocess.run(["promtool", "check", "metrics"], input=answer.text, text=True,
                                 capture_output=True)
        assert checked.returncode == 0 and not checked.stdout + checked.stderr, checked.stderr
        assert_labels_are_of_closed_sets(office, program, rows)
        for secret in ("@", "Ada", "ada.", *(str(person.user_id) for person in
                                             office.people.values())):
            assert secret not in answer.text
