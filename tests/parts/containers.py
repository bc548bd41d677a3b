"""containers.py - calrelay's programs in the images that tests/images/build makes, run by podman."""
import collections
import json
import os
import pathlib
import subprocess

from .process import ROOT, wait_until

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "calrelay"
STORE = CACHE / "images"
ENVIRONMENT = {**os.environ, "CONTAINERS_STORAGE_CONF": str(STORE / "storage.conf"),
               "CONTAINERS_CONF": str(STORE / "containers.conf")}
USER = 65532
# As in deploy/base, and without a folder that could be written to, and without a shell: an empty
# folder lies over the one where Debian keeps every command.  Health checks are run by health() alone.
CONFINED = ["--no-healthcheck", "--network", "host", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--pids-limit", "64",
            "--mount", "type=tmpfs,destination=/usr/bin,ro,notmpcopyup"]
Done = collections.namedtuple("Done", "status output errors")


def build(folder, commit):
    """{target: image}, each also as folder/target.tar."""
    done = subprocess.run([ROOT / "tests/images/build", folder], text=True,
                          env={**os.environ, "CALRELAY_COMMIT": commit},
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    print(done.stdout)  # sizes
    return {image.split("/calrelay-")[1].split(":")[0]: image
            for image in (line.split()[0] for line in done.stdout.splitlines())}


def podman(*argv):
    done = subprocess.run(["podman", *map(str, argv)], env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    return Done(done.returncode, done.stdout, done.stderr)


def inspect(image):
    """What the image says of itself; podman tells the health check beside the rest."""
    done = podman("image", "inspect", image)
    assert done.status == 0, done.errors
    found = json.loads(done.output)[0]
    return {**found["Config"], "Healthcheck": found.get("Healthcheck")}


def assert_valid_spdx(text, path):
    """SPDX's own tool reads it and finds nothing wrong."""
    path.write_text(text)
    done = subprocess.run(["/usr/bin/python3", "-m", "spdx_tools.spdx.clitools.pyspdxtools",
                           "--infile", path], env={**os.environ, "PYTHONPATH": CACHE / "python"},
                          text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def contain(program, image):
    """The program's next starts are in a container of the image, with the same settings."""
    name = f"calrelay-{os.getpid()}-{program.name}"
    settings = [word for item in program.settings.items() for word in ("--env", "=".join(item))]
    for value in program.settings.values():
        if value.startswith(f"{program.log.parent}/"):  # a secret's file
            os.chown(value, USER, USER)
            settings += ["--volume", f"{value}:{value}:ro"]
    program.argv = ["podman", "run", "--rm", "--name", name, *CONFINED, *settings, image]
    program.env = ENVIRONMENT
    program.container = name
    return program


def health(program):
    """The image's own check, as Docker runs it in the container: its exit status and words."""
    check = inspect(program.argv[-1])["Healthcheck"]["Test"]
    assert check[0] == "CMD"
    return podman("exec", program.container, *check[1:])


def facts_of(program):
    """What /proc says of the container's first process."""
    found = podman("inspect", "--format", "{{.State.Pid}}", program.container)
    status = pathlib.Path(f"/proc/{int(found.output)}/status").read_text()
    return {name: value.split() for name, _, value in
            (line.partition(":") for line in status.splitlines())}


def remove(program):
    """However it ended: what podman started is not this process's child."""
    podman("rm", "--force", "--ignore", program.container)
    wait_until(lambda: not program.is_running(), 30, f"{program.name} is gone")
