"""node.py - scripts on Node.js, with the packages that scripts/setup fetched for tests/parts/node."""
import json
import os
import subprocess

from .kafka import fetched
from .process import ROOT

SECONDS_MAX = 120


def folder():
    """Where node_modules lies."""
    asked = json.loads((ROOT / "tests/parts/node/package.json").read_text())
    return fetched("node", asked["version"], "package-lock.json")


def run(script, *arguments, env=None):
    """Runs a script, which finds the packages by require(); its stdout.  Fails with what it said."""
    paths = {"NODE_PATH": str(folder() / "node_modules")}
    done = subprocess.run(["node", str(script), *map(str, arguments)], cwd=ROOT, text=True,
                          capture_output=True, timeout=SECONDS_MAX,
                          env={**os.environ, **paths, **(env or {})})
    assert done.returncode == 0, f"{script}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout
