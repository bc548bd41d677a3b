"""programs.py - calrelay's own programs as processes, with their probes and metrics."""
import os
import pathlib
import re
import subprocess

import requests

from .process import ROOT, Process, free_port, wait_until

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')


def build_folder(preset="dev"):
    """CALRELAY_BUILD, or where the preset builds."""
    return pathlib.Path(os.environ.get("CALRELAY_BUILD") or ROOT / "build" / preset)


class Program(Process):
    """One program with its HTTP address; answers on the same port when it is started again."""

    PATH = None  # below the build folder
    clock = {}

    def __init__(self, name, folder, settings, build=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {**settings, "CALRELAY_HTTP_LISTEN": f"127.0.0.1:{self.port}"}
        super().__init__(name, [(build or build_folder()) / self.PATH], folder / f"{name}.log",
                         env=self._environment())

    def _environment(self):
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/nonexistent",
                "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1:handle_abort=1"
                                ":verify_asan_link_order=" + ("0" if self.clock else "1"),
                "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
                **self.clock, **self.settings}

    def with_settings(self, **changes):
        """The next start uses these instead; None removes one."""
        for name, value in changes.items():
            self.settings.pop(name, None)
            if value is not None:
                self.settings[name] = str(value)
        self.env = self._environment()
        return self

    def with_clock(self, off_s):
        """The next start has a wall clock that is off by so much; time passes as ever."""
        library = self.log.parent / "clock.so"
        subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-o", library,
                        ROOT / "tests/parts/clock.c"], check=True)
        self.clock = {"LD_PRELOAD": str(library), "CLOCK_OFF_SECONDS": str(off_s)}
        self.env = self._environment()
        return self

    def is_live(self):
        return self._ok("/livez")

    def is_ready(self):
        return self._ok("/readyz")

    def _ok(self, path):
        try:
            return requests.get(self.url + path, timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, timeout=60):
        wait_until(self.is_ready, timeout, f"{self.name} is ready", [self])
        return self

    def metrics(self):
        """{(name, frozenset of labels): value}"""
        text = requests.get(self.url + "/metrics", timeout=5).text
        samples = {}
        for line in text.splitlines():
            match = SAMPLE.match(line)
            if match:
                labels = frozenset(LABEL.findall(match.group(2) or ""))
                samples[match.group(1), labels] = float(match.group(3))
        return samples

    def metric(self, name, **labels):
        """The sum of all series of a metric that carry these labels."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in self.metrics().items()
                   if found == name and wanted <= has)


class Fake(Program):
    """The fake Microsoft and its control API."""

    PATH = "tests/fake/calrelay-fake"

    def control(self, method, path, body=None, **query):
        answer = requests.request(method, f"{self.url}/control/{path}", json=body, timeout=20,
                                  params={k: v for k, v in query.items() if v is not None})
        assert answer.ok, f"{method} /control/{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def add_account(self, email, display_name, **more):
        self.control("PUT", f"accounts/{email}", {"display_name": display_name, **more})

    def events(self, email, folder="calendar"):
        events = self.control("GET", "events", account=email)["events"]
        return [event for event in events if folder in (None, event["folder"])]

    def categories(self, email):
        """The mailbox's master list: {name: colour}."""
        found = self.control("GET", "categories", account=email)["categories"]
        return {category["displayName"]: category["color"] for category in found}

    def mark(self):
        """Where the record of requests stands now."""
        return self.control("GET", "requests", since=2 ** 52)["next"]

    def requests(self, since=0, account=None, kinds=None):
        records = self.control("GET", "requests", since=since, account=account)["requests"]
        return [record for record in records if kinds is None or record["kind"] in kinds]

    def writes(self, since=0, account=None):
        """What changed a calendar, or tried to."""
        return self.requests(since, account, {"create", "update", "delete"})

    def fault(self, on, do, account=None, times=1, **more):
        return self.control("POST", "faults", {"account": account, "on": on, "do": do,
                                               "times": times, **more})

    def clear_faults(self):
        self.control("DELETE", "faults")

    def latency(self, ms):
        self.control("POST", "latency", {"ms": ms})

    def revoke(self, email):
        self.control("POST", "revoke", {"account": email})

    def delete_event(self, email, event_id):
        self.control("POST", "events/delete", {"account": email, "id": event_id})

    def edit_event(self, email, event_id, **changes):
        self.control("POST", "events/update", {"account": email, "id": event_id, **changes})

    def create_event(self, email, subject):
        self.control("POST", "events/create", {"account": email, "subject": subject})

    def stats(self):
        return self.control("GET", "stats")


class Producer(Program):
    PATH = "producer/calrelay-producer"


class Worker(Program):
    PATH = "worker/calrelay-worker"

    def partitions(self, topic):
        """Those of a topic that it has, as metrics name them."""
        return {dict(labels)["partition"] for name, labels in self.metrics()
                if name == "calrelay_worker_partition_lag_records"
                and dict(labels).get("topic") == topic}


class Connect(Program):
    PATH = "connect/calrelay-connect"
