"""monitoring.py - dashboards and alerts hold together: source, rules, tests, sections, metrics.

lint.py calls dashboards_generated, dashboards_in_form, alert_rules, alerts_tested,
alerts_have_sections and metrics_of_expressions; stories use what reads dashboards and rules.
"""
import importlib.machinery
import importlib.util
import json
import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy/monitoring"
ALERTS, METRICS = ROOT / "docs/alerts.md", ROOT / "docs/metrics.md"
METRIC = re.compile(r"\b((?:calrelay|process)_\w+)(?:\{([^}]*)\})?")
RECORD = re.compile(r"\bcalrelay:[\w:]+")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, ]*)\|", re.M)
FIRES = re.compile(r'^ALERTS\{(?=.*alertname="(\w+)")(?=.*alertstate="firing")'
                   r'(?=.*severity="(\w+)").*')
RANGE = re.compile(r"\[([^]]+)\]")
SEVERITIES = ("critical", "warning")
OF_TARGETS = {"job", "instance", "namespace"}  # labels that scraping adds
PARTS = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


# what is there


def metrics_told():
    """{name of a series: (is it counted up, its labels)} by docs/metrics.md."""
    told = {}
    for name, kind, labels in ROW.findall(METRICS.read_text()):
        for part in PARTS[kind]:
            names = {label.strip() for label in labels.split(",") if label.strip()}
            told[name + part] = (kind != "gauge", names | ({"le"} if part == "_bucket" else set()))
    return told


def dashboards():
    """{name: dashboard} as committed."""
    return {path.stem: json.loads(path.read_text())
            for path in sorted((MONITORING / "dashboards").glob("*.json"))}


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def rules():
    """[(file, rule)] of all groups."""
    return [(path.name, rule) for path in sorted((MONITORING / "rules").glob("*.yml"))
            for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def expressions():
    """[(where, expression, labels that words beside it name)] of all panels and rules."""
    found = []
    for name, dashboard in dashboards().items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                words = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
                found.append((f"{name}: {panel['title']}", target["expr"], words))
    for name, rule in rules():
        words = set(re.findall(r"\$labels\.(\w+)", str(rule.get("annotations"))))
        found.append((f"{name}: {rule.get('alert') or rule['record']}", rule["expr"], words))
    return found


def selectors(expression):
    """[(name of a series, names of the labels it is selected by)]"""
    return [(name, set(MATCHER.findall(matchers)))
            for name, matchers in METRIC.findall(expression)]


def grouped(expression):
    return {label.strip() for labels in GROUPING.findall(expression)
            for label in labels.split(",") if label.strip()}


def expression_complaints(expression, words, told):
    """What of an expression, and of the words beside it, no program tells."""
    complaints, labels = [], set(OF_TARGETS)
    for name, matched in selectors(expression):
        if name not in told:
            complaints.append(f"no program tells {name}")
            continue
        labels |= told[name][1]
        complaints += [f"{name} has no label {label}"
                       for label in sorted(matched - told[name][1] - OF_TARGETS)]
    for label in sorted((grouped(expression) | words) - labels):
        complaints.append(f"none of its metrics has a label {label}")
    return complaints


# the checks


def dashboards_generated(_build):
    """dashboards/*.json are what dashboards.yml says."""
    loader = importlib.machinery.SourceFileLoader("generate", str(MONITORING / "generate"))
    spec = importlib.util.spec_from_loader("generate", loader)
    generate = importlib.util.module_from_spec(spec)
    loader.exec_module(generate)
    return generate.differences()


def variable_complaints(dashboard):
    found = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    complaints = []
    if found.get("datasource", {}).get("query") != "prometheus":
        complaints.append("no variable datasource for a Prometheus")
    for name in ("job", "instance"):
        one = found.get(name, {})
        if not (one.get("multi") and one.get("includeAll") and one.get("allValue") == ".+"
                and one.get("datasource", {}).get("uid") == "${datasource}"):
            complaints.append(f"no variable {name} of several values, all at first")
    return complaints


def target_complaints(expression, told):
    complaints = []
    for match in METRIC.finditer(expression):
        name, before = match[1], expression[:match.start()]
        if not {"job", "instance"} <= set(MATCHER.findall(match[2] or "")):
            complaints.append(f"{name} is not selected by job and instance")
        is_counted, is_rated = told.get(name, (False,))[0], re.search(r"(rate|increase)\($", before)
        if is_counted and not is_rated:
            complaints.append(f"{name} is a count: rate or increase it")
        if not is_counted and is_rated:
            complaints.append(f"{name} is no count")
    complaints += [f"a range of {text}" for text in RANGE.findall(expression)
                   if text not in ("$__rate_interval", "$__range")]
    return complaints


def places_complaints(dashboard):
    """Panels that lie over each other or beyond the 24 columns."""
    taken, complaints = {}, []
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            complaints.append(f"{panel['title']}: beyond the right edge")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if taken.setdefault((x, y), panel["id"]) != panel["id"]:
                    return complaints + [f"{panel['title']}: lies over another panel"]
    return complaints


def panel_complaints(panel, told):
    complaints = []
    if not panel["title"] or not panel.get("description", "").endswith("."):
        complaints.append("no title, or no description that ends with a full stop")
    if not panel["fieldConfig"]["defaults"].get("unit"):
        complaints.append("no unit")
    if not panel["targets"]:
        complaints.append("no query")
    for one in [panel, *panel["targets"]]:
        if one["datasource"]["uid"] != "${datasource}":
            complaints.append("a data source of its own")
    for target in panel["targets"]:
        complaints += target_complaints(target["expr"], told)
    return [f"{panel['title']}: {complaint}" for complaint in complaints]


def dashboards_in_form(_build):
    """What Grafana's own linter asks for: variables, words, units, rates, selectors; and places."""
    told, complaints, uids = metrics_told(), [], set()
    for name, dashboard in dashboards().items():
        titles = [panel["title"] for panel in panels(dashboard)]
        found = variable_complaints(dashboard) + places_complaints(dashboard)
        found += [f"two panels are called {title}" for title in set(titles)
                  if titles.count(title) > 1]
        if dashboard["uid"] in uids or dashboard["editable"]:
            found.append("its uid is another's, or it may be edited")
        uids.add(dashboard["uid"])
        for panel in panels(dashboard):
            found += panel_complaints(panel, told)
        complaints += [f"{name}: {complaint}" for complaint in found]
    return complaints


def promtool(*argv):
    done = subprocess.run(["promtool", *argv], cwd=MONITORING, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout.splitlines() if done.returncode != 0 else []


def alert_rules(_build):
    """promtool takes the rules, and their unit tests hold."""
    tests = sorted(map(str, (MONITORING / "tests").glob("*.yml")))
    files = sorted(map(str, (MONITORING / "rules").glob("*.yml")))
    return promtool("check", "rules", *files) or promtool("test", "rules", *tests)


def alerts_tested(_build):
    """Each alert fires in one test, with its severity, and is silent in one."""
    firing, silent = set(), set()
    for path in (MONITORING / "tests").glob("*.yml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for one in test["promql_expr_test"]:
                firing |= {FIRES.sub(r"\1 (\2)", sample["labels"]) for sample in one["exp_samples"]}
                if not one["exp_samples"]:
                    silent |= set(re.findall(r"Calrelay\w+", one["expr"]))
    names = {rule["alert"] for _, rule in rules() if "alert" in rule}
    both = {f"{rule['alert']} ({rule['labels']['severity']})" for _, rule in rules()
            if "alert" in rule}
    return ([f"{name} fires in no test" for name in sorted(both - firing)]
            + [f"{name} is silent in no test" for name in sorted(names - silent)])


def alerts_have_sections(_build):
    """Words, a severity, and a section of docs/alerts.md for each alert; no section without one."""
    complaints, text = [], ALERTS.read_text()
    sections = dict(re.findall(r"^## Alert: (\w+)\n((?:(?!## ).*\n)*)", text, re.M))
    for name, rule in rules():
        if "alert" not in rule:
            continue
        notes, alert = rule["annotations"], rule["alert"]
        if rule["labels"].get("severity") not in SEVERITIES:
            complaints.append(f"{name}: {alert} has no severity")
        if not notes.get("summary") or not notes.get("description", "").rstrip().endswith("."):
            complaints.append(f"{name}: {alert} has no summary, or no description")
        if notes.get("runbook_url") != f"docs/alerts.md#alert-{alert.lower()}":
            complaints.append(f"{name}: the runbook_url of {alert} is another's")
        told = re.search(r"\*\*Means\*\* \(([^)]*)\)", sections.get(alert, ""))
        if told is None or rule["labels"].get("severity", "none") not in told[1]:
            complaints.append(f"docs/alerts.md: no section that tells of {alert}'s severity")
    alerts = {rule["alert"] for _, rule in rules() if "alert" in rule}
    complaints += [f"docs/alerts.md: there is no alert {alert}" for alert in set(sections) - alerts]
    complaints += [f"docs/alerts.md: {alert} lacks {word}" for alert, words in sections.items()
                   for word in ("**Means**", "**Do**", "**Over**") if word not in words]
    anchors = {f"alert-{alert.lower()}" for alert in sections}
    complaints += [f"docs/alerts.md: #{anchor} leads nowhere"
                   for anchor in set(re.findall(r"\(#([\w-]+)\)", text)) - anchors]
    return complaints + sorted(title_complaints(text))


def title_complaints(text):
    """Panels that docs/alerts.md names in italics and no dashboard has."""
    titles = {panel["title"] for dashboard in dashboards().values() for panel in panels(dashboard)}
    prose = re.sub(r"^    .*$|\*\*\w+\*\*", "", text, flags=re.M)
    return {f"docs/alerts.md: no panel is called {title}"
            for title in set(re.findall(r"\*([^*\n]+)\*", prose)) - titles - set(SEVERITIES)}


def metrics_of_expressions(_build):
    """Panels and rules use metrics and labels that docs/metrics.md tells, and what is recorded."""
    told, records = metrics_told(), {rule.get("record") for _, rule in rules()}
    complaints = []
    for where, expression, words in expressions():
        complaints += [f"{where}: {complaint}"
                       for complaint in expression_complaints(expression, words, told)]
        complaints += [f"{where}: nothing records {name}"
                       for name in set(RECORD.findall(expression)) - records]
    return complaints


CHECKS = [dashboards_generated, dashboards_in_form, alert_rules, alerts_tested,
          alerts_have_sections, metrics_of_expressions]
