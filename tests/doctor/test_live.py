"""The doctor against a real API server: what it reads, as whom, and what it says when nobody answers."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.doctor import examined
from config.errors import ConfigError
from doctor.checks import CHECKS
from doctor.cluster import Access
from doctor.live import LiveCluster
from local.control_plane import ControlPlane, kubectl
from review.graph import ROOT
from tests.e2e.stacks import small
from tests.systems import WATCHED

SECONDS = 60
"""Within which an unreachable cluster has to be told on a busy machine."""


def admin(plane: ControlPlane) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(plane.kubeconfig.read_text())
    return content


@pytest.fixture
def kubeconfig(plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's, with two contexts, of which the other is the current one."""
    content = admin(plane)
    content["contexts"] += [{"name": "nobody", "context": {"cluster": "none", "user": "none"}}]
    content["clusters"] += [{"name": "none", "cluster": {"server": "https://127.0.0.1:9"}}]
    content["current-context"] = "nobody"
    file = tmp_path / "config"
    file.write_text(json.dumps(content))
    monkeypatch.setenv("KUBECONFIG", str(file))
    return file


def applied(plane: ControlPlane, folder: Path, *objects: dict[str, Any]) -> None:
    file = folder / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    kubectl("apply", "--server-side", "-f", str(file), plane=plane)


def reader(plane: ControlPlane, folder: Path) -> str:
    """A token of somebody who may read everything but Secrets, and change nothing."""
    read = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
    metrics = {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
    group = "rbac.authorization.k8s.io"
    who = {"kind": "ServiceAccount", "name": "reader", "namespace": "default"}
    applied(
        plane,
        folder,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": "default"}},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}, "rules": [read, metrics]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "reader"},
            "subjects": [who],
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "reader"},
        },
    )
    return kubectl("create", "token", "reader", "-n", "default", plane=plane).strip()


def as_user(kubeconfig: Path, plane: ControlPlane, user: dict[str, Any]) -> None:
    content = json.loads(kubeconfig.read_text())
    content["users"] = [{"name": admin(plane)["users"][0]["name"], "user": user}]
    kubeconfig.write_text(json.dumps(content))


@contextmanager
def deaf() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]


@pytest.mark.engine
def test_it_finds_what_the_local_cluster_has_and_lacks(plane: ControlPlane, kubeconfig: Path, tmp_path: Path) -> None:
    before = kubeconfig.read_bytes()
    results, where = examined("small", plane.name, file=small(tmp_path, *WATCHED))
    assert where == plane.name
    found = {r.check: r for r in results}
    assert found.keys() == CHECKS.keys()
    statuses = {check: r.status for check, r in found.items()}
    for check in ("namespace", "version", "kinds", "rights", "pod-security", "storage-class", "volume-expansion"):
        assert statuses[check] == "ok", found[check]
    assert statuses["volume-binding"] == "warning"  # the local class is immediate, and the nodes are in three zones
    assert found["node-labels"].said.startswith(
        "3 of 3 nodes have no zone (node-0, node-1, node-2): pods of StatefulSet/db"
    )
    assert statuses["capacity"] == "ok", found["capacity"]
    assert statuses["metrics-api"] == statuses["dns"] == "failure"  # neither is there
    assert statuses["network-policies"] == "unknown"
    assert "apiServerCidrs: [10.1.0.1/32, 10.96.0.1/32]" in "".join(
        r.fix for r in results if r.check == "api-server-address"
    )
    assert "10.0.0.1" in found["node-addresses"].said
    assert found["service-addresses"].said.startswith("10.96.0.0/16")
    assert found["cluster-identity"].status == "failure"
    assert kubeconfig.read_bytes() == before


@pytest.mark.engine
def test_reading_is_all_that_it_asks_for(plane: ControlPlane, kubeconfig: Path, tmp_path: Path) -> None:
    """By somebody who may only read it is told everything, and that nothing could be deployed."""
    as_user(kubeconfig, plane, {"token": reader(plane, tmp_path)})
    results, _ = examined("small", plane.name, file=small(tmp_path, *WATCHED))
    unread = [r for r in results if "you may not read" in r.said]
    assert unread == []
    denied = [r for r in results if r.check == "rights"]
    assert any("you may not create, delete, patch, watch secrets in shop-staging" in r.said for r in denied), denied
    assert all(r.status == "failure" for r in denied)


@pytest.mark.engine
def test_somebody_without_rights_is_told_so(plane: ControlPlane, kubeconfig: Path, tmp_path: Path) -> None:
    kubectl("create", "serviceaccount", "nobody", "-n", "default", "--save-config", plane=plane)
    token = kubectl("create", "token", "nobody", "-n", "default", plane=plane).strip()
    as_user(kubeconfig, plane, {"token": token})
    results, _ = examined("small", plane.name, file=small(tmp_path, *WATCHED))
    assert [r.check for r in results if r.status == "unknown" and "you may not read /api/v1/nodes" in r.said]
    assert any(r.status == "failure" for r in results if r.check == "rights")


@pytest.mark.engine
def test_plugins_of_the_kubeconfig_give_credentials(plane: ControlPlane, kubeconfig: Path, tmp_path: Path) -> None:
    """The command is found beside the kubeconfig that names it, as kubectl does."""
    token = reader(plane, tmp_path)
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    plugin = kubeconfig.parent / "plugin.sh"
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin.sh", "interactiveMode": "Never"}
    as_user(kubeconfig, plane, {"exec": run})
    cluster = LiveCluster(plane.name)
    assert cluster.version().startswith("v1.")
    assert list(cluster.allowed([Access("get", "", "pods", "default"), Access("create", "", "pods", "default")])) == [
        True,
        False,
    ]


@pytest.mark.engine
def test_lists_are_read_page_by_page(plane: ControlPlane, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doctor.live.PAGE", 2)
    assert len(LiveCluster(plane.name).items("/api/v1/nodes")) == 3


@pytest.mark.engine
def test_what_is_not_served_is_not_there(plane: ControlPlane, kubeconfig: Path) -> None:
    cluster = LiveCluster(plane.name)
    assert cluster.one("/api/v1/namespaces/nowhere") is None
    assert cluster.items("/apis/example.com/v1/things") == []
    assert cluster.served("example.com/v1") == {}
    assert cluster.served("apps/v1")["Deployment"].plural == "deployments"


@pytest.mark.engine
def test_credentials_that_are_not_accepted_are_told(plane: ControlPlane, kubeconfig: Path) -> None:
    as_user(kubeconfig, plane, {"token": "no"})
    with pytest.raises(ConfigError, match="does not accept the credentials"):
        LiveCluster(plane.name)


def written(folder: Path, server: str, user: dict[str, Any] | None = None) -> Path:
    file = folder / "config"
    content = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user or {}}],
    }
    file.write_text(json.dumps(content))
    return file


def doctor(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "COLUMNS": "200"}
    for name in ("STACK", "CONTEXT"):
        environment.pop(name, None)
    command = [str(ROOT / "understudy"), "doctor", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def nobody() -> Iterator[int]:
    """A port at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize(("server", "seconds"), [(nobody, "refused"), (deaf, "timed out")])
def test_a_cluster_that_does_not_answer_is_told_in_time(
    server: Callable[[], AbstractContextManager[int]], seconds: str, tmp_path: Path
) -> None:
    with server() as port:
        begin = time.monotonic()
        result = doctor(written(tmp_path, f"https://127.0.0.1:{port}"))
    assert result.returncode == 2
    assert f"no answer from https://127.0.0.1:{port}" in result.stderr
    assert seconds in result.stderr
    assert "Traceback" not in result.stderr
    assert time.monotonic() - begin < SECONDS


PLUGIN = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./no", "interactiveMode": "Never"}}


@pytest.mark.parametrize(
    ("user", "arguments", "said"),
    [
        ({}, ("--context", "there"), "no context 'there'; known: here"),
        ({}, ("--stack", "qa"), "there is no stack 'qa'"),
        ({}, ("--format", "xml"), "Invalid value"),
        ({}, ("--stack", "quikapp-staging-platform"), "the stack makes its own cluster"),
        (PLUGIN, (), "context 'here'"),
        ({"client-certificate": "none.crt", "client-key": "none.key"}, (), "context 'here'"),
    ],
)
def test_mistakes_are_one_message_each(
    user: dict[str, Any], arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    result = doctor(written(tmp_path, "https://127.0.0.1:9", user), *arguments)
    assert (result.returncode, said in result.stderr) == (2, True), result.stderr
    assert "Traceback" not in result.stderr


def test_no_kubeconfig_at_all(tmp_path: Path) -> None:
    result = doctor(tmp_path / "nowhere")
    assert (result.returncode, "no kubeconfig found" in result.stderr) == (2, True)


@pytest.mark.parametrize("text", ["contexts: 7", "[]", "contexts: [{context: {}}]", "\tx"])
def test_what_is_no_kubeconfig(text: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)
    result = doctor(tmp_path / "config")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_plugin_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doctor.live.SIGN_IN", 0.5)
    plugin = tmp_path / "hang.sh"
    plugin.write_text("#!/bin/sh\nexec sleep 20\n")
    plugin.chmod(0o755)
    run = {**PLUGIN["exec"], "command": "./hang.sh"}
    monkeypatch.setenv("KUBECONFIG", str(written(tmp_path, "https://127.0.0.1:9", {"exec": run})))
    with pytest.raises(ConfigError, match="gave no credentials within"):
        LiveCluster()
