"""rivals.py - who else could make the same calls: Microsoft's own client, and Parallel Consumer."""
import json
import os
import pathlib
import subprocess

from parts import node, truth
from parts.kafka import fetched, jars
from parts.process import ROOT, Process

HERE = pathlib.Path(__file__).resolve().parent
ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
KEYED = 256  # as many as the worker's CALRELAY_MAX_IN_FLIGHT


def event_of(row, status):
    """What the plan's app would send, in the worker's words."""
    look = truth.look(status)
    return {"subject": row["client_name"], "isAllDay": True, "isReminderOn": False,
            "showAs": look["show_as"], "categories": [look["category"]],
            "body": {"contentType": "text",
                     "content": f"{status}\n\n{row['notes']}\n\n{row['project_notes']}"},
            "start": {"dateTime": f"{row['start_date']}T00:00:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": f"{row['after']}T00:00:00", "timeZone": "Europe/Berlin"}}


def client_folder():
    return node.folder()


def graph_client(office, calls, in_flight):
    """calls: [(token, path, body)], all prepared; so many awaited at once."""
    path = office.system.folder / "calls.json"
    path.write_text(json.dumps(calls))
    return Process("graph-client", ["node", HERE / "graph_client.mjs", client_folder(),
                                    office.fake.url, path, in_flight],
                   office.system.folder / "graph-client.log", env=ENV)


def parallel_consumer(office, group, calls):
    """calls: [(assignment, token, event)]; reads the topic from where its group stands."""
    folder = office.system.folder / "parallel"
    if not folder.exists():
        subprocess.run(["javac", "-cp", jars("parallel"), "-d", folder, HERE / "Parallel.java"],
                       check=True)
    path = office.system.folder / "calls.tsv"
    path.write_text("".join("\t".join(call) + "\n" for call in calls))
    return Process("parallel-consumer", [
        "java", "-Xmx512m", "-cp", f"{jars('parallel')}:{folder}", "Parallel",
        office.kafka.bootstrap, office.topic, group, office.fake.url, path, KEYED],
        office.system.folder / "parallel.log", env=ENV)
