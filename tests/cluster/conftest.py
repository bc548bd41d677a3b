"""conftest.py - one API server for all tests of manifests, one whole cluster for the story."""
import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from cluster import Cluster  # noqa: E402
from parts.process import Folder  # noqa: E402

SECONDS_MAX = 900


def pytest_configure(config):
    if "CALRELAY_CLUSTER" not in os.environ:
        raise pytest.UsageError("these tests run in namespaces of their own: tests/cluster/run")


@pytest.fixture(scope="session")
def cluster():
    """etcd and the API server, with the CRDs of everything that the manifests use."""
    folder = Folder("calrelay-cluster")
    made = Cluster(folder.path).start()
    made.install_crds()
    yield made
    made.stop()
    folder.remove()


@pytest.fixture(autouse=True)
def ends_in_time():
    def too_long(_number, _frame):
        raise TimeoutError(f"the test is not over after {SECONDS_MAX} s")
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS_MAX)
    yield
    signal.alarm(0)
