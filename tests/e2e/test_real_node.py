"""A node that runs pods beside the simulated ones: placement, names, Services, volumes, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.system import NodePool
from local.control_plane import ControlPlane, kubectl
from local.mode import Nodes
from local.node.kubelet import labels
from local.node.layout import ADDRESS, NAME
from local.node.report import table
from local.paths import ROOT
from local.processes import free_port
from local.tools import KUBERNETES
from tests.e2e.node_images import SERVER, archive
from tests.servers import require_real_node, until

from . import machine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("real-node")]
ABSENT = "registry.example.com/absent:1.0"
NODES = NodePool.model_validate({"count": 3, "cpu": 8, "memory": "32G", "storage": "100G", "zones": 3})
OBJECTS = Path(__file__).parent / "node_objects.yaml"


@dataclass(frozen=True)
class Made:
    """Images of the test's own."""

    archive: Path
    available: dict[str, str] = field(default_factory=lambda: {SERVER: "server of the test"})
    missing: dict[str, str] = field(default_factory=lambda: {ABSENT: "the test does not make it"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    require_real_node()
    return Made(archive(tmp_path_factory.mktemp("images")))


@pytest.fixture(scope="module")
def before(made: Made, home: Path) -> machine.Machine:
    return machine.look(home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def plane(made: Made, home: Path, before: machine.Machine) -> Iterator[ControlPlane]:
    """A cluster with a real node and the test's objects, all Ready."""
    plane = ControlPlane("runs", home)
    try:
        plane.up(NODES, Nodes.REAL)
        plane.publish(made)
        kubectl("apply", "-f", str(OBJECTS), plane=plane)
        _ready(plane)
        yield plane
    finally:
        plane.remove()


def _ready(plane: ControlPlane) -> None:
    for name in ("deployment/server", "deployment/absent", "daemonset/agent"):
        kubectl("rollout", "status", name, "--timeout=60s", plane=plane)


def _pods(plane: ControlPlane, app: str) -> list[dict[str, Any]]:
    items = json.loads(kubectl("get", "pods", "-l", f"app={app}", "-o", "json", plane=plane))["items"]
    return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]


def _nodes(plane: ControlPlane, app: str) -> set[str]:
    return {pod["spec"].get("nodeName", "") for pod in _pods(plane, app)}


def _in_server(plane: ControlPlane, *words: str) -> str:
    return kubectl("exec", "deployment/server", "--", "/program", *words, plane=plane)


def test_each_pod_runs_where_its_images_exist(plane: ControlPlane) -> None:
    assert _nodes(plane, "server") == {NAME}
    assert NAME not in _nodes(plane, "absent")
    assert len(_nodes(plane, "agent")) == NODES.count
    assert NAME not in _nodes(plane, "agent")


def test_the_policy_knows_the_nodes_labels(plane: ControlPlane) -> None:
    with plane.client() as client:
        assert labels().items() <= client.get(f"/api/v1/nodes/{NAME}").json()["metadata"]["labels"].items()


def test_the_table_says_what_ran_and_why_the_rest_did_not(plane: ControlPlane) -> None:
    rows = {row.component: row for row in plane.pods()}
    assert (rows["server"].ran, rows["server"].pods, rows["server"].ready) == (True, 2, 2)
    assert rows["server"].images == ((SERVER, "server of the test"),)
    assert rows["absent"].ran is False
    assert (ABSENT, "the test does not make it") in rows["absent"].images
    assert table(rows.values()).row_count == sum(len(row.images) for row in rows.values())


def test_names_and_services_lead_to_pods_that_run(plane: ControlPlane) -> None:
    names = {pod["metadata"]["name"] for pod in _pods(plane, "server")}
    asked: set[str] = set()

    def both() -> bool:
        asked.add(_in_server(plane, "fetch", "http://server/name"))
        return asked == names

    until(both, 30, lambda: f"{asked} of {names}")


def test_a_job_finishes_and_its_output_is_kept(plane: ControlPlane) -> None:
    kubectl("wait", "job/once", "--for=condition=Complete", "--timeout=60s", plane=plane)
    assert kubectl("logs", "job/once", plane=plane) == "ready"


def test_a_volume_keeps_what_is_written_and_goes_with_its_claim(plane: ControlPlane) -> None:
    volumes = plane.folder / "volumes"
    _in_server(plane, "write", "/data/kept", "hello")
    assert [file.read_text() for file in volumes.glob("*/kept")] == ["hello"]
    kubectl("delete", "pod", "-l", "app=server", "--wait=false", plane=plane)
    _ready(plane)
    assert _in_server(plane, "read", "/data/kept") == "hello"
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "gone"}, "spec": claim}
    with plane.client() as client:
        client.post("/api/v1/namespaces/default/persistentvolumeclaims", json=body)
        until(lambda: len(list(volumes.iterdir())) == 2, 30)
        client.delete("/api/v1/namespaces/default/persistentvolumeclaims/gone")
        until(lambda: len(list(volumes.iterdir())) == 1, 30)


def test_a_probe_that_fails_restarts_the_container(plane: ControlPlane) -> None:
    """The kubelet probes, and not a simulation: a container whose probe cannot succeed is restarted."""
    container = {
        "name": "fails",
        "image": SERVER,
        "livenessProbe": {"httpGet": {"path": "/", "port": 9}, "periodSeconds": 1, "failureThreshold": 1},
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fails", "labels": {"app": "fails"}}, "spec": spec}
    with plane.client() as client:
        assert client.post("/api/v1/namespaces/default/pods", json=body).status_code == 201
    try:
        until(lambda: _pods(plane, "fails")[0]["status"]["containerStatuses"][0]["restartCount"] > 0, 30)
    finally:
        kubectl("delete", "pod", "fails", "--wait=false", plane=plane)


def test_a_port_is_forwarded_to_the_host(plane: ControlPlane) -> None:
    port = free_port()
    command = [str(KUBERNETES.program("kubectl")), "port-forward", "deployment/server", f"{port}:8080"]
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as forwards:
        try:
            until(lambda: httpx.get(f"http://127.0.0.1:{port}/ready").text == "ready", 20)
        finally:
            forwards.terminate()


def test_the_kubelets_metrics_name_the_containers(plane: ControlPlane) -> None:
    """The API server verifies the kubelet's certificate by the cluster's authority, as Prometheus does."""
    with plane.client() as client:

        def known() -> bool:
            text = client.get(f"/api/v1/nodes/{NAME}/proxy/metrics/cadvisor").text
            return 'container="server"' in text and "container_memory_working_set_bytes" in text

        until(known, 30)
        node = client.get(f"/api/v1/nodes/{NAME}").json()
    assert {"type": "InternalIP", "address": ADDRESS} in node["status"]["addresses"]


def test_the_machine_is_not_changed_while_it_runs(plane: ControlPlane, home: Path, before: machine.Machine) -> None:
    now = machine.look(home)
    assert (now.settings, now.network, now.mounts) == (before.settings, before.network, before.mounts)
    assert now.processes  # so that their absence means something below
    assert now.groups - before.groups


def test_down_leaves_nothing_and_up_finds_everything_again(
    plane: ControlPlane, home: Path, before: machine.Machine
) -> None:
    _in_server(plane, "write", "/data/kept", "across a stop")
    plane.down()
    assert machine.look(home) == before
    plane.up(NODES)
    assert plane.nodes is Nodes.REAL
    _ready(plane)
    until(lambda: _in_server(plane, "read", "/data/kept") == "across a stop", 60)


def test_nodes_may_be_changed_to_simulated_ones_and_back(plane: ControlPlane, made: Made) -> None:
    _in_server(plane, "write", "/data/kept", "across a change")
    plane.up(NODES, Nodes.SIMULATED)
    until(
        lambda: len(_pods(plane, "server")) == 2 and NAME not in _nodes(plane, "server"),
        60,
        lambda: kubectl("describe", "pods", plane=plane),
    )
    assert NAME not in kubectl("get", "nodes", plane=plane)
    _ready(plane)
    plane.up(NODES, Nodes.REAL)
    plane.publish(made)
    until(lambda: _nodes(plane, "server") == {NAME}, 90, lambda: kubectl("describe", "pods", plane=plane))
    _ready(plane)
    assert _in_server(plane, "read", "/data/kept") == "across a change"


BRINGS_UP = """
import sys
from pathlib import Path
from local.control_plane import ControlPlane
from local.mode import Nodes
from tests.e2e.test_real_node import NODES, Made
plane = ControlPlane("killed", Path(sys.argv[1]))
if sys.argv[3] == "down":
    plane.down()
else:
    plane.up(NODES, Nodes.REAL)
    plane.publish(Made(Path(sys.argv[2])))
"""


def _started(home: Path, made: Made, word: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", BRINGS_UP, str(home), str(made.archive), word]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)


def _killed_after(process: subprocess.Popen[bytes], seconds: float) -> None:
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def test_a_command_that_is_killed_leaves_nothing_after_the_next(made: Made, tmp_path: Path) -> None:
    """``up`` is killed at ten moments of its run, ``down`` at one; the next ``down`` or ``up`` removes what is left."""
    home = tmp_path
    plane, empty = ControlPlane("killed", home), machine.look(home)
    try:
        start = time.monotonic()
        assert _started(home, made, "up").wait(120) == 0
        whole = time.monotonic() - start
        plane.down()
        left = 0
        for moment in range(10):
            _killed_after(_started(home, made, "up"), whole * (moment + 0.5) / 10)
            left += machine.look(home) != empty
            plane.down()
            assert machine.look(home) == empty, f"killed after {moment + 0.5} tenths of {whole:.1f} s"
        assert left >= 5  # most of them were killed when there was something to leave
        _killed_after(_started(home, made, "up"), whole / 2)
        assert _started(home, made, "up").wait(120) == 0  # as well without a down between them
        assert plane.running()
        _killed_after(_started(home, made, "down"), 0.5)
        plane.down()
        assert machine.look(home) == empty
    finally:
        plane.remove()
