"""cluster.py - a real Kubernetes of one node, with KEDA, from the programs that ./build made."""
import base64
import json
import os
import pathlib
import subprocess

import requests

from parts.process import Process, wait_until

HERE = pathlib.Path(__file__).resolve().parent
NODE = "10.99.0.1"  # the bridge that tests/cluster/run makes
POD_NETWORK = "10.244.0.0/24"
API = f"https://{NODE}:16443"
ETCD = "http://127.0.0.1:23790"
TOKEN = "admintoken"


class Cluster:
    """etcd and the API server; start_node adds what runs pods, start_keda what scales them."""

    def __init__(self, folder):
        self.cache = pathlib.Path(os.environ["CALRELAY_CLUSTER"])
        self.folder, self.processes = folder, []
        self.kubeconfig = folder / "kubeconfig"
        self.socket = folder / "ctd.sock"
        self.env = {"PATH": f"{self.cache}/bin:{os.environ['PATH']}", "HOME": str(folder),
                    "KUBECONFIG": str(self.kubeconfig)}

    def _launch(self, name, *argv, **env):
        process = Process(name, argv, self.folder / f"{name}.log", env={**self.env, **env})
        self.processes.append(process.start())
        return process

    def _program(self, name, *argv, **env):
        return self._launch(name, self.cache / "bin" / name, *argv, **env)

    def start(self):
        self._write_files()
        self._program("etcd", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync",
                      f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}",
                      "--listen-peer-urls=http://127.0.0.1:23800")
        pki = self.folder / "pki"
        self._program(
            "kube-apiserver", f"--etcd-servers={ETCD}", "--secure-port=16443",
            "--bind-address=0.0.0.0", f"--advertise-address={NODE}", f"--cert-dir={pki}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki}/sa.pub",
            f"--service-account-signing-key-file={pki}/sa.key",
            f"--token-auth-file={self.folder}/tokens.csv", "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--kubelet-preferred-address-types=InternalIP", "--enable-aggregator-routing=true",
            f"--proxy-client-cert-file={pki}/front.crt", f"--proxy-client-key-file={pki}/front.key",
            f"--requestheader-client-ca-file={pki}/front-ca.crt",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-")
        self.wait_until(lambda: self.kubectl("get", "--raw", "/readyz").returncode == 0,
                        60, "the API server is ready")
        return self

    def install_crds(self):
        """KEDA's, prometheus-operator's and External Secrets', from their own modules."""
        for folder in sorted((self.cache / "crds").iterdir()):
            self.must("apply", "--server-side", "-f", folder)
        self.must("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")

    def start_node_runtime(self):
        self._launch("containerd", "containerd", "-c", self.folder / "containerd.toml")
        self.wait_until(self.socket.exists, 20, "containerd listens")

    def start_node(self):
        """Controllers, scheduler and a kubelet; returns when the node is ready."""
        self._program("kube-controller-manager", f"--kubeconfig={self.kubeconfig}",
                      f"--service-account-private-key-file={self.folder}/pki/sa.key",
                      f"--root-ca-file={self.folder}/pki/apiserver.crt", "--leader-elect=false",
                      "--horizontal-pod-autoscaler-sync-period=5s", "--bind-address=127.0.0.1")
        self._program("kube-scheduler", f"--kubeconfig={self.kubeconfig}",
                      "--leader-elect=false", "--bind-address=127.0.0.1")
        self._program("kubelet", f"--config={self.folder}/kubelet.yaml",
                      f"--kubeconfig={self.kubeconfig}", f"--root-dir={self.folder}/kubelet",
                      "--hostname-override=node1", f"--node-ip={NODE}",
                      f"--cert-dir={self.folder}/kubelet-pki")
        self.must_wait("node/node1", "condition=Ready")

    def import_image(self, archive):
        subprocess.run(["ctr", "-a", self.socket, "-n", "k8s.io", "images", "import", archive],
                       check=True, capture_output=True)

    def start_keda(self):
        """Operator and metrics API as processes beside the API server; the first run of the operator
        makes the certificates and ends."""
        self.must("create", "namespace", "keda")
        self.must("-n", "keda", "create", "secret", "generic", "kedaorg-certs")
        self.must("apply", "-f", HERE / "files/keda.yaml")
        env = {"KEDA_CLUSTER_OBJECT_NAMESPACE": "keda", "POD_NAMESPACE": "keda",
               "WATCH_NAMESPACE": "", "KEDA_HTTP_DEFAULT_TIMEOUT": ""}
        certs = self.folder / "keda-certs"
        certs.mkdir()
        operator = ["--cert-dir=" + str(certs), "--enable-cert-rotation=true",
                    "--enable-webhook-patching=false", "--enable-apiservice-patching=false",
                    "--metrics-bind-address=127.0.0.1:8480",
                    "--health-probe-bind-address=127.0.0.1:8481",
                    "--metrics-service-bind-address=127.0.0.1:9666"]
        self._program("keda-operator", *operator, **env).wait(90)
        self.processes.pop()
        secret = self.get("-n", "keda", "secret", "kedaorg-certs")
        for name, text in secret["data"].items():
            (certs / name).write_bytes(base64.b64decode(text))
        self._program("keda-operator", *operator, **env)
        config = [f"--{kind}kubeconfig={self.kubeconfig}"
                  for kind in ("", "lister-", "authentication-", "authorization-")]
        self._program("keda-adapter", *config, "--secure-port=6443", "--port=8490",
                      f"--client-ca-file={certs}/ca.crt", f"--tls-cert-file={certs}/tls.crt",
                      f"--tls-private-key-file={certs}/tls.key", f"--cert-dir={certs}",
                      "--metrics-service-address=127.0.0.1:9666",
                      "--metrics-service-grpc-authority=keda-operator.keda.svc.cluster.local", **env)
        self.must_wait("apiservice/v1beta1.external.metrics.k8s.io", "condition=Available")

    def stop(self):
        for process in reversed(self.processes):
            process.kill9()

    # asking it

    def wait_until(self, predicate, timeout=60, what=None):
        return wait_until(predicate, timeout, what, self.processes)

    def kubectl(self, *argv, stdin=None):
        return subprocess.run([self.cache / "bin" / "kubectl", *[str(arg) for arg in argv]],
                              env=self.env, input=stdin, capture_output=True, text=True)

    def must(self, *argv, stdin=None):
        done = self.kubectl(*argv, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(map(str, argv))}: {done.stderr}"
        return done.stdout

    def must_wait(self, what, condition, timeout=90):
        self.wait_until(lambda: self.kubectl("wait", f"--for={condition}", what,
                                             "--timeout=2s").returncode == 0, timeout,
                        f"{what} is {condition}")

    def get(self, *argv):
        return json.loads(self.must("get", "-o", "json", *argv))

    def post(self, path, body):
        """The HTTP status of a request that kubectl has no command for."""
        answer = requests.post(API + path, json=body, timeout=20,
                               verify=self.folder / "pki/apiserver.crt",
                               headers={"Authorization": f"Bearer {TOKEN}"})
        return answer.status_code

    def render(self, folder):
        """The objects of an overlay as YAML."""
        return self.must("kustomize", folder)

    def apply(self, objects):
        """What the API server says to all of it: (exit status, errors and warnings)."""
        done = self.kubectl("apply", "--server-side", "-f", "-", stdin=objects)
        return done.returncode, done.stderr

    # files

    def _write_files(self):
        for name in ("containerd.toml", "kubelet.yaml", "kubeconfig", "bridge.conflist"):
            text = (HERE / "files" / name).read_text()
            target = self.folder / name
            if name == "bridge.conflist":
                target = self.folder / "cni" / name
                target.parent.mkdir()
            target.write_text(text.replace("@FOLDER@", str(self.folder))
                              .replace("@API@", API).replace("@TOKEN@", TOKEN)
                              .replace("@PODS@", POD_NETWORK))
        (self.folder / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n')
        self._make_keys()

    def _make_keys(self):
        pki = self.folder / "pki"
        pki.mkdir()
        for argv in (["genrsa", "-out", "sa.key", "2048"],
                     ["rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"],
                     ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "front-ca.key",
                      "-out", "front-ca.crt", "-subj", "/CN=front-ca", "-days", "2"],
                     ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "front.key", "-out",
                      "front.csr", "-subj", "/CN=front-proxy"],
                     ["x509", "-req", "-in", "front.csr", "-CA", "front-ca.crt", "-CAkey",
                      "front-ca.key", "-CAcreateserial", "-out", "front.crt", "-days", "2"]):
            subprocess.run(["openssl", *argv], cwd=pki, check=True, capture_output=True)
