"""A real API server, with the real CRDs, takes every overlay into namespaces that enforce restricted pods."""
import re

import pytest

from parts.process import ROOT

OVERLAYS = sorted(path.name for path in (ROOT / "deploy/overlays").iterdir())
FEDERATED = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: calrelay
resources: [base]
components: [components/federated-credential]
"""
SPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: %s
  labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}
"""


def take(cluster, objects, namespace):
    """Applies them as a person would, whatever namespace they name; what the server had to say."""
    named = re.search(r"^  namespace: (\S+)$", objects, re.M).group(1)
    objects = re.sub(rf"\b(name|namespace): {named}$", rf"\1: {namespace}", objects, flags=re.M)
    spaces = [part for part in objects.split("\n---\n") if "\nkind: Namespace\n" in f"\n{part}"]
    cluster.must("apply", "--server-side", "-f", "-", stdin=spaces[0] if spaces else SPACE % namespace)
    return cluster.apply(objects)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_api_server_takes_an_overlay_without_an_error_or_a_warning(cluster, overlay):
    objects = cluster.render(ROOT / "deploy/overlays" / overlay)

    status, said = take(cluster, objects, f"overlay-{overlay}")

    assert (status, said) == (0, "")


def test_the_api_server_takes_a_federated_credential_in_place_of_the_secret(cluster, tmp_path):
    for name in ("base", "components"):
        (tmp_path / name).symlink_to(ROOT / "deploy" / name)
    (tmp_path / "kustomization.yaml").write_text(FEDERATED)

    status, said = take(cluster, cluster.render(tmp_path), "federated")

    assert (status, said) == (0, "")
    worker = cluster.get("-n", "federated", "deployment", "calrelay-worker")
    pod = worker["spec"]["template"]["spec"]
    names = {variable["name"] for variable in pod["containers"][0]["env"]}
    assert "MICROSOFT_FEDERATED_TOKEN_FILE" in names
    assert "MICROSOFT_CLIENT_SECRET_FILE" not in names

# Controls: the same way of applying catches what is wrong.


@pytest.mark.parametrize("right, wrong, why", [
    ("terminationGracePeriodSeconds: 60", "terminationGraceSeconds: 60", "terminationGraceSeconds"),
    ("minReplicaCount: 0", "minReplicaCounts: 0", "minReplicaCounts"),
    ("minReplicaCount: 0", "minReplicaCount: none", "minReplicaCount"),
    ("maxUnavailable: 1", "maxUnavailable: 0", "maxUnavailable"),
    ("runAsNonRoot: true", "runAsNonRoot: false", "Warning: would violate PodSecurity"),
    ("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true",
     "Warning: would violate PodSecurity"),
])
def test_a_mistake_in_an_overlay_is_caught(cluster, right, wrong, why):
    objects = cluster.render(ROOT / "deploy/overlays/demo")
    assert right in objects

    status, said = take(cluster, objects.replace(right, wrong), f"control-{abs(hash(wrong))}")

    assert why in said, f"{status} {said}"
