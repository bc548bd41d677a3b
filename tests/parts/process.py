"""process.py - one child process that never outlives this one, and the waiting for conditions."""
import atexit
import ctypes
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
PORTS = range(20000, 32000)  # below Linux's ephemeral range: no outgoing connection takes one
NOT_YET = (AssertionError, OSError, psycopg2.OperationalError, psycopg2.InterfaceError)

_libc = ctypes.CDLL(None, use_errno=True)
_given_ports = set()
_started = []
_folders = []


def free_port():
    """A loopback port that nothing listens on and that was not given out before."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given_ports:
            _given_ports.add(port)
            return port


def wait_until(predicate, timeout=30, what=None, watch=()):
    """Polls until predicate returns something true, and returns it.

    A predicate may also assert: what it raised last is raised when time is up.  A process in watch
    that ended meanwhile fails the wait at once, with the end of its log.
    """
    deadline = time.monotonic() + timeout
    pause = 0.01
    failure = None
    while True:
        try:
            result = predicate()
            failure = None
            if result:
                return result
        except NOT_YET as problem:
            failure = problem
        for process in watch:
            process.assert_running()
        if time.monotonic() > deadline:
            if isinstance(failure, AssertionError):
                raise failure
            raise AssertionError(f"not within {timeout} s: {what or predicate}"
                                 + (f" ({failure})" if failure else ""))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


class Folder:
    """A temporary folder, removed at the end; CALRELAY_KEEP=1 leaves it."""

    def __init__(self, name="calrelay"):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.path.chmod(0o711)  # PostgreSQL runs as another user and has to get to its own folder
        _folders.append(self)

    def remove(self):
        if os.environ.get("CALRELAY_KEEP") != "1":
            shutil.rmtree(self.path, ignore_errors=True)


class Process:
    """A child process with its log in a file; dies with this process, whatever happens to it."""

    def __init__(self, name, argv, log, env=None, user=None, death_signal=signal.SIGKILL):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.log = pathlib.Path(log)
        self.env = env
        self.user = user
        self.death_signal = death_signal
        self.child = None
        self.expected = False  # whether somebody asked it to run and nobody to stop

    def start(self):
        assert not self.is_running(), f"{self.name} runs already"
        identity = {} if self.user is None else {
            "user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
                cwd="/", start_new_session=True, preexec_fn=self._die_with_parent, **identity)
        self.expected = True
        _started.append(self)
        return self

    def _die_with_parent(self):
        _libc.prctl(PR_SET_PDEATHSIG, int(self.death_signal), 0, 0, 0)

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def assert_running(self):
        if self.expected and not self.is_running():
            self.expected = False
            raise RuntimeError(f"{self.name} ended by itself with {self.child.returncode}:\n"
                               f"{self.log_tail()}")

    def signal(self, number):
        self.child.send_signal(number)

    def check(self):
        """(exit status, lines) of --check."""
        done = subprocess.run([*map(str, self.argv), "--check"], env=self.env, text=True,
                              capture_output=True, timeout=60)
        return done.returncode, done.stdout.splitlines()

    def complaints(self):
        """(exit status, what is not ok) of --check."""
        status, lines = self.check()
        return status, [line for line in lines if not line.startswith("ok ")]

    def kill9(self):
        self.expected = False
        if self.is_running():
            self.signal(signal.SIGKILL)
            self.child.wait()

    def sigterm(self, timeout=40):
        """Asks it to end, waits, and returns its exit status."""
        self.expected = False
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout):
        self.expected = False
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout} s:\n"
                                 f"{self.log_tail()}") from None

    def pause(self):
        self.signal(signal.SIGSTOP)

    def cont(self):
        self.signal(signal.SIGCONT)

    def stop(self, timeout=15):
        """Ends it one way or the other."""
        self.expected = False
        if self.is_running():
            self.cont()
            self.child.terminate()
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill9()

    def memory_mib(self, what):
        """Resident memory: at most so far (VmHWM), or now (VmRSS)."""
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(rf"^{what}:\s+(\d+) kB$", status, re.MULTILINE).group(1)) / 1024

    def cpu_seconds(self):
        """User and system time of all its threads so far."""
        stat = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text()
        words = stat.rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines=40):
        return "\n".join(self.log_text().splitlines()[-lines:])


@atexit.register
def end_everything():
    """Kills what still runs, the newest first, then removes every folder."""
    while _started:
        process = _started.pop()
        if process.is_running():
            process.signal(process.death_signal)
            try:
                process.child.wait(10)
            except subprocess.TimeoutExpired:
                process.kill9()
    while _folders:
        _folders.pop().remove()
