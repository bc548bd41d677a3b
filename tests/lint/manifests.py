#!/usr/bin/python3
"""manifests.py - the Kubernetes manifests fit each other, the documents and the monitoring.

usage: manifests.py --write

As a program it makes the PrometheusRule anew from deploy/monitoring/rules.  lint.py calls manifests;
their variables and ports are deployed.py's.
Whether Kubernetes takes them is tests/cluster's to find out.
"""
import pathlib
import re
import sys

import yaml

from documents import options_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MONITORING, RULES = DEPLOY / "monitoring", DEPLOY / "components/monitoring/rules.yaml"
RULES_HEAD = "# Made from deploy/monitoring/rules by tests/lint/manifests.py --write.\n"
SECRET_ROW = re.compile(r"^\| `(calrelay-[a-z-]+)` \| `([a-z.-]+)` \|", re.M)


def objects_of(folder):
    """(file, object) for each manifest; kustomization.yaml is none."""
    for path in sorted(folder.rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            for made in yaml.safe_load_all(path.read_text()):
                yield path.relative_to(ROOT), made


def kustomizations():
    for path in sorted(DEPLOY.rglob("kustomization.yaml")):
        yield path, yaml.safe_load(path.read_text())


def images_and_versions():
    version = re.search(r"project\(calrelay VERSION (\S+)",
                        (ROOT / "CMakeLists.txt").read_text()).group(1)
    for path, made in kustomizations():
        for image in made.get("images", ()):
            if image.get("newTag", version) != version:
                yield f"{path.relative_to(ROOT)}: {image['name']} is not {version}"
        for label in made.get("labels", ()):
            said = str(label["pairs"].get("app.kubernetes.io/version", version))
            if said != version:
                yield f"{path.relative_to(ROOT)}: the version label is {said}"


def selectors():
    """What selects pods has to select those of a template here."""
    found = list(objects_of(DEPLOY))
    pods = [made["spec"]["template"]["metadata"]["labels"] for _path, made in found
            if "labels" in made.get("spec", {}).get("template", {}).get("metadata", {})]
    for path, made in found:
        spec = made.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") or {}
        wanted = selector.get("matchLabels", selector if made["kind"] == "Service" else {})
        if wanted and not any(wanted.items() <= labels.items() for labels in pods):
            yield f"{path}: {made['kind']} {made['metadata']['name']} selects no pod"


def secrets():
    """The README's table, the mounts, the demo's secrets and the ExternalSecrets are one list."""
    table = set(SECRET_ROW.findall((DEPLOY / "README.md").read_text()))
    mounted = set()
    for _path, made in objects_of(DEPLOY / "base"):
        if made["kind"] in ("Deployment", "Job"):
            mounted |= mounts_of(made["spec"]["template"]["spec"])
    demo = yaml.safe_load((DEPLOY / "overlays/demo/kustomization.yaml").read_text())
    given = {(secret["name"], literal.partition("=")[0])
             for secret in demo["secretGenerator"] for literal in secret["literals"]}
    external = {(made["spec"]["target"]["name"], key["secretKey"])
                for _path, made in objects_of(DEPLOY / "components/external-secrets")
                for key in made["spec"]["data"]}
    for what, found in (("mounted", mounted), ("in the demo", given), ("external", external)):
        for name, key in sorted(found ^ table):
            yield f"deploy/README.md and what is {what} differ in {name} {key}"


def mounts_of(pod):
    """{(secret, key)} of the files that the environment names."""
    volumes = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"]
               if "secret" in volume}
    found = set()
    for container in pod["containers"]:
        values = [variable["value"] for variable in container["env"]]
        for mount in container["volumeMounts"]:
            found |= {(volumes[mount["name"]], value.rpartition("/")[2]) for value in values
                      if value.startswith(mount["mountPath"] + "/")}
    return found


def routes():
    """The Ingress brings exactly the paths that the README names."""
    text = (DEPLOY / "README.md").read_text()
    sentence = re.search(r"Route (`/.*?) of the host", text, re.S).group(1)
    ingress = yaml.safe_load((DEPLOY / "components/ingress/ingress.yaml").read_text())
    paths = {path["path"]: path["pathType"]
             for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    if set(re.findall(r"`(/[^`]*)`", sentence)) != set(paths):
        yield f"deploy/README.md and the Ingress differ: {sorted(paths)}"
    for path, kind in paths.items():
        if kind != ("Prefix" if path.endswith("/") else "Exact"):
            yield f"the Ingress's {path} is {kind}"


def partitions(build):
    """One worker for each partition at most, and KEDA looks at the topics that there are."""
    defaults = {name: fallback.strip("`") for name, _file, _meaning, fallback
                in options_of(build, "producer")}
    scaled = yaml.safe_load((DEPLOY / "components/keda/scaledobject.yaml").read_text())["spec"]
    if scaled["maxReplicaCount"] != int(defaults["CALRELAY_PARTITIONS"]):
        yield "the ScaledObject's maxReplicaCount is not CALRELAY_PARTITIONS"
    for trigger in scaled["triggers"]:
        if not trigger["metadata"]["topic"].startswith(defaults["CALRELAY_TOPIC_PREFIX"] + "."):
            yield f"no topic is called {trigger['metadata']['topic']}"


def rules_text():
    """All rules as the one object that prometheus-operator reads."""
    groups = [group for path in sorted((MONITORING / "rules").glob("*.yml"))
              for group in yaml.safe_load(path.read_text())["groups"]]
    return RULES_HEAD + yaml.safe_dump(
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
         "metadata": {"name": "calrelay", "labels": {"app.kubernetes.io/name": "calrelay"}},
         "spec": {"groups": groups}}, sort_keys=False, width=98)


def monitoring():
    """Every rule and every dashboard comes along."""
    if RULES.read_text() != rules_text():
        yield f"{RULES.relative_to(ROOT)}: run tests/lint/manifests.py --write"
    made = yaml.safe_load((MONITORING / "kustomization.yaml").read_text())
    named = set(made["configMapGenerator"][0]["files"])
    there = {str(path.relative_to(MONITORING)) for path in MONITORING.glob("dashboards/*.json")}
    for name in sorted(named ^ there):
        yield f"deploy/monitoring/kustomization.yaml and the dashboards differ in {name}"


def manifests(build):
    """Versions, selectors, secrets, routes, partitions, rules; every complaint."""
    return [*images_and_versions(), *selectors(), *secrets(),
            *routes(), *partitions(build), *monitoring()]


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: manifests.py --write")
    RULES.write_text(rules_text())
