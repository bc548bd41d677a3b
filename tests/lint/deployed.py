#!/usr/bin/python3
"""deployed.py - what deploy/ and docker-compose.yml say of the programs is what the programs say.

Variables, required ones, ports and the version, against each program's --help and CMakeLists.txt; the compose file
against the compose specification's schema.  lint.py calls compose_file, kustomize_base, image_file,
scraped_by_prometheus and provisioned_in_grafana.
"""
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import jsonschema
import yaml

from documents import PROGRAMS, ROOT, options_of

COMPOSE, DOCKERFILE, SCRAPES = "docker-compose.yml", "deploy/Dockerfile", "deploy/compose/prometheus.yml"
SECRET = {"MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "CALRELAY_TOKEN_KEYS", "CALRELAY_JWT_SECRET"}
REAL = "deploy/compose/microsoft.yml"  # laid over the compose file
ROOMS = {**{room: room for room in PROGRAMS}, "fake": "tests/fake"}
LISTEN = "CALRELAY_HTTP_LISTEN"
OURS = re.compile(r"\b(?:CALRELAY|MICROSOFT|FAKE|DATABASE|KAFKA)_[A-Z][A-Z_]*\b")
IMAGE = re.compile(r"^calrelay-(\w+)$")
PASSWORDS = re.compile(r"\$\{(\w+):-")  # of the compose file: public, where nobody gives another


class Program:
    """What --help says of one."""

    def __init__(self, build, name):
        self.name, self.known, self.required, self.port = name, set(), set(), None
        for option, has_file, _, default in options_of(build, ROOMS[name]):
            self.known |= {option, f"{option}_FILE"} if has_file else {option}
            if default == "**required**":
                self.required.add(option)
            if option == LISTEN:
                self.port = port_of(default.strip("`"))

    def complaints(self, where, names, elsewhere=()):
        """names are set for it, and more of them where it is not said which."""
        there = {*names, *elsewhere}
        return ([f"{where}: calrelay-{self.name} --help knows no {name}"
                 for name in sorted(set(names) - self.known)]
                + [f"{where}: calrelay-{self.name} needs {name}" for name in sorted(self.required)
                   if name not in there and f"{name}_FILE" not in there])


def programs(build):
    return {name: Program(build, name) for name in ROOMS}


def port_of(listen):
    return int(listen.rpartition(":")[2])


def document(name):
    return yaml.safe_load((ROOT / name).read_text())


def compose_schema():
    package = json.loads((ROOT / "tests/parts/node/package.json").read_text())
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return json.loads((cache / f"calrelay/node-{package['version']}/node_modules/dclint/schemas"
                       / "compose.schema.json").read_text())


def published(service):
    """The container's ports that a service publishes."""
    return {port_of(text) for text in service.get("ports", [])}


def compose_file(build):
    """It follows the specification, and each program's variables and ports are its own."""
    made, known = document(COMPOSE), programs(build)
    complaints = [f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
                  for name in (COMPOSE, REAL) for error in
                  jsonschema.Draft7Validator(compose_schema()).iter_errors(document(name))]
    ports = []
    for name, service in made["services"].items():
        match, environment = IMAGE.match(service["image"]), service.get("environment", {})
        if match and match[1] in known:
            program = known[match[1]]
            complaints += program.complaints(f"{COMPOSE}: {name}", environment)
            ports.append(port_of(environment.get(LISTEN, f":{program.port}")))
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./") and not (ROOT / source).exists():
                complaints.append(f"{COMPOSE}: {name}: {source} does not exist")
    if len(set(ports)) < len(ports) or set(ports) != published(made["services"]["net"]):
        complaints.append(f"{COMPOSE}: net publishes {sorted(published(made['services']['net']))}, "
                          f"the programs listen on {sorted(ports)}")
    return complaints + laid_over(made["services"], document(REAL)["services"], known)


def laid_over(demo, real, known):
    """With the real Microsoft nothing is left of the demo's fake, public keys and passwords."""
    complaints = [f"{REAL}: {name} would come up" for name in ("fake", "seed")
                  if not real[name].get("profiles")]
    for name, service in demo.items():
        match, over = IMAGE.match(service["image"]), real.get(name, {}).get("environment", {})
        if match and match[1] in PROGRAMS:
            complaints += known[match[1]].complaints(f"{REAL}: {name}", over, service["environment"])
            complaints += [f"{REAL}: {name} has the demo's {key}" for key in service["environment"]
                           if key in SECRET and not over.get(key, "").startswith(f"${{{key}:?")]
            complaints += [f"{REAL}: {name} has the demo's {key}" for key in service["environment"]
                           if key.startswith("MICROSOFT_") and key not in over]
    asked = (ROOT / REAL).read_text()
    return complaints + [f"{REAL}: {key} may be left out" for key in
                         sorted(set(PASSWORDS.findall((ROOT / COMPOSE).read_text())))
                         if key.endswith("_PASSWORD") and f"${{{key}:?" not in asked]


def kustomize_base(build):
    """Each container's variables and port are its program's; every name in any manifest is one's."""
    known, complaints = programs(build), []
    settings = {line.split("=")[0] for made in document("deploy/base/kustomization.yaml")
                .get("configMapGenerator", []) for line in made.get("literals", [])}
    every = set().union(*(program.known for program in known.values()))
    for name in sorted((ROOT / "deploy").glob("**/*.yaml")):
        where = name.relative_to(ROOT)
        complaints += [f"{where}: no program knows {word}"
                       for word in sorted(set(OURS.findall(name.read_text())) - every)]
    for room in PROGRAMS:
        where = f"deploy/base/{room}/{room}.yaml"
        for part in yaml.safe_load_all((ROOT / where).read_text()):
            if part["kind"] == "Deployment":
                for container in part["spec"]["template"]["spec"]["containers"]:
                    complaints += container_complaints(where, known[room], container, settings)
    return complaints


def container_complaints(where, program, container, settings):
    environment = {one["name"]: one.get("value", "") for one in container["env"]}
    port = port_of(environment.get(LISTEN, f":{program.port}"))
    ports = [one["containerPort"] for one in container["ports"]]
    return (program.complaints(where, environment, settings)
            + ([] if ports == [port] else [f"{where}: {ports} is not the port it listens on: {port}"]))


def image_file(build):
    """EXPOSE is where each program listens, and the label's version is the build's."""
    text = (ROOT / DOCKERFILE).read_text()
    version = re.search(r"^project\(calrelay VERSION ([\d.]+)",
                        (ROOT / "CMakeLists.txt").read_text(), re.M)[1]
    complaints = [f"{DOCKERFILE}: CALRELAY_VERSION={one}, CMakeLists.txt says {version}"
                  for one in re.findall(r"^ARG CALRELAY_VERSION=(.*)$", text, re.M)
                  if one != version]
    for name, program in programs(build).items():
        stage = re.search(rf"^FROM runtime AS {name}\n(.*?)(?=^FROM|\Z)", text, re.M | re.S)
        ports = [int(port) for port in re.findall(r"^EXPOSE (\d+)$", stage[1], re.M)] if stage else []
        if ports != [program.port]:
            complaints.append(f"{DOCKERFILE}: {name} exposes {ports}, listens on {program.port}")
    return complaints


def scraped_by_prometheus(_build):
    """What Prometheus asks in the compose file is every program of ours, by its port."""
    services = document(COMPOSE)["services"]
    scraped = {(job["job_name"], target) for job in document(SCRAPES)["scrape_configs"]
               for group in job["static_configs"] for target in group["targets"]}
    served = {(service["image"], f"net:{port_of(service['environment'][LISTEN])}")
              for service in services.values() if service["image"] in
              {f"calrelay-{room}" for room in PROGRAMS}}
    done = subprocess.run(["promtool", "check", "config", ROOT / SCRAPES], text=True,
                          capture_output=True)
    return ([f"{SCRAPES}: {job} at {target} is not in {COMPOSE}"
             for job, target in sorted(scraped - served)]
            + [f"{SCRAPES}: {image} at {target} is not scraped"
               for image, target in sorted(served - scraped)]
            + ([] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()))


def provisioned_in_grafana(_build):
    """What Grafana in the compose file reads is mounted there, and its figures come from a service's port."""
    services = document(COMPOSE)["services"]
    mounts = {target: ROOT / source for source, target, *_ in
              (mount.split(":") for mount in services["grafana"]["volumes"])}
    kinds = {kind: document(source) for target, source in mounts.items()
             for kind in re.findall(r"^/etc/grafana/provisioning/(\w+)/\w+\.yml$", target)}
    folders = [one["options"]["path"] for one in kinds["dashboards"]["providers"]]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    asked = {(address.hostname, address.port) for address in
             (urllib.parse.urlsplit(one["url"]) for one in kinds["datasources"]["datasources"])}
    served = {(name, port) for name, service in services.items() for port in published(service)}
    return ([f"{COMPOSE}: grafana: no dashboard is mounted at {folder}" for folder in folders
             if folder not in mounts or not any(mounts[folder].glob("*.json"))]
            + ([] if any((mounts[folder] / pathlib.PurePath(home).name).exists() for folder in folders
                         if folder in mounts and home.startswith(f"{folder}/"))
               else [f"{COMPOSE}: grafana: {home} is not mounted"])
            + [f"{COMPOSE}: grafana: nothing at {host}:{port}" for host, port in sorted(asked - served)])
