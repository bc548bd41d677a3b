"""node.py - scripts on Node.js, with the packages that scripts/setup fetched for tests/parts/node."""
import json
import os
import subprocess
import tempfile

from .kafka import fetched
from .process import ROOT

SECONDS_MAX = 120


def folder():
    """Where node_modules lies."""
    asked = json.loads((ROOT / "tests/parts/node/package.json").read_text())
    return fetched("node", asked["version"], "package-lock.json")


def _environment(more=None):
    return {**os.environ, "NODE_PATH": str(folder() / "node_modules"), **(more or {})}


def run(script, *arguments, env=None):
    """Runs a script, which finds the packages by require(); its stdout.  Fails with what it said."""
    done = subprocess.run(["node", str(script), *map(str, arguments)], cwd=ROOT, text=True,
                          capture_output=True, timeout=SECONDS_MAX, env=_environment(env))
    assert done.returncode == 0, f"{script}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def converse(script, answers):
    """Runs a script that asks on the way; the other lines that it wrote.

    A line {"ask": name, "of": [...]} of its stdout calls answers[name], and what that returns goes
    back as one line of JSON.
    """
    said = []
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(["node", str(script)], cwd=ROOT, text=True, env=_environment(),
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        try:
            for line in child.stdout:
                _answer(line.rstrip("\n"), answers, child.stdin, said)
            status = child.wait(SECONDS_MAX)
        finally:
            _end(child)
        errors.seek(0)
        assert status == 0, f"{script}: " + "\n".join(said)[-4000:] + errors.read()[-4000:]
    return said


def _answer(line, answers, stdin, said):
    if not line.startswith('{"ask":'):
        said.append(line)
        return
    question = json.loads(line)
    stdin.write(json.dumps(answers[question["ask"]](*question["of"]), default=str) + "\n")
    stdin.flush()


def _end(child):
    """What it started ends with it: a browser hangs on its driver's pipe."""
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdin.close()
    child.stdout.close()
