"""system.py - the whole pipeline on real parts, and a host app that works with it."""
import base64
import datetime
import itertools
import os
import re
import time
import urllib.parse
import uuid

import jwt
import psycopg2
import requests

from . import murmur2, truth
from .kafka import Kafka
from .postgres import Postgres
from .process import Folder, wait_until
from .programs import Connect, Fake, Producer, Worker

JWT_SECRET = "a-secret-of-the-host-that-is-long-enough-for-hs256"
CLIENT_ID, CLIENT_SECRET = "calrelay-client", "calrelay-secret"
NAMES = ("Ada Lovelace", "Alan Turing", "Edsger Dijkstra", "Grace Hopper", "Barbara Liskov",
         "Donald Knuth", "Frances Allen", "Tony Hoare")
# A worker that was killed is missed after this long instead of librdkafka's 45 s.
WORKER_KAFKA_CONFIG = "session.timeout.ms=6000\nheartbeat.interval.ms=1000\n"
PLAN = """
SELECT a.id, p.client_name, p.start_date, p.end_date, a.booking_status, a.notes,
    p.notes AS project_notes
FROM project_assignments a JOIN projects p ON p.id = a.project_id
    JOIN profiles u ON u.id = a.user_id
WHERE u.email = %s ORDER BY a.id
"""


class Backbone:
    """PostgreSQL and Kafka, which many stories share one after the other."""

    def __init__(self):
        self.folder = Folder()
        self.kafka = Kafka(self.folder.path)
        self.postgres = Postgres(self.folder.path)

    def start(self):
        self.kafka.launch()
        self.postgres.start()
        self.postgres.create_template()
        self.kafka.wait()
        return self

    def stop(self):
        self.kafka.stop()
        self.postgres.stop("immediate")
        self.folder.remove()


class Person:
    """Somebody of the host app, with a browser that is signed in to connect."""

    def __init__(self, system, user_id, email):
        self.system, self.user_id, self.email = system, user_id, email
        self.browser = requests.Session()
        self.bearer = {"Authorization": f"Bearer {self.token()}"}

    def token(self, **claims):
        now = int(time.time())
        return jwt.encode({"sub": str(self.user_id), "aud": "authenticated", "email": self.email,
                           "role": "authenticated", "iat": now, "exp": now + 3000, **claims},
                          JWT_SECRET, "HS256")

    def sign_in_link(self):
        return f"{self.system.connect.url}/session?token={self.token()}"

    def sign_in(self):
        answer = self.browser.get(self.sign_in_link(), allow_redirects=False, timeout=20)
        assert answer.status_code == 303, f"{answer.status_code} {answer.text}"

    def begin_consent(self):
        """GET /api/auth/microsoft with the browser's cookie; where it sends the browser."""
        answer = self.browser.get(f"{self.system.connect.url}/api/auth/microsoft",
                                  allow_redirects=False, timeout=20)
        assert answer.status_code == 302, f"{answer.status_code} {answer.text}"
        return answer.headers["Location"]

    def consent(self, location, account=None):
        """Consents at Microsoft; the callback's address with code and state."""
        account = urllib.parse.quote(account or self.email)
        answer = self.browser.get(f"{location}&fake_account={account}", allow_redirects=False,
                                  timeout=20)
        assert answer.status_code == 302, f"{answer.status_code} {answer.text}"
        return answer.headers["Location"]

    def connect(self, account=None):
        """The real OAuth routes from end to end."""
        self.sign_in()
        callback = self.consent(self.begin_consent(), account)
        answer = self.browser.get(callback, allow_redirects=False, timeout=40)
        assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
        assert "connected=1" in answer.headers["Location"], answer.headers["Location"]
        self.system.connected.add(self.email)

    def api(self, method, path, **more):
        return requests.request(method, self.system.connect.url + path, headers=self.bearer,
                                allow_redirects=False, timeout=20, **more)

    def connection(self):
        answer = self.api("GET", "/api/calendar/connection")
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return answer.json()

    def sync_now(self):
        """Files the request as soon as connect allows one; its id."""
        answer = self.api("POST", "/api/calendar/sync")
        assert answer.status_code == 202, f"{answer.status_code} {answer.text}"
        return answer.json()["id"]

    def wait_request(self, request_id, timeout=60):
        """Until it ended; what it says then."""
        def ended():
            answer = self.api("GET", f"/api/calendar/requests/{request_id}").json()
            return answer if answer["state"] in ("done", "failed") else None
        return self.system.wait_until(ended, timeout, f"request {request_id} ended")


class System:
    """One pipeline of its own: database, topics, slot, group, the fake and the programs."""

    numbers = itertools.count(1)

    def __init__(self, backbone, build=None, quarantine_s=35, number=None):
        number = next(self.numbers) if number is None else number
        self.backbone, self.build = backbone, build
        self.postgres, self.kafka = backbone.postgres, backbone.kafka
        self.folder = backbone.folder.path / f"system{number}"
        self.folder.mkdir(exist_ok=True)  # an earlier one of this number may have been closed
        self.database = self.slot = self.prefix = f"amidash{number}"
        self.group = f"calrelay{number}"
        self.topic = f"{self.prefix}.public.project_assignments"
        self.requests_topic = f"{self.prefix}.public.calendar_sync_requests"
        self.dlq = f"{self.prefix}.dlq"
        self.quarantine_s = quarantine_s
        self.people, self.connected, self.workers = {}, set(), []
        self._connection = None
        self.postgres.create_database(self.database)
        self._make_programs()

    # the programs

    def _make_programs(self):
        self.fake = Fake("fake", self.folder, {
            "FAKE_CLIENT_ID": CLIENT_ID, "FAKE_CLIENT_SECRET": CLIENT_SECRET}, self.build)
        self.connect = Connect("connect", self.folder, self._settings("connect_login"), self.build)
        redirect = f"{self.connect.url}/api/auth/microsoft/callback"
        self.connect.with_settings(MICROSOFT_REDIRECT_URI=redirect)
        self.fake.with_settings(FAKE_REDIRECT_URI=redirect)
        self.producer = self.new_producer()
        self.new_worker()

    def _settings(self, login):
        return {
            "DATABASE_URL": self.postgres.url(self.database, login),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap,
            "CALRELAY_TOPIC_PREFIX": self.prefix,
            "CALRELAY_GROUP": self.group,
            "CALRELAY_SLOT": self.slot,
            "CALRELAY_QUARANTINE_SECONDS": str(self.quarantine_s),
            "CALRELAY_TIME_ZONE": "Europe/Berlin",
            "CALRELAY_JWT_SECRET": JWT_SECRET,
            "MICROSOFT_CLIENT_ID": CLIENT_ID,
            "MICROSOFT_CLIENT_SECRET": CLIENT_SECRET,
            "MICROSOFT_LOGIN_URL": self.fake.url,
            "MICROSOFT_GRAPH_URL": self.fake.url,
            "CALRELAY_TOKEN_KEYS_FILE": str(self._private_file("token-keys", self._keys)),
        }

    def _private_file(self, name, content):
        path = self.folder / name
        if not path.exists():
            path.touch(0o600)
            path.write_text(content())
        return path

    @staticmethod
    def _keys():
        return f"k1:{base64.b64encode(os.urandom(32)).decode()}\n"

    def new_producer(self):
        producer = Producer(f"producer{next(self.numbers)}", self.folder,
                            self._settings("producer_login"), self.build)
        return producer.with_settings(CALRELAY_REPLICATION_FACTOR=1)

    def new_worker(self):
        worker = Worker(f"worker{len(self.workers) + 1}", self.folder,
                        self._settings("worker_login"), self.build)
        config = self._private_file("worker.kafka", lambda: WORKER_KAFKA_CONFIG)
        worker.with_settings(KAFKA_CONFIG_FILE=config,
                             MICROSOFT_REDIRECT_URI=self.connect.settings["MICROSOFT_REDIRECT_URI"])
        self.workers.append(worker)
        return worker

    @property
    def worker(self):
        return self.workers[0]

    @property
    def programs(self):
        return [self.fake, self.producer, self.connect, *self.workers]

    def secrets(self):
        """Those that are configured; issued ones show by their form."""
        keys = (self.folder / "token-keys").read_text()
        return [CLIENT_SECRET, JWT_SECRET, *re.findall(r":(\S{20,})", keys)]

    def start(self, workers=1):
        while len(self.workers) < workers:
            self.new_worker()
        self.fake.start().wait_ready()
        self.producer.start()
        self.connect.start()
        self.producer.wait_ready()  # by then the topics exist
        self.connect.wait_ready()
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.wait_ready()
        return self

    def close(self):
        for program in self.programs:
            program.kill9()
        if self._connection is not None:
            self._connection.close()
        self.kafka.delete_topics(self.prefix)
        self.postgres.drop_database(self.database, self.slot)

    def wait_until(self, predicate, timeout=30, what=None):
        return wait_until(predicate, timeout, what, self.programs)

    def move_to_own_server(self):
        """A PostgreSQL of this system alone, first of its servers, of which a story makes copies."""
        own = Postgres(self.folder / "own").start()
        own.create_template()
        own.create_database(self.database)
        self.servers = [own]
        self.move_to(own)

    def move_to(self, postgres):
        """From now on the host app uses that server, and the programs when they start next."""
        self.postgres, self._connection = postgres, None
        for program, login in [(self.producer, "producer_login"), (self.connect, "connect_login"),
                               *((worker, "worker_login") for worker in self.workers)]:
            program.with_settings(DATABASE_URL=postgres.url(self.database, login))

    # the host app

    def sql(self, statement, *values):
        """Runs it as the host app; the rows, if there are any."""
        with self._connected().cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement, *values):
        return next(iter(self.sql(statement, *values)[0].values()))

    def _connected(self):
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except (AttributeError, psycopg2.OperationalError, psycopg2.InterfaceError):
            self._connection = self.postgres.connect(self.database)
        return self._connection

    def add_people(self, count, partition=None):
        """Profiles with a mailbox each, all of one partition if asked; the persons."""
        added = []
        for _ in range(count):
            number = len(self.people)
            name = NAMES[number] if number < len(NAMES) else f"Person {number + 1}"
            email = re.sub(r"\W+", ".", name.lower()) + "@example.com"
            user_id = self.value("INSERT INTO profiles (id, email, full_name) VALUES (%s, %s, %s) "
                                 "RETURNING id", new_user_id(partition), email, name)
            self.fake.add_account(email, name)
            self.people[email] = Person(self, user_id, email)
            added.append(self.people[email])
        return added

    def connect_people(self, count, partition=None):
        people = self.add_people(count, partition)
        for person in people:
            person.connect()
        self.wait_connected(people)
        return people

    def wait_connected(self, people, timeout=60):
        """Until the full sync that connecting files has ended for each."""
        for person in people:
            self.wait_until(lambda: self.value(
                "SELECT count(*) > 0 AND bool_and(state = 'done') FROM calendar_sync_requests "
                "WHERE user_id = %s", person.user_id), timeout, f"first sync of {person.email}")

    def create_project(self, client_name="Acme Corp", start="2026-03-02", end="2026-03-06",
                       notes=None):
        return self.value("INSERT INTO projects (client_name, start_date, end_date, notes) "
                          "VALUES (%s, %s, %s, %s) RETURNING id", client_name, start, end, notes)

    def create_assignment(self, project, person, status="tentative", notes=None):
        return str(self.value(
            "INSERT INTO project_assignments (project_id, user_id, booking_status, notes) "
            "VALUES (%s, %s, %s, %s) RETURNING id", project, person.user_id, status, notes))

    def create_assignments(self, project, people, status="tentative"):
        """One statement, one transaction; their ids."""
        rows = self.sql(
            "INSERT INTO project_assignments (project_id, user_id, booking_status) "
            "SELECT %s, unnest(%s::uuid[]), %s RETURNING id",
            project, [str(person.user_id) for person in people], status)
        return [str(row["id"]) for row in rows]

    def update_assignment_status(self, assignment, status):
        self.sql("UPDATE project_assignments SET booking_status = %s, updated_at = now() "
                 "WHERE id = %s", status, assignment)

    def remove_assignment(self, assignment):
        self.sql("DELETE FROM project_assignments WHERE id = %s", assignment)

    def bulk_update_assignment_status(self, assignments, status):
        self.sql("UPDATE project_assignments SET booking_status = %s, updated_at = now() "
                 "WHERE id = ANY(%s::uuid[])", status, list(assignments))

    def reassign(self, assignment, person):
        self.sql("UPDATE project_assignments SET user_id = %s, updated_at = now() WHERE id = %s",
                 person.user_id, assignment)

    def redate_project(self, project, start, end):
        self.sql("UPDATE projects SET start_date = %s, end_date = %s, updated_at = now() "
                 "WHERE id = %s", start, end, project)

    # both sides of the truth

    def plan(self, email):
        return self.sql(PLAN, email)

    def calendar(self, email):
        return self.fake.events(email)

    def event_of(self, person, assignment):
        """The one event that stands for the assignment, or None."""
        found = [event for event in self.calendar(person.email)
                 if event["assignment"] == assignment]
        assert len(found) <= 1, f"{len(found)} events for {assignment}"
        return found[0] if found else None

    def differences(self):
        lines = []
        for email in sorted(self.connected):
            lines += [f"{email}: {line}" for line in
                      truth.differences(self.plan(email), self.calendar(email))]
        return lines

    def assert_calendars_equal_plan(self):
        lines = self.differences()
        assert not lines, f"{len(lines)} differences:\n" + "\n".join(lines[:20])
        return True

    def wait_calendars_equal_plan(self, timeout=30):
        self.wait_until(self.assert_calendars_equal_plan, timeout, "calendars equal the plan")

    def dlq_records(self):
        return self.kafka.read(self.dlq) if self.dlq in self.kafka.topics(self.prefix) else []

    def age_requests(self):
        """As if the newest request were two minutes old: connect allows the next one."""
        self.sql("UPDATE calendar_sync_requests SET created_at = created_at - interval '2 minutes'")

    def lag(self):
        return self.kafka.lag(self.group, self.topic) + self.kafka.lag(self.group,
                                                                       self.requests_topic)

    def wait_committed(self, timeout=30):
        """Until the group has committed everything that is in the topics."""
        self.wait_until(lambda: self.lag() == 0, timeout, "everything is committed")

    def wait_published(self, timeout=30):
        """Until there is a slot, confirmed up to what is committed in PostgreSQL now."""
        target = self.value("SELECT pg_current_wal_lsn()")
        self.wait_until(lambda: self.value(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s "
            "AND confirmed_flush_lsn >= %s", self.slot, target), timeout, "the slot moves")


def new_user_id(partition):
    while True:
        user_id = str(uuid.uuid4())
        if partition in (None, murmur2.partition(user_id.encode(), 12)):
            return user_id


def today(days=0):
    return (datetime.date.today() + datetime.timedelta(days=days)).isoformat()
