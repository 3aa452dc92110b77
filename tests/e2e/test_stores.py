"""The stores of a small system on the real engine and API server: rolled out, disturbed, grown, rotated, renewed, gone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.control_plane import kubectl
from local.stack import LocalStack
from tests.e2e.stacks import get, known, ours, running, volumes_go
from tests.systems import minimal

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("stores")]
NAMESPACE = "shop-staging"
RESOURCES = "resources: {requests: {cpu: 200m, memory: 256Mi}, limits: {cpu: 400m, memory: 512Mi}}"
STORES = f"""\
  cockroach:
    kind: cockroachdb
    version: v23.1.13
    database: shop_{{environment}}
    user: shop
    password: {{secret: app, key: db}}
    storage: 60Gi
    {RESOURCES}
  cache:
    kind: redis
    version: 7.2.6
    password: {{secret: app, key: db}}
    internalPassword: {{secret: app, key: internal}}
    storage: 8Gi
    {RESOURCES}
configuration:
  data:
"""
STANDBY = "    database: shop_{environment}\n    nodes: 2\n    backup: {storage: 8Gi}\n"
CERTIFICATES = "    domain: staging.shop.example.com\n    certificates: {mode: self-signed, renewBefore: 31535999s}\n"


def write(folder: Path, *replacements: tuple[str, str], rotation: int = 1) -> Path:
    text = minimal(("configuration:\n  data:\n", STORES), ("    database: shop_{environment}\n", STANDBY))
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    (folder / "shop.yaml").write_text(text)
    config = {
        "understudy:system": str(folder / "shop.yaml"),
        "understudy:environment": "staging",
        "understudy:images": {"web": "1.0.0", "worker": "1.0.0"},
        "understudy:rotation": {"app": rotation},
    }
    file = folder / "Pulumi.small.yaml"
    file.write_text(json.dumps({"config": config}))
    return file


class Shop:
    """The stack, and its declaration to change."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder

    def declare(self, *replacements: tuple[str, str], rotation: int = 1) -> None:
        write(self.folder, *replacements, rotation=rotation)
        self.stack._write_file()

    def plan(self) -> dict[str, str]:
        """Logical name and kind to what would be done with it."""
        result = self.stack.pulumi("preview", "--json", capture=True)
        assert result.returncode == 0, result.stdout + result.stderr
        steps = json.loads(result.stdout)["steps"]
        found = {step["urn"]: step["op"] for step in steps if step["op"] != "same"}
        return {"/".join(urn.split("::")[-2:]).rpartition(":")[2]: op for urn, op in found.items()}

    def up(self) -> str:
        result = self.stack.pulumi("up", "--yes", "--skip-preview", capture=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def get(self, *arguments: str) -> Any:
        return get(self.stack, *arguments, "-n", NAMESPACE)

    def pods(self, app: str) -> dict[str, str]:
        """Name to UID."""
        return {
            pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in self.get("pods", "-l", f"app={app}")["items"]
        }

    def wait_ready(self, kind: str, name: str) -> None:
        arguments = ("rollout", "status", f"{kind}/{name}", "-n", NAMESPACE, "--timeout=90s")
        kubectl(*arguments, plane=self.stack.plane)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("stores")
    with running("small", folder / "home", write(folder)) as stack:
        found = Shop(stack, folder)
        found.up()
        yield found


def test_everything_is_rolled_out_and_a_repeat_changes_nothing(shop: Shop) -> None:
    for name in ("cockroach", "cache", "cache-sentinel", "db"):
        shop.wait_ready("statefulset", name)
    assert ours(shop.stack, NAMESPACE) == known(shop.stack)
    for claim in shop.get("pvc")["items"]:
        assert claim["status"]["phase"] == "Bound"
        assert claim["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "pulumi", "made by the controller"
    assert all(job["status"].get("succeeded") == 1 for job in shop.get("jobs")["items"])
    assert shop.plan() == {}
    assert shop.stack.pulumi("refresh", "--yes", "--skip-preview", capture=True).returncode == 0
    assert shop.plan() == {}


def test_seeds_waiting_lines_hold(shop: Shop) -> None:
    """``kubectl wait --for=condition=ready pod -l app=…``: no Job's pod is among them."""
    for app in ("cockroach", "cache", "db"):
        arguments = ("wait", "--for=condition=ready", "pod", "-l", f"app={app}", "-n", NAMESPACE, "--timeout=60s")
        assert "condition met" in kubectl(*arguments, plane=shop.stack.plane)


def test_nodes_know_their_zone(shop: Shop) -> None:
    labels = [shop.get("pod", f"cockroach-{n}")["metadata"]["labels"] for n in range(3)]
    assert {label["topology.kubernetes.io/zone"] for label in labels} == {"local-a", "local-b", "local-c"}


@pytest.mark.parametrize("name", ["cockroach", "cache", "cache-sentinel"])
def test_a_second_eviction_is_blocked(shop: Shop, name: str) -> None:
    shop.wait_ready("statefulset", name)
    deadline = time.monotonic() + 30
    while shop.get("pdb", name)["status"]["disruptionsAllowed"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    nodes = [item["metadata"]["name"] for item in get(shop.stack, "nodes")["items"]]
    kubectl(
        "cordon", *nodes, plane=shop.stack.plane
    )  # as in a drain: else the next pod is Ready before we ask again (seen)
    with shop.stack.plane.client() as client:
        answers = []
        for index in (0, 1):
            body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": f"{name}-{index}"}}
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}-{index}/eviction"
            answers.append(client.post(path, json=body))
    kubectl("uncordon", *nodes, plane=shop.stack.plane)
    assert [answer.status_code for answer in answers] == [201, 429], [answer.text for answer in answers]
    shop.wait_ready("statefulset", name)


def test_growing_volumes_is_an_update_of_the_claims(shop: Shop) -> None:
    shop.wait_ready("statefulset", "cockroach")
    before = {**shop.pods("cockroach"), **shop.pods("cache")}
    shop.declare(("storage: 60Gi", "storage: 120Gi"), ("storage: 8Gi\n", "storage: 16Gi\n"))
    plan = shop.plan()
    claims = {f"PersistentVolumeClaim/data-{name}-{index}" for name in ("cockroach", "cache") for index in range(3)}
    assert {name for name in plan if name.startswith("PersistentVolumeClaim")} == claims
    assert set(plan.values()) == {"update"}
    assert not [name for name in plan if name.startswith(("StatefulSet", "Job"))]
    shop.up()
    assert shop.get("pvc", "data-cockroach-0")["spec"]["resources"]["requests"]["storage"] == "30Gi"
    assert {**shop.pods("cockroach"), **shop.pods("cache")} == before
    assert shop.plan() == {}


def test_shrinking_is_refused_before_anything_is_done(shop: Shop) -> None:
    shop.declare()
    result = shop.stack.pulumi("preview", capture=True)
    assert result.returncode != 0
    assert "can not be less than" in result.stdout + result.stderr
    assert shop.get("pvc", "data-cockroach-0")["spec"]["resources"]["requests"]["storage"] == "30Gi"


GROWN = (("storage: 60Gi", "storage: 120Gi"), ("storage: 8Gi\n", "storage: 16Gi\n"))


def test_a_rotation_tells_the_stores_before_the_pods_roll(shop: Shop) -> None:
    before = {name: shop.pods(name) for name in ("cache", "cockroach", "db")}
    shop.declare(*GROWN, rotation=2)
    plan = shop.plan()
    assert plan["Job/cache-rotation"] == plan["Job/db-rotation"] == "create"
    assert "replace" in plan["Job/cockroach-setup"]
    assert "replace" in plan["Job/db-setup"]
    assert plan["StatefulSet/cache"] == plan["Deployment/web"] == "update"
    shop.up()
    shop.wait_ready("statefulset", "cache")
    data = shop.get("secret", "app")["data"]
    assert {"db", "db-previous", "internal", "internal-previous"} <= data.keys()
    assert data["db"] != data["db-previous"]
    done = {
        job["metadata"]["name"].rpartition("-")[0]: job["status"]["completionTime"] for job in shop.get("jobs")["items"]
    }
    assert set(done) == {"cache-rotation", "cockroach-setup", "db-rotation", "db-setup"}
    shop.wait_ready("statefulset", "db")
    for name in ("cache", "db"):
        started = min(pod["metadata"]["creationTimestamp"] for pod in shop.get("pods", "-l", f"app={name}")["items"])
        assert done[f"{name}-rotation"] <= started
    for rolled in ("cache", "db"):  # Redis, and a PostgreSQL whose standby signs in
        assert not set(shop.pods(rolled).values()) & set(before[rolled].values())
    assert shop.pods("cockroach") == before["cockroach"], "its nodes know each other by certificate"
    assert shop.plan() == {}
    previous = data["db"]
    shop.declare(*GROWN, rotation=3)
    shop.up()
    assert shop.get("secret", "app")["data"]["db-previous"] == previous


def test_certificates_are_renewed_in_their_window_and_pods_roll(shop: Shop) -> None:
    old, before = shop.get("secret", "cockroach-tls")["data"], shop.pods("cockroach")
    window = ("    domain: staging.shop.example.com\n", CERTIFICATES)  # begins a second after the certificate does
    shop.declare(*GROWN, window, rotation=3)
    shop.up()
    shop.wait_ready("statefulset", "cockroach")
    new = shop.get("secret", "cockroach-tls")["data"]
    assert new["tls.crt"] != old["tls.crt"]
    assert new["tls.key"] != old["tls.key"]
    assert new["ca.crt"] == old["ca.crt"], "the authority is not due"
    assert not set(shop.pods("cockroach").values()) & set(before.values())
    state = (shop.stack.engine.home / "state").rglob("*.json")
    assert not [file for file in state if "PRIVATE KEY" in file.read_text()]
    shop.declare(*GROWN, rotation=3)
    shop.up()
    assert shop.plan() == {}


def test_destroy_leaves_nothing(shop: Shop) -> None:
    """Last: the module's stack is gone after it."""
    result = shop.stack.pulumi("destroy", "--yes", "--skip-preview", capture=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not shop.stack.export().get("resources")
    volumes_go(shop.stack)
