#!/usr/bin/python3
"""documents.py - what the documents name is there; docs/configuration.md is what --help says, and
docs/metrics.md what the programs measure.

usage: documents.py BUILD_FOLDER [--write]

As a program: --write makes docs/configuration.md anew, otherwise it says what is wrong.
lint.py calls names_in_documents, settings_in_documents, bad_inputs_have_tests,
configuration_reference and metrics_reference.
"""
import ast
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = "docs/configuration.md"
METRICS, METRIC_SOURCES = "docs/metrics.md", (
    "producer/gauges.c", "worker/stats.c", "connect/serve.c", "common/self.c")
BAD_INPUTS, BAD_INPUT_NUMBERS = "docs/bad-inputs.md", range(33, 61)
PROGRAMS = ("producer", "worker", "connect")
ROOMS = r"(?:common|producer|worker|connect|schemas|deploy|tests|scripts|docs)"
PATH = re.compile(rf"^{ROOMS}/[\w./*-]*$")
TEST = re.compile(r"^test_\w+$|^(?!calrelay_)[a-z\d]+(_[a-z\d]+){5,}$")
SYMBOL = re.compile(rf"`([A-Za-z]\w+)` in `({ROOMS}/[\w./-]+\.[a-z]+)`")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
STRINGS = r"""((?:"[^"]*"\s*)+)"""
METRIC_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\| ", re.M)
METRIC_NEW = re.compile(rf"""metric_new\(\s*\w+,\s*METRIC_(\w+),\s*"(\w+)",\s*{STRINGS},\s*"([\w,]*)\"""")
METRIC_OF_WORKER = re.compile(r"""\b(COUNTER|GAUGE|HISTOGRAM)\(\s*"(\w+)",\s*"([\w,]*)\"""")
METRIC_OF_SELF = re.compile(r"""self_set\(\s*metrics,\s*"(\w+)\"""")
OPTION = re.compile(r"^  ([A-Z]\w+)( \(or _FILE\))?\n      (.*(?:\n      .*)*)", re.M)
SETTING = re.compile(r"\b(?:CALRELAY|KAFKA|MICROSOFT|DATABASE)_[A-Z_]+[A-Z]\b")
# Not of the programs: those of the build and of tests.
OTHER_SETTINGS = {"KAFKA_IMAGE", "CALRELAY_BUILD", "CALRELAY_COMMIT", "CALRELAY_SIM_SEED", "CALRELAY_SIM_SEEDS",
                  "CALRELAY_SIM_TRACE"}
FENCED_JSON = re.compile(r"^```json[^\n]*\n(.*?)^```$", re.M | re.S)
HEAD = """# Configuration

Environment variables only. Made from the programs' own `--help` by `tests/lint/documents.py BUILD_FOLDER --write`; lint
compares them. *file*: the same name with `_FILE` names a file that holds the value; a file that others can read is refused,
and so is a `KAFKA_CONFIG_FILE` that they can read if it holds a password. A variable of another program is ignored, one that
is nearly a name of this program is warned of. A missing or malformed one stops the program at its start with one line.
`SSL_CERT_FILE`, OpenSSL's own variable, names the certificates that Microsoft's are verified by instead of the system's.
"""


def tracked(pattern):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", pattern],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_names():
    """The story files, the test functions in them, and the sentences of all unit tests."""
    names = set()
    for name in tracked("tests/**/*.py"):
        names.add(pathlib.Path(name).stem)
        tree = ast.parse((ROOT / name).read_text())
        names |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in tracked("tests/unit/*/test_*.c"):
        names |= set(re.findall(r"^static void (\w+)\(void \*\*state\)",
                                (ROOT / name).read_text(), re.M))
    return names


def wrong_path(document, word):
    """Whether a word that looks like a path, from the root or from the document, leads nowhere."""
    if not PATH.match(word):
        return False
    stem = word.rstrip("/")
    found = list(ROOT.glob(stem)) + list(ROOT.glob(f"{stem}.[ch]"))
    return not found and not list((ROOT / document).parent.glob(stem))


def names_in_documents(_build):
    """Every path, link, test and `symbol` in `file` that a document names exists."""
    tests, complaints = test_names(), []
    for document in tracked("*.md"):
        text = (ROOT / document).read_text()
        for number, line in enumerate(text.splitlines(), 1):
            for word in CODE.findall(line):
                if TEST.match(word) and word not in tests or wrong_path(document, word):
                    complaints.append(f"{document}:{number}: {word} does not exist")
            for symbol, path in SYMBOL.findall(line):
                there = (ROOT / path).is_file() and symbol in (ROOT / path).read_text()
                if not there:
                    complaints.append(f"{document}:{number}: no {symbol} in {path}")
            for target in LINK.findall(line):
                there = "://" in target or (ROOT / document).parent.joinpath(target).exists()
                if not there:
                    complaints.append(f"{document}:{number}: the link {target} leads nowhere")
    return complaints


def bad_inputs_have_tests(_build):
    """Each number of the list of bad inputs has a row, with tests that exist alone."""
    tests, text = test_names(), (ROOT / BAD_INPUTS).read_text()
    rows = {int(number): set(CODE.findall(cell))
            for number, cell in re.findall(r"^\| (\d+) \|.*\|(.*)\|$", text, re.M)}
    return [f"{BAD_INPUTS}: bad input {number} has no test that exists"
            for number in BAD_INPUT_NUMBERS
            if not rows.get(number) or rows[number] - tests]


def metrics_in_source():
    """(name, type, labels) of every metric that a program makes."""
    for source in METRIC_SOURCES:
        text = (ROOT / source).read_text()
        for kind, name, _help, labels in METRIC_NEW.findall(text):
            yield name, kind.lower(), labels
        for kind, name, labels in METRIC_OF_WORKER.findall(text):
            yield "calrelay_worker_" + name, kind.lower(), labels
        for name in METRIC_OF_SELF.findall(text):
            yield name, "gauge", ""


def metrics_in_document():
    """The same as docs/metrics.md has it."""
    for name, kind, labels in METRIC_ROW.findall((ROOT / METRICS).read_text()):
        yield name, kind, labels.replace(" ", "")


def metrics_reference(_build):
    """docs/metrics.md names exactly the metrics that the programs make."""
    made, rows = set(metrics_in_source()), list(metrics_in_document())
    told = set(rows)
    return ([f"{METRICS}: {row[0]} is there twice" for row in told if rows.count(row) > 1]
            + [f"{METRICS}: no {kind} {name}{{{labels}}}" for name, kind, labels in made - told]
            + [f"{METRICS}: no program makes the {kind} {name}{{{labels}}}"
               for name, kind, labels in told - made])


def options_of(build, room):
    program = pathlib.Path(build) / room / f"calrelay-{pathlib.Path(room).name}"
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout
    for name, has_file, words in OPTION.findall(text):
        words = " ".join(words.split())
        fallback = re.search(r" \[([^]]*)\]$", words)
        required = words.endswith(" (required)")
        meaning = re.sub(r" \((?:required)\)$| \[[^]]*\]$", "", words)
        yield (name, bool(has_file), meaning,
               "**required**" if required else f"`{fallback[1]}`" if fallback else "")


def settings_in_documents(build):
    """Every setting that a document names is one of a program's, and its JSON can be read."""
    known = set(OTHER_SETTINGS)
    for room in PROGRAMS:
        for name, has_file, _, _ in options_of(build, room):
            known |= {name, f"{name}_FILE"} if has_file else {name}
    complaints = []
    for document in tracked("*.md"):
        text = (ROOT / document).read_text()
        complaints += [f"{document}: no program has the setting {name}"
                       for name in sorted(set(SETTING.findall(text)) - known)]
        for block in FENCED_JSON.findall(text):
            try:
                json.loads(block)
            except ValueError as problem:
                complaints.append(f"{document}: {problem} in {block[:40]!r}")
    return complaints


def reference_text(build):
    parts = [HEAD]
    for room in PROGRAMS:
        parts.append(f"\n## calrelay-{room}\n\n| variable | meaning | default |\n|---|---|---|\n")
        for name, has_file, meaning, fallback in options_of(build, room):
            file = " *file*" if has_file else ""
            parts.append(f"| `{name}`{file} | {meaning.replace('|', chr(92) + '|')} | {fallback} |\n")
    return "".join(parts)


def configuration_reference(build):
    """docs/configuration.md is what the programs' --help says."""
    if (ROOT / REFERENCE).read_text() == reference_text(build):
        return []
    return [f"{REFERENCE}: run tests/lint/documents.py {build} --write"]


def main():
    build = sys.argv[1]
    if sys.argv[2:] == ["--write"]:
        (ROOT / REFERENCE).write_text(reference_text(build))
        return 0
    complaints = (names_in_documents(build) + settings_in_documents(build)
                  + bad_inputs_have_tests(build)
                  + configuration_reference(build) + metrics_reference(build))
    print("\n".join(complaints) or "all is there")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
