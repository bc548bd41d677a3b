"""kafka.py - a private Apache Kafka (KRaft) from Maven's jars, and what stories ask of it."""
import collections
import functools
import json
import os
import pathlib
import re
import shlex
import subprocess

import confluent_kafka
import confluent_kafka.admin

from .process import ROOT, Process, free_port, wait_until

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{address}:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{address}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
# Kafka's own tools, which its scripts of these names start.
KAFKA_TOOLS = {"kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
               "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer"}
NO_COORDINATOR = (confluent_kafka.KafkaError.NOT_COORDINATOR,
                  confluent_kafka.KafkaError.COORDINATOR_NOT_AVAILABLE,
                  confluent_kafka.KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
Record = collections.namedtuple("Record", "partition offset key value headers timestamp_ms")


def jars(name):
    """The class path of what scripts/setup fetched for tests/parts/<name>/pom.xml."""
    pom = (ROOT / f"tests/parts/{name}/pom.xml").read_text()
    version = re.search(rf"<{name}\.version>(.*)</{name}\.version>", pom).group(1)
    return f"{fetched(name, version, 'pom.xml')}/*"


def fetched(name, version, asked):
    """Where scripts/setup put that version of what tests/parts/<name>/<asked> asks for."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(cache) / "calrelay" / f"{name}-{version}"
    assert (folder / asked).exists(), f"nothing in {folder}: run scripts/setup --all"
    return folder


class Kafka:
    """One broker that is its own controller; started again on the same data and port."""

    def __init__(self, folder, address="127.0.0.1"):
        self.port, self.controller = free_port(), free_port()
        self.address, self.bootstrap = address, f"{address}:{self.port}"
        self.folder = folder / "kafka"
        self.env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.process = Process("kafka", ["sh", "-c", self._script()], folder / "kafka.log",
                               env=self.env)

    def _script(self):
        """Formats the data folder the first time, then becomes the broker."""
        java = shlex.join(self.java("512m"))
        properties = shlex.quote(str(self.folder / "server.properties"))
        return (f"[ -e {shlex.quote(str(self.folder / 'data'))} ] || {java} "
                f"kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qg -c {properties} "
                f"|| exit; exec {java} kafka.Kafka {properties}")

    @staticmethod
    def java(heap="128m"):
        """How Kafka's classes are started."""
        return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                jars("kafka")]

    def launch(self):
        """Starts it without waiting."""
        if not self.folder.exists():
            self.folder.mkdir()
            (self.folder / "server.properties").write_text(PROPERTIES.format(
                address=self.address, port=self.port, controller=self.controller, data=self.folder / "data"))
        self.process.start()

    def wait(self):
        wait_until(self._answers, 60, "Kafka answers", [self.process])

    def start(self):
        self.launch()
        self.wait()
        return self

    def _answers(self):
        try:
            return self.admin.list_topics(timeout=1).brokers
        except confluent_kafka.KafkaException:
            return False

    def stop(self):
        self.process.stop(30)

    def restart(self):
        self.stop()
        self.start()

    def _tool(self, name, *args):
        done = subprocess.run([*self.java(), name, *[str(arg) for arg in args]],
                              env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    def reset_offsets(self, group, *where, topic=None):
        """Kafka's own kafka-consumer-groups.sh; the group has to be inactive."""
        topics = ("--topic", topic) if topic else ("--all-topics",)
        return self._tool(KAFKA_TOOLS["kafka-consumer-groups"],
                          "--bootstrap-server", self.bootstrap, "--group", group,
                          "--reset-offsets", *topics, *(where or ("--to-earliest",)),
                          "--execute")

    def group_state(self, group):
        """What kafka-consumer-groups.sh says: (state, members)."""
        line = self._tool(KAFKA_TOOLS["kafka-consumer-groups"],
                          "--bootstrap-server", self.bootstrap, "--group", group,
                          "--describe", "--state").strip().splitlines()[-1].split()
        return line[-2], int(line[-1])

    def describe_group(self, group):
        """What kafka-consumer-groups.sh says: {(topic, partition): (committed, end, lag)}."""
        told = self._tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                          "--bootstrap-server", self.bootstrap, "--group", group, "--describe")
        rows = [line.split() for line in told.splitlines() if line.startswith(group + " ")]
        return {(row[1], row[2]): tuple(int(number) for number in row[3:6]) for row in rows}

    @functools.cached_property
    def admin(self):
        return confluent_kafka.admin.AdminClient({
            "bootstrap.servers": self.bootstrap, "log_level": 0})

    def topics(self, prefix):
        names = self.admin.list_topics(timeout=10).topics
        return {name: len(topic.partitions) for name, topic in names.items()
                if name.startswith(prefix + ".")}

    def topic_config(self, topic, name):
        resource = confluent_kafka.admin.ConfigResource("topic", topic)
        answer = self.admin.describe_configs([resource])[resource].result(10)
        return answer[name].value

    def create_topic(self, name, partitions, config):
        topic = confluent_kafka.admin.NewTopic(name, partitions, 1, config=config)
        self.admin.create_topics([topic])[name].result(10)

    def alter_topic(self, name, **config):
        """Its whole configuration: what is not named goes back to the broker's default."""
        resource = confluent_kafka.admin.ConfigResource("topic", name, set_config={
            option.replace("_", "."): str(value) for option, value in config.items()})
        self.admin.alter_configs([resource])[resource].result(10)

    def delete_topics(self, prefix):
        names = list(self.topics(prefix))
        if names:
            for future in self.admin.delete_topics(names).values():
                future.result(10)

    def read(self, topic):
        """Every record of the topic as it stands now, in partition and offset order."""
        return sorted(self.each(topic))

    def each(self, topic):
        """The same one by one, each partition in offset order, for topics that fill memory."""
        reader = self._consumer("calrelay-reader")
        try:
            ends = self._ends(reader, topic)
            reader.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in ends])
            yield from self._drain(reader, ends)
        finally:
            reader.close()

    def count(self, topic):
        """How many records were ever written to the topic."""
        reader = self._consumer("calrelay-reader")
        try:
            return sum(self._ends(reader, topic).values())
        finally:
            reader.close()

    @staticmethod
    def _ends(reader, topic):
        ends = {}
        for number in reader.list_topics(topic, timeout=10).topics[topic].partitions:
            low, high = reader.get_watermark_offsets(
                confluent_kafka.TopicPartition(topic, number), timeout=10)
            if high > low:
                ends[number] = high
        return ends

    @staticmethod
    def _drain(reader, ends):
        open_ends = dict(ends)
        while open_ends:
            message = reader.poll(10)
            assert message is not None, f"no record for 10 s, still open: {open_ends}"
            if message.error():
                if message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    open_ends.pop(message.partition(), None)
                    continue
                raise confluent_kafka.KafkaException(message.error())
            yield Record(message.partition(), message.offset(), message.key(), message.value(),
                         dict(message.headers() or []), message.timestamp()[1])
            if message.offset() + 1 >= open_ends.get(message.partition(), 0):
                open_ends.pop(message.partition(), None)

    def _consumer(self, group):
        return confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": group, "log_level": 0,
            "enable.auto.commit": False, "enable.partition.eof": True,
            "auto.offset.reset": "earliest"})

    def lag(self, group, topic):
        """Records between what the group committed and the end of the topic."""
        reader = self._consumer(group)
        try:
            numbers = reader.list_topics(topic, timeout=10).topics[topic].partitions
            asked = [confluent_kafka.TopicPartition(topic, number) for number in numbers]
            total = 0
            for at in wait_until(lambda: self._committed(reader, asked), 20, "committed offsets"):
                low, high = reader.get_watermark_offsets(at, timeout=10)
                total += high - (at.offset if at.offset >= 0 else low)
            return total
        finally:
            reader.close()

    @staticmethod
    def _committed(reader, asked):
        try:
            return reader.committed(asked, timeout=10)
        except confluent_kafka.KafkaException as problem:
            if problem.args[0].retriable() or problem.args[0].code() in NO_COORDINATOR:
                return None  # the broker has just started
            raise

    def committed(self, group, topic):
        """{partition: offset} that the group has committed; -1001: none."""
        reader = self._consumer(group)
        try:
            numbers = reader.list_topics(topic, timeout=10).topics[topic].partitions
            asked = [confluent_kafka.TopicPartition(topic, number) for number in numbers]
            found = wait_until(lambda: self._committed(reader, asked), 20, "committed offsets")
            return {at.partition: at.offset for at in found}
        finally:
            reader.close()

    def replace_topic(self, name, records):
        """Deletes the topic and makes it anew with these records in their partitions."""
        partitions = len(self.admin.list_topics(name, timeout=10).topics[name].partitions)
        self.admin.delete_topics([name])[name].result(10)
        wait_until(lambda: name not in self.admin.list_topics(timeout=10).topics, 20,
                   "the topic is gone")
        wait_until(lambda: self._try_create(name, partitions), 20, "the topic is there again")
        writer = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for record in records:
            writer.produce(name, record.value, record.key, record.partition,
                           headers=list(record.headers.items()))
        assert writer.flush(20) == 0

    def _try_create(self, name, partitions):
        try:
            self.create_topic(name, partitions, {"cleanup.policy": "compact"})
        except confluent_kafka.KafkaException:
            return False
        return True

    def abort_transaction(self, topic, partitions):
        """Leaves offsets at the end of these partitions that no reader of committed records sees."""
        writer = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap, "log_level": 0,
                                           "transactional.id": f"aborts-{topic}"})
        writer.init_transactions(30)
        writer.begin_transaction()
        for partition in partitions:
            writer.produce(topic, b"never", b"never", partition)
        writer.flush(10)
        writer.abort_transaction(30)

    def produce(self, topic, partition, key, value, headers=()):
        """Puts bytes into a topic that our producer would never have written."""
        sent = []
        writer = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap, "log_level": 0})
        writer.produce(topic, value, key, partition, headers=list(headers),
                       on_delivery=lambda error, message: sent.append((error, message)))
        writer.flush(10)
        assert sent and sent[0][0] is None, f"not delivered: {sent}"
        return sent[0][1].offset()


def as_json(record):
    """Key and value of a record as what they say; a tombstone's value is None."""
    value = None if record.value is None else json.loads(record.value)
    return json.loads(record.key), value
