"""The images of deploy/Dockerfile, built and run as it is: confined, without a shell, with what their labels, health
checks and lists of contents say."""
import json
import re

import pytest

from parts import containers
from parts.process import ROOT

pytestmark = pytest.mark.slow
PROGRAMS = {"producer": 9401, "worker": 9402, "connect": 8080, "fake": 9400}
VERSION = re.search(r"^project\(calrelay VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(),
                    re.M)[1]
# What only the newest Debian of that name could change: the libraries of CMakeLists.txt.
LINKED = {"libcjson1", "libcurl4", "libmicrohttpd12", "libpq5", "librdkafka1", "libssl3", "libuv1",
          "libc6"}


@pytest.fixture(scope="session")
def images(tmp_path_factory, commit):
    return containers.build(tmp_path_factory.mktemp("images"), commit)


@pytest.fixture
def contained(system, images):
    """The whole pipeline, each program in its container."""
    for program in system.programs:
        image = images[re.sub(r"\d+$", "", program.name)]
        containers.contain(program, image)
    yield system
    for program in system.programs:
        containers.remove(program)


def test_the_pipeline_runs_in_containers_without_shell_rights_or_a_writable_file(contained):
    system = contained.start()
    people = system.connect_people(2)
    system.create_assignments(system.create_project(), people)
    system.wait_calendars_equal_plan()
    for program in system.programs:
        facts = containers.facts_of(program)
        assert facts["Uid"] == facts["Gid"] == [str(containers.USER)] * 4, program.name
        assert int(facts["CapBnd"][0], 16) == int(facts["CapEff"][0], 16) == 0, program.name
        assert facts["NoNewPrivs"] == ["1"] and facts["Seccomp"] == ["2"], program.name
        assert containers.podman("exec", program.container, "/bin/sh", "-c", ":").status != 0
        assert program.is_live() and program.is_ready(), program.name
        assert program.metrics(), program.name
        assert containers.health(program).status == 0, program.name
    # A program that stands still answers nobody, and so its check fails.
    containers.podman("kill", "--signal", "STOP", system.worker.container)
    assert containers.health(system.worker).status == 1
    containers.podman("kill", "--signal", "CONT", system.worker.container)
    for program in reversed(system.programs):
        assert program.sigterm() == 0, program.log_tail()


def test_the_migrations_run_in_their_container_which_needs_no_writable_file_either(images, system):
    empty = f"{system.database}_empty"
    system.postgres.execute("postgres", f"CREATE DATABASE {empty} TEMPLATE template0")
    system.postgres.execute(empty, (ROOT / "tests/fixtures/host.sql").read_text())
    url = system.postgres.url(empty)
    confined = containers.CONFINED[:-2]  # it is a script, and needs its shell
    for _ in range(2):  # the second time there is nothing to do
        done = containers.podman("run", "--rm", *confined, "--env", f"DATABASE_URL={url}",
                                 images["migrate"])
        assert done.status == 0, done.errors


@pytest.mark.parametrize("target", PROGRAMS)
def test_a_program_tells_version_commit_and_how_it_is_watched(images, commit, target):
    config = containers.inspect(images[target])
    done = containers.podman("run", "--rm", *containers.CONFINED, images[target], "--version")
    assert done.output.startswith(f"calrelay-{target} {VERSION} ({commit})\n"), done
    assert config["User"] == f"{containers.USER}:{containers.USER}"
    assert config["ExposedPorts"] == {f"{PROGRAMS[target]}/tcp": {}}
    assert config["Healthcheck"]["Test"] == ["CMD", f"/usr/local/bin/calrelay-{target}", "--health"]


@pytest.mark.parametrize("target", [*PROGRAMS, "migrate"])
def test_an_image_is_labelled_and_lists_what_it_holds(images, commit, target, tmp_path):
    labels = containers.inspect(images[target])["Labels"]
    assert {"title": f"calrelay-{target}", "version": VERSION, "revision": commit,
            "licenses": "MIT"}.items() <= {
                name.removeprefix("org.opencontainers.image."): value
                for name, value in labels.items()}.items()
    run = ["run", "--rm", "--network", "host", "--entrypoint"]
    text = containers.podman(*run, "cat", images[target],
                             "/usr/share/doc/calrelay/sbom.spdx.json").output
    document = json.loads(text)
    containers.assert_valid_spdx(text, tmp_path / "sbom.spdx.json")
    installed = containers.podman(*run, "dpkg-query", images[target], "-W", "-f",
                                  "${Package} ${Version}\n").output.splitlines()
    assert installed
    packages = {package["SPDXID"]: package for package in document["packages"]}
    about = {kind: {packages[end]["name"] for end in ends_of(document, kind)}
             for kind in ("DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "STATIC_LINK")}
    listed = {f"{package['name']} {package['versionInfo']}" for package in packages.values()}
    assert about["DESCRIBES"] == {f"calrelay-{target}"} and set(installed) <= listed
    assert about["CONTAINS"] == {line.split()[0] for line in installed}
    if target in PROGRAMS:
        assert LINKED <= about["DYNAMIC_LINK"] <= about["CONTAINS"]
        assert about["STATIC_LINK"] == (set() if target == "connect" else {"uthash-dev"})
        assert ("libjwt0" in about["DYNAMIC_LINK"]) == (target in ("connect", "fake"))


def ends_of(document, kind):
    return [one["relatedSpdxElement"] for one in document["relationships"]
            if one["relationshipType"] == kind]
