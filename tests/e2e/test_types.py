"""What the worker writes to Microsoft is what Microsoft's own types for TypeScript allow."""
import json

from parts import node
from parts.process import ROOT

TYPES = {"create": "Event", "update": "Event", "categories": "OutlookCategory"}
WRONG = [{"subjects": "x"}, {"showAs": "Busy"}, {"isAllDay": "true"}, {"start": "2026-03-02"},
         {"body": {"contentType": "text", "contents": "x"}}, {"categories": "Green category"},
         {"singleValueExtendedProperties": [{"id": "x", "values": "y"}]}]


def write(path, bodies):
    """One constant a line, below the line that names the types; the file."""
    lines = ["import type { Event, OutlookCategory } from '@microsoft/microsoft-graph-types';"]
    lines += [f"export const b{number}: {TYPES[body['kind']]} = {json.dumps(body['body'])};"
              for number, body in enumerate(bodies)]
    path.write_text("\n".join(lines) + "\n")
    return path


def drive(system):
    """Every kind of assignment, each created and changed."""
    ada, = system.connect_people(1)
    plain = system.create_project("Acme Corp")
    other = system.create_project('"Ö" & \N{GRINNING FACE} \\ ' + "x" * 400, notes="Gate 3\n\tcode 4")
    statuses = ("confirmed", "tentative", "option", "requested", "cancelled", "on hold")
    made = [system.create_assignment(project, ada, status, notes)
            for project, notes in ((plain, None), (other, "line\r\n\N{PARTY POPPER} 'two'"),
                                   (plain, "é" * 40000))
            for status in statuses]
    system.wait_until(lambda: len(system.calendar(ada.email)) == 15, 30, "all are there")
    system.redate_project(other, "2028-02-29", "2028-02-29")
    system.bulk_update_assignment_status(made[:12], "confirmed")
    system.wait_until(lambda: sorted(
        (event["start"]["dateTime"][:4], event["showAs"]) for event in system.calendar(ada.email)
    ) == [*[("2026", "busy")] * 7, *[("2026", "tentative")] * 4, *[("2028", "busy")] * 6], 30,
        "all are changed")


def test_all_that_the_worker_writes_fits_microsofts_types(system):
    system.connect.with_settings(CALRELAY_MAILBOX_SETTINGS="write")
    system.start()
    system.fake.control("POST", "settings", {"keep_bodies": True})

    drive(system)

    bodies = system.fake.control("GET", "bodies")["bodies"]
    kinds = [body["kind"] for body in bodies]
    assert kinds.count("create") >= 17 and kinds.count("update") >= 9
    assert kinds.count("categories") == 5
    good = write(system.folder / "good.ts", bodies)
    bad = write(system.folder / "bad.ts",
                [{"kind": "create", "body": {**bodies[0]["body"], **wrong}} for wrong in WRONG]
                + [{"kind": "categories", "body": {"displayName": "x", "color": "green"}}])
    found = json.loads(node.run(ROOT / "tests/clients/types.js", good, bad))
    assert [one for one in found if one["file"] != "bad.ts"] == []
    assert sorted({one["line"] for one in found}) == list(range(1, len(WRONG) + 2)), \
        "the compiler finds each of the mistakes"
