"""What dashboards and alerts ask, a Prometheus that scrapes a running pipeline can answer."""
import math
import re

import pytest
import requests

from lint.monitoring import (dashboards, expression_complaints, expressions, metrics_told, panels,
                             rules)
from parts.prometheus import Prometheus

WINDOW = {"$__rate_interval": "2m", "$__range": "5m", "$job": ".+", "$instance": ".+"}
MOVED = {  # what the pipeline went through shows: {panel: its series that is not 0}
    "overview: Oldest change not in its calendar": {},
    "overview: Dead letters": {},
    "overview: People who must reconnect": {},
    "overview: Calendars connected": {},
    "overview: Commit to calendar": {},
    "overview: People who wait, by reason": {"reason": "throttled"},
    "overview: Throttled share of Graph requests": {},
    "overview: Producers": {},
    "producer: Records per second, by cause": {"cause": "project"},
    "producer: Commit to Kafka": {},
    "producer: WAL that the slot retains": {},
    "worker: Records done per second, by outcome": {"outcome": "synced"},
    "worker: Dead letters, by stage": {"stage": "graph"},
    "worker: Rebalances": {"kind": "revoked"},
    "graph: Answers per second, by status": {"status": "429"},
    "graph: Duration of exchanges": {},
    "graph: Token refreshes, by result": {"result": "refused"},
    "connect: Sign-ins, by result": {"result": "connected"},
    "connect: Requests per second, by route": {"route": "/api/auth/microsoft/callback"},
}


def asked(expression):
    """As Grafana puts its variables in."""
    for name, value in WINDOW.items():
        expression = expression.replace(name, value)
    return expression


@pytest.fixture
def scraped(system):
    """Two producers, two workers of which the second came later, connect; scraped from the start."""
    standby, late = system.new_producer(), system.new_worker()
    prometheus = Prometheus(system.folder, {
        "calrelay-producer": [system.producer, standby],
        "calrelay-worker": system.workers, "calrelay-connect": [system.connect]})
    system.workers.remove(late)
    prometheus.start()
    system.start()
    standby.start()
    system.workers.append(late)
    system.wait_until(lambda: prometheus.query("calrelay_worker_rebalances_total"), 20)
    late.start()
    system.wait_until(lambda: all(len(worker.partitions(topic)) == 6 for worker in system.workers
                                  for topic in (system.topic, system.requests_topic)),
                      30, "each has its partitions, so that nobody changes hands later")
    yield prometheus.wait()
    prometheus.stop()
    standby.kill9()


def first_of_everything(system, prometheus):
    """A count that begins with an event shows only the next one as an increase."""
    system.fake.control("POST", "settings", {"expires_in": 8})
    people = system.connect_people(2)
    project = system.create_project()
    assignments = system.create_assignments(project, people)
    system.wait_calendars_equal_plan()
    system.fake.fault("update", "throttle", people[1].email, retry_after=1)
    system.redate_project(project, "2026-04-01", "2026-04-03")
    system.wait_calendars_equal_plan()
    for begun in ('calrelay_worker_graph_requests_total{status="429"}',
                  'calrelay_worker_graph_requests_total{kind="update",status="200"}',
                  'calrelay_producer_events_total{cause="project"}',
                  'calrelay_connect_requests_total{route="/api/auth/microsoft/callback"}',
                  'calrelay_connect_oauth_callbacks_total{result="connected"} > 0'):
        system.wait_until(lambda: prometheus.query(begun), 30, begun)
    return project, people, assignments


def live_through(system, project, people, assignments):
    """Changes, a dead letter, a throttled mailbox, a refused person, tokens refreshed."""
    ada, alan = people
    edsger, = system.connect_people(1)
    system.fake.fault("update", "throttle", alan.email, retry_after=120)
    system.fake.fault("create", "error", edsger.email, status=400, code="ErrorInvalidRequest")
    system.fake.revoke(ada.email)
    system.bulk_update_assignment_status(assignments, "confirmed")
    system.redate_project(project, "2026-05-04", "2026-05-05")
    system.create_assignment(project, edsger)
    system.wait_until(lambda: ada.connection()["status"] == "needs_reconnect", 30)
    system.wait_until(lambda: len(system.dlq_records()) == 1, 30)
    system.wait_committed()


def programs_tell(system):
    """{series: (None, its labels)} of all that the running programs say.

    A gauge that has no series now, because no replay is under way, shows by its TYPE; its labels
    are those of docs/metrics.md, which lint compares with the source.
    """
    told, types = {}, set()
    for program in (system.producer, system.connect, *system.workers):
        for name, labels in program.metrics():
            told.setdefault(name, (None, set()))[1].update(dict(labels))
        types |= set(re.findall(r"^# TYPE (\w+) gauge$",
                                requests.get(f"{program.url}/metrics", timeout=5).text, re.M))
    documented = metrics_told()
    return {**{name: documented[name] for name in types & set(documented)}, **told}


def panel_queries():
    return [(f"{name}: {panel['title']}", target["expr"])
            for name, dashboard in dashboards().items() for panel in panels(dashboard)
            for target in panel["targets"]]


def unanswered(prometheus):
    """Queries without data, or whose panel does not show what happened."""
    missing, moved = [], set()
    for where, expression in panel_queries():
        found = [(labels, value) for labels, value in prometheus.query(asked(expression))
                 if not math.isnan(value)]
        if not found:
            missing.append(f"{where}: no data for {expression}")
        moved |= {where for labels, value in found
                  if value != 0 and MOVED.get(where, {}).items() <= labels.items()}
    return missing + [f"{where} shows no {MOVED[where] or 'change'}" for where in MOVED
                      if where not in moved]


def all_answered(prometheus):
    missing = unanswered(prometheus)
    assert not missing, "\n".join(missing)
    return True


def test_every_panel_has_data_and_every_rule_can_be_evaluated(system, scraped):
    live_through(system, *first_of_everything(system, scraped))

    system.wait_until(lambda: all_answered(scraped), 30)
    told = programs_tell(system)
    assert [f"{where}: {complaint}" for where, expression, words in expressions()
            for complaint in expression_complaints(expression, words, told)] == []
    evaluated = [rule for group in scraped.get("rules")["groups"] for rule in group["rules"]]
    assert len(evaluated) == len(rules())
    assert {(rule["name"], rule.get("lastError")) for rule in evaluated
            if rule["health"] != "ok"} == set()
    system.wait_until(lambda: "CalrelayDeadLetters" in scraped.firing(), 30)
    assert variable_values(scraped, "overview") == {"calrelay-producer", "calrelay-worker",
                                                    "calrelay-connect"}


def variable_values(prometheus, name):
    """What Grafana offers as jobs."""
    query = dashboards()[name]["templating"]["list"][1]["query"]["query"]
    selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
    return set(prometheus.get(f"label/{label}/values", **{"match[]": selector}))
