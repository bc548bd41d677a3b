"""deployed.py - calrelay as deploy/overlays/demo brings it into the cluster, beside real PostgreSQL and
Kafka and the fake Microsoft, which run as processes where the pods reach them."""
import os
import pathlib
import subprocess
import types

import yaml

from cluster import NODE, POD_NETWORK
from parts.kafka import Kafka
from parts.nghttpx import Authority, Nghttpx
from parts.postgres import Postgres
from parts.process import ROOT, Folder
from parts.programs import Fake
from parts.system import CLIENT_ID, CLIENT_SECRET, JWT_SECRET, System

SPACE = "calrelay-demo"
SELECTOR = "app.kubernetes.io/name=calrelay,app.kubernetes.io/component="
AUTHORITY = "/run/authority/authority.pem"


class Backbone:
    """As parts.system's, on an address that pods reach."""

    def __init__(self):
        self.folder = Folder()
        self.kafka = Kafka(self.folder.path, NODE)
        self.postgres = Postgres(self.folder.path, listen_addresses="'*'")

    def start(self):
        self.kafka.launch()
        self.postgres.start()
        with open(self.postgres.data / "pg_hba.conf", "a", encoding="utf-8") as access:
            access.write(f"host all all {POD_NETWORK} trust\n")
        self.postgres.execute("postgres", "SELECT pg_reload_conf()")
        self.postgres.create_template()  # for the login roles
        self.kafka.wait()
        return self

    def stop(self):
        self.kafka.stop()
        self.postgres.stop("immediate")
        self.folder.remove()


class Deployed(System):
    """The host app and both sides of the truth of a System, its programs in pods."""

    def __init__(self, backbone, cluster, images):
        self.cluster, self.images = cluster, pathlib.Path(images)
        super().__init__(backbone, number="")
        self.slot = "calrelay"
        self._begin_without_our_schema()

    def _begin_without_our_schema(self):
        """The migration Job has to make it."""
        self.postgres.execute("postgres", f"DROP DATABASE {self.database}")
        self.postgres.execute("postgres", f"CREATE DATABASE {self.database}")
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                        self.postgres.url(self.database), "-f",
                        ROOT / "tests/fixtures/host.sql"], check=True)

    def _make_programs(self):
        """The fake behind TLS, which is what pods need; connect is behind a gateway of the same kind."""
        self.fake = Fake("fake", self.folder, {
            "FAKE_CLIENT_ID": CLIENT_ID, "FAKE_CLIENT_SECRET": CLIENT_SECRET}, self.build)
        self.authority = Authority(self.folder)
        os.environ["REQUESTS_CA_BUNDLE"] = str(self.authority.file)
        self.front = Nghttpx([f"127.0.0.1,{self.fake.port}"], self.authority, NODE, "microsoft")
        self.connect = types.SimpleNamespace(url=None)

    @property
    def programs(self):
        return [self.fake]

    def close(self):
        for process in (self.fake, self.front.process, self.gateway.process):
            process.kill9()

    # into the cluster

    def start(self):
        self.gateway = Nghttpx([], self.authority, NODE, "gateway")
        self.connect.url = self.gateway.url
        redirect = f"{self.gateway.url}/api/auth/microsoft/callback"
        self.fake.with_settings(FAKE_REDIRECT_URI=redirect).start().wait_ready()
        self.front.start()
        for archive in self.images.glob("*.tar"):
            self.cluster.import_image(archive)
        overlay = self.folder / "overlay"
        overlay.mkdir()
        (overlay / "demo").symlink_to(ROOT / "deploy/overlays/demo")
        (overlay / "authority.pem").write_bytes(self.authority.file.read_bytes())
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(self._overlay(redirect)))
        self.cluster.must("create", "namespace", SPACE)
        status, said = self.cluster.apply(self.cluster.render(overlay))
        assert (status, said) == (0, ""), said
        self.wait_rolled_out("producer")
        self.wait_rolled_out("connect")
        self._open_gateway()
        return self

    def _overlay(self, redirect):
        """An overlay on the demo's: where everything is, and whom to trust."""
        def secret(name, literal):
            return {"name": f"calrelay-{name}", "behavior": "replace", "literals": [literal]}

        def database(login):
            url = f"postgresql://{login}@{NODE}:{self.postgres.port}/{self.database}"
            return f"url={url}"
        return {
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "namespace": SPACE, "resources": ["demo"],
            "images": [{"name": f"calrelay-{name}", "newName": f"localhost/calrelay-{name}"}
                       for name in ("producer", "worker", "connect", "migrate")],
            "configMapGenerator": [
                {"name": "calrelay", "behavior": "merge", "literals": [
                    f"KAFKA_BOOTSTRAP_SERVERS={self.kafka.bootstrap}",
                    f"MICROSOFT_LOGIN_URL={self.front.url}",
                    f"MICROSOFT_GRAPH_URL={self.front.url}",
                    f"MICROSOFT_REDIRECT_URI={redirect}", f"SSL_CERT_FILE={AUTHORITY}",
                    f"CALRELAY_QUARANTINE_SECONDS={self.quarantine_s}"]},
                {"name": "authority", "files": ["authority.pem"]}],
            "secretGenerator": [
                secret("migrate-database", database("postgres")),
                secret("producer-database", database("producer_login")),
                secret("worker-database", database("worker_login")),
                secret("connect-database", database("connect_login")),
                secret("jwt", f"secret={JWT_SECRET}")],
            "patches": [
                # Twelve workers have to fit on a machine of two processors.
                {"target": {"kind": "Deployment", "name": "calrelay-worker"}, "patch": (
                    "- {op: replace, path: /spec/template/spec/containers/0/resources/requests/cpu,"
                    " value: 50m}\n")},
                *[{"target": {"kind": "Deployment", "name": f"calrelay-{name}"}, "patch": (
                    "- {op: add, path: /spec/template/spec/volumes/-,"
                    " value: {name: authority, configMap: {name: authority}}}\n"
                    "- {op: add, path: /spec/template/spec/containers/0/volumeMounts/-,"
                    " value: {name: authority, mountPath: /run/authority, readOnly: true}}\n")}
                  for name in ("worker", "connect")]]}

    def _open_gateway(self):
        """What an Ingress does: to the pods of connect."""
        backends = [f"{pod['status']['podIP']},8080" for pod in self.pods("connect")]
        self.gateway.process.argv += [f"--backend={one}" for one in backends]
        self.gateway.start()

    # what the cluster says

    def kubectl(self, *argv, **more):
        return self.cluster.must("-n", SPACE, *argv, **more)

    def pods(self, component):
        """Those that are there and not on their way out."""
        found = self.cluster.get("-n", SPACE, "pods", "-l", SELECTOR + component)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready(self, component):
        return [pod for pod in self.pods(component)
                if any(one["type"] == "Ready" and one["status"] == "True"
                       for one in pod["status"].get("conditions", ()))]

    def wait_rolled_out(self, component, timeout=180):
        self.kubectl("rollout", "status", f"deployment/calrelay-{component}",
                     f"--timeout={timeout}s")

    def wait_gone(self, pod, timeout):
        self.kubectl("wait", "--for=delete", f"pod/{pod}", f"--timeout={timeout}s")

    def replicas(self):
        """How many workers KEDA wants."""
        return self.cluster.get("-n", SPACE, "deployment", "calrelay-worker")["spec"]["replicas"]

    def wait_workers(self, predicate, timeout, what):
        """Until what KEDA wants and what is ready are the same number, and predicate takes it."""
        def there():
            count = self.replicas()
            return count if len(self.ready("worker")) == count and predicate(count) else None
        return self.cluster.wait_until(lambda: there() is not None, timeout, what)

    def scale_between(self, least, most=12):
        self.kubectl("patch", "scaledobject", "calrelay-worker", "--type=merge", "-p",
                     f'{{"spec": {{"minReplicaCount": {least}, "maxReplicaCount": {most}}}}}')

    def evict(self, pod):
        """The HTTP status that the eviction was answered with: 201, or 429 where the budget forbids it."""
        name = pod["metadata"]["name"]
        return self.cluster.post(f"/api/v1/namespaces/{SPACE}/pods/{name}/eviction", {
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": name, "namespace": SPACE}})


def processes(name):
    """Process ids of that program in the cluster's pods: nothing else runs in our process namespace."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() == name:
                found.append(int(folder.name))
        except OSError:
            continue  # it has just ended
    return found
