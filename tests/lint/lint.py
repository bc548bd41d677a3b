#!/usr/bin/python3
"""lint.py - the rules that a reviewer would otherwise have to remember; one line per check.

usage: lint.py BUILD_FOLDER [--all] [--only NAME]...

BUILD_FOLDER holds compile_commands.json.  --all adds the slow checks.  Exit 1 if any check failed;
the last line is `N passed, N failed`.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from deployed import (compose_file, image_file, kustomize_base, provisioned_in_grafana,
                      scraped_by_prometheus)
from documents import (bad_inputs_have_tests, configuration_reference, metrics_reference,
                       names_in_documents, settings_in_documents)
from manifests import manifests
import monitoring

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE_LINES_MAX, FUNCTION_LINES_MAX = 600, 60
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets)\s*\(")
MARKERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.}])/(wo" r"rk|ro" r"ot)/|\.\./sha" r"red")
PROGRAM_ROOMS = ("producer", "worker", "connect", "tests/fake")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SPELLING_IGNORED = "ot,fle,fo,nd,subjet"


def tracked(*patterns):
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return sorted(name for name in names if name and (ROOT / name).is_file())


def text_of(name):
    return (ROOT / name).read_text(errors="replace")


def c_files():
    return tracked("*.c", "*.h")


def without_comments(text):
    """The code alone, line numbers kept; strings lose their content."""
    keep_lines = lambda match: "\n" * match.group(0).count("\n")
    text = re.sub(r"/\*.*?\*/", keep_lines, text, flags=re.S)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//.*", "", text)


def line_number(text, at):
    return text.count("\n", 0, at) + 1


def run(argv, **more):
    """The output's lines if the command failed, nothing if it did not."""
    done = subprocess.run([str(word) for word in argv], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode == 0:
        return []
    return done.stdout.splitlines() or [f"{argv[0]} ended with {done.returncode}"]


def run_each(names, argv_of):
    """One command per file, as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [line for lines in pool.map(lambda name: run(argv_of(name)), names)
                for line in lines]


# the checks: each returns its complaints


def format_of_c(_build):
    complaints = run(["clang-format", "--dry-run", "-Werror", *c_files()])
    where = [re.match(r"([^:]+):\d+:\d+: error", line) for line in complaints]
    files = sorted({match.group(1) for match in where if match})
    return [f"{name}: run clang-format -i on it" for name in files] or complaints


def length_of_files(_build):
    lines = {name: len(text_of(name).splitlines()) for name in tracked("*.c", "*.h", "*.py")}
    return [f"{name}: {count} lines" for name, count in lines.items() if count > FILE_LINES_MAX]


def length_of_functions(_build):
    tags = subprocess.run(["ctags", "--output-format=json", "--languages=C", "--kinds-C=f",
                           "--fields=+ne", "-f", "-", *c_files()], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout
    complaints = []
    for tag in map(json.loads, tags.splitlines()):
        lines = tag["end"] - tag["line"] + 1
        if lines > FUNCTION_LINES_MAX:
            complaints.append(f"{tag['path']}:{tag['line']}: {tag['name']} has {lines} lines")
    return complaints


def banned_calls(_build):
    complaints = []
    for name in c_files():
        code = without_comments(text_of(name))
        complaints += [f"{name}:{line_number(code, match.start())}: {match.group(1)}"
                       for match in BANNED.finditer(code)]
    return complaints


def room_of(name):
    return next((room for room in ("common", *PROGRAM_ROOMS) if name.startswith(room + "/")), None)


def include_direction(_build):
    """common knows none of the programs, and they don't know each other."""
    complaints = []
    for name in c_files():
        room = room_of(name)
        if room is None:
            continue
        for included in INCLUDE.findall(text_of(name)):
            other = room_of(included)
            if other not in (None, room, "common"):
                complaints.append(f"{name}: includes {included}")
    return complaints


def first_line(_build):
    complaints = []
    for name in c_files():
        start = re.escape(f"/* {pathlib.Path(name).name} - ")
        if not re.match(start + r"\S", text_of(name)):
            complaints.append(f"{name}: does not begin with /* {pathlib.Path(name).name} - purpose")
    return complaints


def headers_alone(build):
    flags = subprocess.run(["pkg-config", "--cflags", "libuv", "libcurl", "libcjson", "libpq",
                            "libcrypto", "rdkafka", "libmicrohttpd", "libjwt", "cmocka"],
                           check=True, capture_output=True, text=True).stdout.split()
    return run_each(tracked("*.h"), lambda name: [
        "cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", ROOT,
        "-I", build, *flags, "-fsyntax-only", "-include", name, "-x", "c", "/dev/null"])


def spelling(_build):
    names = [name for name in tracked()
             if not re.search(r"golden/|-lock\.json$|\.(png|svg|lock|pem)$", name)]
    return run(["codespell", "-L", SPELLING_IGNORED, *names])


def shell_scripts(_build):
    names = [name for name in tracked() if re.match(r"#!.*\b(ba)?sh\b", text_of(name)[:40])]
    return run(["shellcheck", *names])


def cppcheck(_build):
    """uninitvar does not see through the loops of uthash and utlist; gcc's own warning does."""
    return run(["cppcheck", "--quiet", "--std=c11", "--enable=warning,portability",
                "--inline-suppr", "--error-exitcode=1", "-D_GNU_SOURCE", "-I", ".",
                f"-j{os.cpu_count()}", "--suppress=missingIncludeSystem", "--suppress=uninitvar",
                *tracked("common/*.c", *(f"{room}/*.c" for room in PROGRAM_ROOMS))])


def clang_tidy(build):
    known = {entry["file"] for entry in
             json.loads((pathlib.Path(build) / "compile_commands.json").read_text())}
    names = [name for name in tracked("*.c") if str(ROOT / name) in known]
    complaints = run_each(names, lambda name: ["clang-tidy", "--quiet", "-p", build, name])
    return sorted({line.replace(f"{ROOT}/", "") for line in complaints if ": error: " in line})


def dockerfile(_build):
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return run([cache / "calrelay/python/bin/hadolint", "deploy/Dockerfile"])


def markers(_build):
    return [f"{name}:{line_number(text, match.start())}: {match.group(1)}"
            for name in tracked() for text in [text_of(name)] for match in MARKERS.finditer(text)]


def machine_paths(_build):
    return [f"{name}:{line_number(text, match.start())}: a path of one machine"
            for name in tracked() for text in [text_of(name)] for match in MACHINE.finditer(text)]


CHECKS = [format_of_c, length_of_files, length_of_functions, banned_calls, include_direction,
          first_line, headers_alone, spelling, shell_scripts, markers, machine_paths,
          names_in_documents, settings_in_documents, bad_inputs_have_tests, configuration_reference,
          metrics_reference, manifests, compose_file, kustomize_base,
          image_file, scraped_by_prometheus, provisioned_in_grafana, *monitoring.CHECKS, cppcheck]
SLOW_CHECKS = [clang_tidy, dockerfile]


def report(check, build):
    started = time.monotonic()
    complaints = check(build)
    name = check.__name__.replace("_", " ")
    print(f"{'fail' if complaints else 'pass'}  {name}  ({time.monotonic() - started:.1f} s)")
    for line in complaints[:60]:
        print(f"      {line}")
    if len(complaints) > 60:
        print(f"      and {len(complaints) - 60} more")
    sys.stdout.flush()
    return not complaints


def main():
    parser = argparse.ArgumentParser(description="calrelay's lint")
    parser.add_argument("build", help="folder with compile_commands.json")
    parser.add_argument("--all", action="store_true", help="the slow checks too")
    parser.add_argument("--only", action="append", default=[], help="just this check")
    options = parser.parse_args()
    checks = [check for check in CHECKS + SLOW_CHECKS
              if check.__name__ in options.only
              or not options.only and (options.all or check in CHECKS)]
    results = [report(check, pathlib.Path(options.build).resolve()) for check in checks]
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
