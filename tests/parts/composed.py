"""composed.py - docker-compose.yml as it is, brought up by podman-compose in a network of its own."""
import contextlib
import ctypes
import functools
import json
import os
import re
import subprocess
import types

import yaml

from .containers import CACHE, ENVIRONMENT, podman
from .kafka import Kafka
from .postgres import connect_to
from .process import ROOT, Folder, wait_until
from .programs import Connect, Fake, Producer, Worker
from .system import Person, System

FILE = "docker-compose.yml"
PROJECT = "calrelay"
TEXT = (ROOT / FILE).read_text()
SERVICES = sorted(set(yaml.safe_load(TEXT)["services"]) - {"grafana"})  # which is not to be had
LINK = re.compile(r"^(\S+@\S+): http://127\.0\.0\.1:8080/session\?token=(\S+)$", re.M)
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def own_network():
    """This thread, and what it starts, in a network with nothing but loopback: whatever port the file
    names is free, and bridges and firewall rules are gone afterwards."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _must(_libc.unshare(CLONE_NEWNET))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        _must(_libc.setns(before, CLONE_NEWNET))
        os.close(before)


def _must(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def build_peers():
    """What stands for the images of others: {variable of the file: image}."""
    done = subprocess.run([ROOT / "tests/images/peers"], text=True, stdin=subprocess.DEVNULL,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return dict(line.split("=") for line in done.stdout.splitlines())


class Compose:
    """podman-compose with that file.  podman 4.3 can neither wait for a health check nor start what
    depends on a container that has ended: depends_on is left out, and everything starts at once."""

    def __init__(self, images, commit):
        asked = re.findall(r"\$\{(\w+)", TEXT)  # which are then its own defaults
        self.env = {**{name: value for name, value in ENVIRONMENT.items() if name not in asked},
                    **images, "CALRELAY_COMMIT": commit,
                    "BUILDAH_ISOLATION": "chroot", "BUILDAH_FORMAT": "docker",
                    "PYTHONPATH": str(CACHE / "python")}

    def must(self, *argv):
        done = subprocess.run(["/usr/bin/python3", "-m", "podman_compose", *argv], cwd=ROOT,
                              env=self.env, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True)
        assert done.returncode == 0, f"podman-compose {argv}: {done.stdout}{done.stderr}"[-6000:]

    def build(self):
        self.must("build")

    def up(self, *services):
        self.must("up", "--detach", "--no-build", "--no-deps", *(services or SERVICES))

    def down(self):
        self.must("down", "--volumes")

    def clear(self):
        """However it ended."""
        for kind, names in self.left().items():
            for name in names:
                podman(kind, "rm", "--force", name)

    @staticmethod
    def left():
        """{kind: names} of what podman has of it."""
        found = {}
        for kind, *every in (("pod",), ("container", "--all"), ("volume",), ("network",)):
            key = "Names" if kind == "container" else "Name"
            names = podman(kind, "ls", *every, f"--format={{{{.{key}}}}}").output.split()
            found[kind] = [name for name in names if re.match(rf"(pod_)?{PROJECT}(_|$)", name)]
        return found


class Container:
    """One service's."""

    def __init__(self, service):
        self.name, self.container = service, f"{PROJECT}_{service}_1"

    def log_text(self):
        done = podman("logs", self.container)
        return done.output + done.errors

    def log_tail(self, lines=40):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def inspect(self):
        done = podman("container", "inspect", self.container)
        assert done.status == 0, done.errors
        return json.loads(done.output)[0]

    def state(self):
        return self.inspect()["State"]

    def check(self):
        """What Docker would run; an image may also say that there is none."""
        check = self.inspect()["Config"].get("Healthcheck", {}).get("Test", ["NONE"])
        return None if check == ["NONE"] else check

    def is_healthy(self):
        """Runs the check of file or image, for which podman would need systemd."""
        return podman("healthcheck", "run", self.container).status == 0

    def kill9(self):
        """As a crash, which is not podman's doing."""
        os.kill(self.state()["Pid"], 9)


class Server:
    """The file's PostgreSQL: it makes its database itself."""

    def create_database(self, name):
        pass

    @staticmethod
    def connect(database, password="postgres"):
        return connect_to(f"postgresql://postgres:{password}@127.0.0.1:5432/{database}")


class Visitor(Person):
    """Somebody with the link that the seed printed."""

    def __init__(self, system, user_id, email, token):
        self._token = token
        super().__init__(system, user_id, email)

    def token(self, **claims):
        assert not claims
        return self._token


class Composed(System):
    """The host app and both sides of the truth of a System, its parts and programs in containers."""

    def __init__(self):
        folder = Folder()
        kafka = Kafka(folder.path)
        kafka.bootstrap = "127.0.0.1:29092"
        self.containers = {name: Container(name) for name in SERVICES}
        super().__init__(types.SimpleNamespace(postgres=Server(), kafka=kafka, folder=folder), number="")
        self.slot = "calrelay"

    def _make_programs(self):
        at = functools.partial(at_port, folder=self.folder)
        self.fake, self.connect = at(Fake, 9400), at(Connect, 8080)
        self.producer = at(Producer, 9401)
        self.workers = [at(Worker, 9402), at(Worker, 9403)]
        self.readied = [self.fake, self.connect, self.producer, *self.workers]

    @property
    def programs(self):
        return list(self.containers.values())

    def wait_until(self, predicate, timeout=30, what=None):
        return wait_until(predicate, timeout, what)

    def seeded_people(self):
        """Those for whom the seed printed a link."""
        def links():
            seed = self.containers["seed"]
            state = seed.state()
            return (state["Status"] == "exited" and state["ExitCode"] == 0
                    and dict(LINK.findall(seed.log_text())))
        tokens = self.wait_until(links, 120, "the seed's links")
        rows = self.sql("SELECT id, email FROM profiles ORDER BY email")
        assert [row["email"] for row in rows] == sorted(tokens)
        self.people = {row["email"]: Visitor(self, row["id"], row["email"], tokens[row["email"]])
                       for row in rows}
        return list(self.people.values())


def at_port(kind, port, folder):
    """A program that is there already, at a port of the file."""
    program = kind(kind.__name__.lower(), folder, {})
    program.port, program.url = port, f"http://127.0.0.1:{port}"
    return program
