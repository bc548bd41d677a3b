"""postgres.py - a private PostgreSQL with logical replication, and databases of the host app."""
import contextlib
import os
import pwd
import signal
import subprocess

import psycopg2
import psycopg2.extras

from .process import ROOT, Process, free_port, wait_until

SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_connections": "200",
    "shared_buffers": "'64MB'",
    "fsync": "off",  # a test machine that loses power runs its tests again
    "full_page_writes": "off",
    "autovacuum_naptime": "'10s'",
    "log_min_messages": "warning",
    "timezone": "'UTC'",
}
TEMPLATE = "calrelay_template"
LOGINS = {"producer_login": "calrelay_producer", "worker_login": "calrelay_worker",
          "connect_login": "calrelay_connect"}
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def connect_to(url):
    connection = psycopg2.connect(url, connect_timeout=5,
                                  cursor_factory=psycopg2.extras.RealDictCursor)
    connection.autocommit = True
    return connection


class Postgres:
    """One server in its own folder.  Root may not run it, so root runs it as user postgres."""

    def __init__(self, folder, **settings):
        self.port = free_port()
        self.settings = {**SETTINGS, **settings}
        self.folder = folder / "postgres"
        self.data = self.folder / "data"
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.bin = subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True,
                                  text=True).stdout.strip()
        self.process = Process("postgres", [f"{self.bin}/postgres", "-D", self.data],
                               folder / "postgres.log", env={"PATH": os.environ["PATH"]},
                               user=self.user, death_signal=signal.SIGQUIT)

    def start(self):
        if not self.data.exists():
            self._create()
        self.process.start()
        wait_until(lambda: self.connect("postgres").close() is None, 30, "PostgreSQL accepts",
                   [self.process])
        return self

    def _create(self):
        self._fill_folder(f"{self.bin}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                          "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self._configure(**self.settings)

    def _fill_folder(self, *argv):
        """Runs what makes the data folder, as the user whom it has to belong to."""
        self.folder.mkdir(parents=True)
        identity = {}
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
            identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        subprocess.run([str(word) for word in argv], check=True, cwd="/",
                       stdout=subprocess.DEVNULL, **identity)

    def _configure(self, **settings):
        """What is set last counts, so a copy's own address replaces the original's."""
        with open(self.data / "postgresql.auto.conf", "a") as conf:
            for name, value in settings.items():
                conf.write(f"{name} = {value}\n")
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.folder}'\n")

    def standby(self, folder):
        """Another server that follows this one, started."""
        other = self.base_backup(folder, "-R")
        return other.start()

    def base_backup(self, folder, *options):
        """Another server on a base backup of this one, not started; it has no slots."""
        other = Postgres(folder)
        other._fill_folder(f"{self.bin}/pg_basebackup", "-d", self.url("postgres"), "-D",
                           other.data, "-c", "fast", "-X", "stream", "--no-sync", *options)
        other._configure()
        return other

    def file_copy(self, folder):
        """Another server on this one's files as they are, slots included, as a volume's snapshot
        has them; not started."""
        other = Postgres(folder)
        other._fill_folder("cp", "-a", self.data, other.data)
        (other.data / "postmaster.pid").unlink(missing_ok=True)
        other._configure()
        return other

    def listen_at(self, port):
        """A copy that is not started yet, at an address of one's choice."""
        self.port = port
        self._configure()
        return self

    def recover(self):
        """Starts a base backup as a restore does: to the end of its log, then on a new timeline."""
        self._configure(restore_command="'false'")
        (self.data / "recovery.signal").touch()
        os.chown(self.data / "recovery.signal", *self._owner())
        return self.start()

    def _owner(self):
        return (self.user.pw_uid, self.user.pw_gid) if self.user else (-1, -1)

    def promote(self):
        self.execute("postgres", "SELECT pg_promote()")

    def stop(self, mode="fast"):
        if self.process.is_running():
            self.process.expected = False
            self.process.signal(STOP_SIGNALS[mode])
            self.process.wait(60)

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def url(self, database, user="postgres"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, database, user="postgres"):
        return connect_to(self.url(database, user))

    def execute(self, database, statement):
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    @contextlib.contextmanager
    def altered(self, **settings):
        """With other settings that a reload brings into force, and afterwards without them."""
        try:
            for name, value in settings.items():
                self.execute("postgres", f"ALTER SYSTEM SET {name} = '{value}'")
            self.execute("postgres", "SELECT pg_reload_conf()")
            yield
        finally:
            for name in settings:
                self.execute("postgres", f"ALTER SYSTEM RESET {name}")
            self.execute("postgres", "SELECT pg_reload_conf()")

    def create_template(self):
        """The host's tables and our schema once; every story's database is a copy."""
        self.execute("postgres", f"CREATE DATABASE {TEMPLATE}")
        self._run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(TEMPLATE), "-f",
                   ROOT / "tests/fixtures/host.sql"])
        self._run([ROOT / "schemas/apply"])
        for login, role in LOGINS.items():
            replication = "REPLICATION" if role == "calrelay_producer" else ""
            self.execute("postgres", f"CREATE ROLE {login} LOGIN {replication} IN ROLE {role}")

    def _run(self, argv):
        env = {"PATH": f"{self.bin}:{os.environ['PATH']}", "DATABASE_URL": self.url(TEMPLATE)}
        done = subprocess.run(argv, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{argv[0]}: {done.stdout}{done.stderr}"

    def create_database(self, name):
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")

    def drop_slot(self, slot):
        """Its owner has gone, but the server may still have to notice."""
        connection = self.connect("postgres")
        with connection.cursor() as cursor:
            def dropped():
                cursor.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                               "WHERE slot_name = %s AND active", (slot,))
                cursor.execute("SELECT pg_drop_replication_slot(slot_name) FROM "
                               "pg_replication_slots WHERE slot_name = %s AND NOT active", (slot,))
                cursor.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", (slot,))
                return cursor.fetchone() is None
            wait_until(dropped, 20, f"slot {slot} is gone")
        connection.close()

    def drop_database(self, name, slot):
        self.drop_slot(slot)
        self.execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")
