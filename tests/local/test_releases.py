"""The platform's Helm releases, really made by Helm on simulated nodes, with webhooks that no pod answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.errors import ExternalError
from local.control_plane import ControlPlane, kubectl
from local.webhooks import disregarded
from tests.components.aws.platform import shipped
from tests.conftest import NODES
from tests.local.helm import Release, helm, releases, values_file

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("releases")]

ORDER = (
    "aws-load-balancer-controller",
    "external-dns",
    "external-secrets",
    "istio-base",
    "istio-cni",
    "istiod",
    "istio-ingress",
    "istio-egress",
)
WEBHOOKS = (
    "externalsecret-validate",
    "secretstore-validate",
    "istio-sidecar-injector",
    "istio-validator-istio-system",
    "istiod-default-validator",
)
INJECTED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "injected", "labels": {"istio-injection": "enabled"}},
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "asks-for-a-sidecar", "namespace": "injected"},
    "spec": {"containers": [{"name": "main", "image": "example.com/main:1"}]},
}
STORE = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "SecretStore",
    "metadata": {"name": "account", "namespace": "injected"},
    "spec": {"provider": {"aws": {"service": "SecretsManager", "region": "us-east-1"}}},
}


ZONED = NODES.model_copy(update={"zones": 3})
"""The shipped platform is in three zones, and its gateways are scheduled on nodes of a zone alone."""


def applied(plane: ControlPlane, folder: Path, *objects: object) -> None:
    file = folder / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), encoding="utf-8")
    kubectl("apply", "--server-side", "--validate=strict", f"--filename={file}", plane=plane)


def upgraded(release: Release, plane: ControlPlane, folder: Path) -> None:
    """As the provider does it: whole, or not at all, and waited for."""
    helm(
        "upgrade",
        release.name,
        str(release.file),
        f"--namespace={release.namespace}",
        f"--values={values_file(release, folder)}",
        "--install",
        "--atomic",
        "--wait",
        "--timeout=300s",
        "--take-ownership",  # other tests of this cluster may have made some of its objects
        folder=folder,
        kubeconfig=plane.kubeconfig,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("helm")


@pytest.fixture(scope="module")
def platform(plane: ControlPlane, folder: Path) -> Iterator[ControlPlane]:
    """The cluster with every release, in the order of the graph; what tests look at is taken away in the end."""
    plane.up(ZONED)
    spaces = [node["inputs"] for node in shipped() if node["type"] == "kubernetes:core/v1:Namespace"]
    applied(plane, folder, *spaces)
    try:
        for name in ORDER:
            upgraded(releases()[name], plane, folder)
        applied(plane, folder, INJECTED)
        yield plane
    finally:
        kubectl("delete", "namespace", "injected", "--ignore-not-found", "--wait=false", plane=plane)
        for name in reversed(ORDER):
            release = releases()[name]
            arguments = ("uninstall", name, f"--namespace={release.namespace}", "--ignore-not-found")
            helm(*arguments, folder=folder, kubeconfig=plane.kubeconfig)
        plane.up(NODES)


def test_every_release_is_made_and_its_pods_are_ready(platform: ControlPlane) -> None:
    assert set(ORDER) == releases().keys()
    rooms = {release.namespace for release in releases().values()}
    ready = {
        item["metadata"]["name"]: item["status"].get("readyReplicas")
        for room in rooms
        for item in json.loads(kubectl("get", "deployments", "-n", room, "-o", "json", plane=platform))["items"]
    }
    assert all(ready.values())
    assert {"istiod", "istio-ingress", "external-secrets-webhook", "aws-load-balancer-controller"} <= ready.keys()


def test_webhooks_that_no_pod_answers_block_nothing(platform: ControlPlane, folder: Path) -> None:
    with platform.client() as client:
        names = disregarded(client)
    assert set(WEBHOOKS) <= set(names)
    applied(platform, folder, POD, STORE)
    kubectl(
        "wait", "--for=condition=Ready", "--timeout=60s", "pod/asks-for-a-sidecar", "-n", "injected", plane=platform
    )


def test_the_definitions_of_the_charts_judge_custom_resources(platform: ControlPlane, folder: Path) -> None:
    wrong = {**STORE, "spec": {"provider": {"aws": {"service": "Secrets", "region": "us-east-1"}}}}
    with pytest.raises(ExternalError, match="Unsupported value"):
        applied(platform, folder, wrong)


def test_an_upgrade_leaves_the_webhooks_out_of_the_way(platform: ControlPlane, folder: Path) -> None:
    with platform.client() as client:
        before = disregarded(client)
    istiod = releases()["istiod"]
    upgraded(istiod._replace(values={**istiod.values, "autoscaleMax": 4}), platform, folder)
    upgraded(releases()["external-secrets"], platform, folder)
    with platform.client() as client:
        assert disregarded(client) == before
