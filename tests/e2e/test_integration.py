"""What docs/integrate.md tells a host: its tables with other names, and connect's answers."""
import html
import os
import re
import subprocess
import urllib.parse

import jwt
import psycopg2
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from parts.guide import AZURE, block, blocks, example
from parts.process import ROOT
from parts.system import CLIENT_ID, Person

PHASES = {"planned": ("tentative", ["Yellow category"]), "fixed": ("busy", ["Green category"])}


class Planner:
    """The guide's host, in a database of its own, with the guide's mapping file everywhere."""

    def __init__(self, system):
        self.system = system
        self.mapping = system.folder / "planner.mapping.json"
        self.mapping.write_text(block("json", "mapping"))
        system.postgres.drop_database(system.database, system.slot)
        system.postgres.execute("postgres", f"CREATE DATABASE {system.database}")
        system.sql(block("sql", "host"))
        self.apply()
        for program in (system.producer, system.connect, *system.workers):
            program.with_settings(CALRELAY_MAPPING_FILE=self.mapping)
        system.topic = f"{system.prefix}.planner.bookings"

    def apply(self):
        environment = {"PATH": f"{self.system.postgres.bin}:{os.environ['PATH']}",
                       "DATABASE_URL": self.system.postgres.url(self.system.database)}
        commands = block("sh", "apply").replace("planner.mapping.json", str(self.mapping))
        done = subprocess.run(["bash", "-ec", commands], cwd=ROOT, env=environment, text=True,
                              capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def add_person(self, mail):
        user_id = self.system.value("INSERT INTO planner.staff (mail) VALUES (%s) RETURNING id",
                                    mail)
        self.system.fake.add_account(mail, mail)
        return Person(self.system, user_id, mail)

    def book(self, job, person, phase="planned"):
        return str(self.system.value(
            "INSERT INTO planner.bookings (job, person, phase, remarks) VALUES (%s, %s, %s, 'hall') "
            "RETURNING id", job, person.user_id, phase))

    def plan(self, person):
        """What the calendar must show: (booking, subject, first day, day after, showAs, categories)."""
        rows = self.system.sql(
            'SELECT b.id, customer, "from"::text AS first, ("to" + 1)::text AS after, phase '
            "FROM planner.bookings b JOIN planner.jobs j ON j.number = b.job "
            "WHERE person = %s AND phase <> 'dropped'", person.user_id)
        return sorted((str(row["id"]), row["customer"], row["first"], row["after"],
                       *PHASES[row["phase"]]) for row in rows)

    def shown(self, person):
        return sorted((event["assignment"], event["subject"], event["start"]["dateTime"][:10],
                       event["end"]["dateTime"][:10], event["showAs"], event["categories"])
                      for event in self.system.calendar(person.email))

    def wait_shown(self, *people):
        self.system.wait_until(
            lambda: all(self.shown(person) == self.plan(person) for person in people), 30,
            "the calendars show the planner's bookings")


@pytest.fixture(name="planner")
def a_planner(system):
    made = Planner(system)
    system.start()
    return made


def assert_finds_all_well(program):
    status, lines = program.check()
    assert status == 0, lines


def test_a_host_with_other_names_is_served_with_the_guides_mapping_file(planner):
    system = planner.system
    anna, ben = (planner.add_person(f"{name}@example.com") for name in ("anna", "ben"))
    job = system.value('INSERT INTO planner.jobs (customer, "from", "to") '
                       "VALUES ('Museum', '2026-03-02', '2026-03-06') RETURNING number")
    first = planner.book(job, anna)

    anna.connect()  # what was there before comes with the first synchronisation, from the tables
    ben.connect()
    planner.wait_shown(anna, ben)
    assert len(planner.shown(anna)) == 1

    planner.book(job, ben, "fixed")
    planner.book(job, ben, "dropped")
    planner.wait_shown(anna, ben)
    system.sql("UPDATE planner.jobs SET \"from\" = '2026-04-01', \"to\" = '2026-04-02'")
    planner.wait_shown(anna, ben)
    system.sql("UPDATE planner.bookings SET person = %s WHERE id = %s", ben.user_id, first)
    planner.wait_shown(anna, ben)
    assert (len(planner.shown(anna)), len(planner.shown(ben))) == (0, 2)
    system.sql("DELETE FROM planner.bookings")
    planner.wait_shown(anna, ben)

    for program in (system.producer, system.connect, system.worker):
        assert_finds_all_well(program)


def shape(value):
    """Members and kinds; lists by their first entry, null as what it is."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(entry) for entry in value[:1]]
    return type(value).__name__


def test_every_answer_in_the_guide_is_shaped_as_connects(pipeline):
    ada, = pipeline.add_people(1)
    answers = {"not_connected": ada.connection()}
    pipeline.create_assignments(pipeline.create_project(), [ada] * 2)
    undated = pipeline.create_project()
    pipeline.create_assignment(undated, ada)
    ada.connect()
    pipeline.wait_connected([ada])
    pipeline.redate_project(undated, None, None)
    pipeline.wait_calendars_equal_plan()
    pipeline.sql("UPDATE calendar_sync_requests SET created_at = now() - interval '2 minutes'")
    filed = ada.api("POST", "/api/calendar/sync")
    answers["filed"] = filed.json()
    answers["request"] = ada.wait_request(filed.json()["id"])
    answers["connection"] = ada.connection()
    refused = ada.api("POST", "/api/calendar/sync")
    answers["cooldown"] = refused.json()

    assert (filed.status_code, refused.status_code) == (202, 429)
    assert int(refused.headers["Retry-After"]) > 0
    for name, answer in answers.items():
        assert shape(example(name)) == shape(answer), name
    assert example("cooldown") == answers["cooldown"]
    assert example("not_connected")["status"] == "not_connected"


def test_the_guides_way_to_a_public_key_gives_one_that_connect_takes(desk):
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())
    [command] = [text for text in blocks("sh") if "jwks.json" in text]
    command = command.partition("|")[2]
    done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True,
                          input=f'{{"keys": [{jwk}]}}')
    assert done.returncode == 0, done.stderr
    ada, = desk.add_people(1)
    desk.connect.sigterm()
    desk.connect.with_settings(CALRELAY_JWT_SECRET=None, CALRELAY_JWT_PUBLIC_KEY=done.stdout)
    desk.connect.start().wait_ready()
    claims = jwt.decode(ada.token(), options={"verify_signature": False})

    token = jwt.encode(claims, key, "ES256", headers={"kid": "one"})
    answer = requests.get(desk.connect.url + "/api/calendar/connection", timeout=20,
                          headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200, answer.text


def test_the_administrators_link_is_the_one_that_azure_md_shows(desk):
    ada, = desk.add_people(1)
    ada.sign_in()
    page = ada.browser.get(f"{desk.connect.url}/my-schedule?error=admin_required", timeout=20).text
    [shown] = re.findall(r'href="([^"]*adminconsent[^"]*)"', page)
    redirect = desk.connect.settings["MICROSOFT_REDIRECT_URI"]
    told = block("text", "admin", AZURE).strip()
    for name, value in (("https://login.microsoftonline.com", desk.fake.url),
                        ("{tenant}", "organizations"), ("{client id}", CLIENT_ID),
                        ("{redirect URI}", urllib.parse.quote(redirect, safe=""))):
        assert name in told
        told = told.replace(name, value)

    assert html.unescape(shown) == told


def asked_by(script):
    """(columns that the guide's page selects, what it inserts) as its code says it."""
    columns = script.partition(".select('")[2].partition("'")[0]
    members = script.partition(".insert({")[2].partition("}")[0]
    return columns, [member.partition(":")[0].strip() for member in members.split(",")]


def test_the_browsers_role_may_do_what_the_guides_page_does(desk):
    [script] = [text for text in blocks("js") if "calendar_sync_requests" in text]
    columns, members = asked_by(script)
    ada, = desk.add_people(1)
    desk.sql("INSERT INTO calendar_connections (user_id, access_token, refresh_token, "
               "token_expires_at) VALUES (%s, 'v1:k:a', 'v1:k:r', now())", ada.user_id)

    desk.sql("SELECT set_config('request.jwt.claims', json_build_object('sub', %s)::text, false)",
               ada.user_id)
    desk.sql("SET ROLE authenticated")
    assert len(desk.sql(f"SELECT {columns} FROM calendar_connections")) == 1
    assert members == ["user_id", "kind"]
    filing = "INSERT INTO calendar_sync_requests (user_id, kind) VALUES (%s, 'full')"
    desk.sql(filing, ada.user_id)
    for refused in (f"{filing} RETURNING id", "SELECT * FROM calendar_connections"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            desk.sql(refused, *[ada.user_id] * refused.count("%s"))
