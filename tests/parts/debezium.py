"""debezium.py - real Debezium in Kafka Connect beside a system's own producer, to compare with."""
import os

import requests

from .kafka import jars
from .process import Process, free_port, wait_until

# Starts quickly and stays small, at the price of peak speed: a benchmark gives JAVA of its own.
JAVA = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
TABLES = ("public.projects", "public.project_assignments")


class Debezium(Process):
    """ConnectStandalone with the PostgreSQL connector: own slot, publication, offsets and topics.

    Its topics are <prefix>.debezium.<schema>.<table>, each of one partition, so their order is the
    stream's; what it writes into them knows only <prefix>, as if they had Debezium's usual names.
    connector and worker are settings to add or to override, None takes one away.  A second one
    beside the first needs another name, which stands for "debezium" in all of the above.
    """

    def __init__(self, system, connector=None, worker=None, java=JAVA, name="debezium"):
        self.system, self.name = system, name
        self.port = free_port()
        self.slot = self.publication = f"{system.slot}_{name}"
        self.topic = f"{system.prefix}.{name}.public.project_assignments"
        self.folder = system.folder / name
        self.folder.mkdir(exist_ok=True)
        files = [self._write("worker", {**self._worker(), **(worker or {})}),
                 self._write("connector", {**self._connector(), **(connector or {})})]
        super().__init__(name, ["java", *java, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                                      "-cp", jars("debezium"),
                                      "org.apache.kafka.connect.cli.ConnectStandalone", *files],
                         self.folder / "debezium.log",
                         env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})

    def _worker(self):
        return {
            "bootstrap.servers": self.system.kafka.bootstrap,
            "listeners": f"http://127.0.0.1:{self.port}",
            "plugin.discovery": "service_load",
            "offset.storage.file.filename": self.folder / "offsets",
            "offset.flush.interval.ms": 1000,
            "producer.max.request.size": 10000000,
            **{f"{side}.converter{name}": value for side in ("key", "value") for name, value in (
                ("", "org.apache.kafka.connect.json.JsonConverter"), (".schemas.enable", "false"))},
        }

    def _connector(self):
        return {
            "name": "debezium",
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "plugin.name": "pgoutput",
            "database.hostname": "127.0.0.1",
            "database.port": self.system.postgres.port,
            "database.user": "postgres",
            "database.password": "unused",
            "database.dbname": self.system.database,
            "topic.prefix": self.system.prefix,
            "table.include.list": ",".join(TABLES),
            "message.key.columns": "public.project_assignments:user_id,id",
            "slot.name": self.slot,
            "publication.name": self.publication,
            "publication.autocreate.mode": "filtered",
            "status.update.interval.ms": 200,
            "topic.creation.default.partitions": 1,
            "topic.creation.default.replication.factor": 1,
            "topic.creation.default.max.message.bytes": 10485760,
            "transforms": "route",
            "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.route.regex": f"{self.system.prefix}[.](.*)",
            "transforms.route.replacement": f"{self.system.prefix}.{self.name}.$1",
        }

    def _write(self, name, settings):
        path = self.folder / f"{name}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()
                                if value is not None))
        return path

    def wait_streaming(self, timeout=120):
        """Until its snapshot is over and it reads its slot."""
        wait_until(self._is_streaming, timeout, "Debezium streams", [self])
        return self

    def _is_streaming(self):
        self.assert_task_runs()
        return self.system.sql("SELECT 1 FROM pg_replication_slots JOIN pg_stat_replication ON "
                               "pid = active_pid WHERE slot_name = %s AND state = 'streaming'",
                               self.slot)

    def wait_read(self, lsn):
        """Until it says that it has read the log up to there."""
        wait_until(lambda: self.system.sql(
            "SELECT 1 FROM pg_replication_slots JOIN pg_stat_replication ON pid = active_pid "
            "WHERE slot_name = %s AND write_lsn >= %s", self.slot, lsn), 60,
            f"{self.name} has read up to {lsn}", [self])

    def assert_task_runs(self):
        """A task that failed stays so, with the reason at hand."""
        status = requests.get(f"http://127.0.0.1:{self.port}/connectors/debezium/status", timeout=5)
        for task in status.json().get("tasks", ()):
            if task["state"] == "FAILED":
                raise RuntimeError(f"Debezium failed: {task['trace']}")

    def close(self):
        self.kill9()
        self.system.postgres.drop_slot(self.slot)
