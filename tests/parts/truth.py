"""truth.py - what a calendar must show for a plan, worked out apart from the worker's code."""
import collections
import datetime
import json

from .process import ROOT

CUT = "\n… (cut)"  # where there was more to be said than fits
CONTROLS = {code: " " for code in range(32) if chr(code) not in "\t\n\r"}
MAPPING = json.loads((ROOT / "common/amidash.mapping.json").read_text())

Entry = collections.namedtuple("Entry", "subject start end show_as categories")


def look(status):
    """The mapping file's row for a booking status."""
    for row in MAPPING["looks"]:
        if row["status"] == status.lower():
            return row
    return MAPPING["other"]


def expected(plan):
    """{assignment id: Entry} for rows of System.plan: the end is the day after the last one."""
    entries = {}
    for row in plan:
        shown = look(row["booking_status"])
        start, end = row["start_date"], row["end_date"]
        if shown.get("no_event") or start is None or end is None or end < start:
            continue
        after = end + datetime.timedelta(days=1)
        entries[str(row["id"])] = Entry(row["client_name"], start.isoformat(), after.isoformat(),
                                        shown["show_as"], (shown["category"],))
    return entries


def _day(moment):
    text = moment["dateTime"] if isinstance(moment, dict) else moment
    assert text[10:].strip("T0:.Z") == "", f"an all-day event not at midnight: {moment}"
    return text[:10]


def shown(event):
    return Entry(event["subject"], _day(event["start"]), _day(event["end"]), event["showAs"],
                 tuple(event["categories"]))


def _lines(text):
    return text.replace("\r\n", "\n").strip()


def _is_said(row, said):
    parts = row["booking_status"], row["notes"], row["project_notes"]
    wanted = _lines("\n\n".join(filter(None, parts)).translate(CONTROLS))
    return said == wanted or said.endswith(CUT) and wanted.startswith(said.removesuffix(CUT))


def differences(plan, events):
    """One line per way in which the calendar is not the plan; events without our mark don't count."""
    wanted = expected(plan)
    rows = {str(row["id"]): row for row in plan}
    found = collections.defaultdict(list)
    for event in events:
        if event["assignment"] is not None:
            found[event["assignment"]].append(event)
    lines = [f"{key}: no event for {entry}" for key, entry in wanted.items() if key not in found]
    for key, copies in found.items():
        if key not in wanted:
            lines.append(f"{key}: {len(copies)} event(s) without an assignment")
            continue
        if len(copies) > 1:
            lines.append(f"{key}: {len(copies)} events")
        lines += _differences_of_event(key, wanted[key], rows[key], copies[0])
    return lines


def _differences_of_event(key, wanted, row, event):
    lines = []
    if shown(event) != wanted:
        lines.append(f"{key}: {shown(event)} instead of {wanted}")
    if not event["isAllDay"] or event["isReminderOn"]:
        lines.append(f"{key}: not all day, or with a reminder")
    said = _lines(event["body"]["content"])
    if not _is_said(row, said):
        lines.append(f"{key}: the body is {said[:200]!r}")
    return lines
