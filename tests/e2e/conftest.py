"""conftest.py - what stories run on: one PostgreSQL and one Kafka for many, a system of its own each.

Two processes of pytest (-n 2) each have a PostgreSQL and a Kafka; a file's stories stay together."""
import fcntl
import pathlib
import re
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from parts.process import ROOT  # noqa: E402
from parts.secrets import leaks  # noqa: E402
from parts.system import Backbone, System  # noqa: E402

STORY_SECONDS_MAX, SLOW_STORY_SECONDS_MAX = 240, 900
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs only with scripts/test --all")


@pytest.fixture(scope="session")
def backbone():
    started = Backbone().start()
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def ends_in_time(request):
    limit = (SLOW_STORY_SECONDS_MAX if request.node.get_closest_marker("slow")
             else STORY_SECONDS_MAX)

    def too_long(_number, _frame):
        raise TimeoutError(f"the story is not over after {limit} s")
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(limit)
    yield
    signal.alarm(0)


@pytest.fixture(scope="session")
def release_build():
    """Where the producer lies as it is delivered: a sanitizer's figures say nothing.  Builds it."""
    with open(ROOT / "build/release.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["--preset", "release"],
                        ["--build", "--preset", "release", "--target", "calrelay-producer"]):
            done = subprocess.run(["cmake", *command], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "build/release"


@pytest.fixture(scope="session")
def commit():
    """What images are built of, and say that they are."""
    return subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout.strip()


@pytest.fixture
def system(backbone, request):
    """A system that is not started yet."""
    yield from a_system(backbone, request)


@pytest.fixture(scope="module")
def shared_system(backbone, request):
    """One for all stories of a file that start nothing for good."""
    yield from a_system(backbone, request)


@pytest.fixture
def release_system(backbone, request, release_build):
    """The same with a producer as it is delivered."""
    yield from a_system(backbone, request, release_build)


def a_system(backbone, request, build=None):
    made = System(backbone, build)
    secrets = made.secrets()
    request.node.system = made
    yield made
    made.close()
    for program in made.programs:
        log = program.log_text()
        report = SANITIZER.search(log)
        assert not report, f"{program.name}:\n{log[report.start():][:4000]}"
        leaked = leaks(log, secrets)
        assert not leaked, f"{program.name} logs what may be secrets: {leaked[:20]}"


@pytest.fixture
def desk(system):
    """connect and the fake without a worker: what is filed stays filed."""
    system.fake.start().wait_ready()
    system.connect.start().wait_ready()
    return system


@pytest.fixture
def source(system):
    """The producer alone, streaming."""
    system.producer.start().wait_ready()
    return system


@pytest.fixture
def pipeline(system):
    """The whole pipeline with one worker."""
    return system.start()


@pytest.fixture
def pipeline_of_two(system):
    """The whole pipeline with two workers."""
    return system.start(workers=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed story shows how each program's log ends."""
    report = (yield).get_result()
    if report.failed:
        for program in getattr(item, "system", None) and item.system.programs or ():
            report.sections.append((f"log of {program.name}", program.log_tail(25)))
