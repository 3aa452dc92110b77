"""A stack on somebody's cluster, which a second local control plane plays: up, unchanged, destroyed, and never mixed up."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.doctor import examined
from config.errors import ConfigError
from config.system import NodePool
from doctor.result import Result
from local.commands import bring_up
from local.control_plane import ControlPlane, kubectl
from local.stack import LocalStack
from local.target import chosen, holds
from review.graph import ROOT
from tests.e2e.stacks import get, known, ours, small

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("context")]
NAMESPACE = "shop-staging"
NODES = NodePool.model_validate({"count": 3, "zones": 3, "cpu": 8, "memory": "32G", "storage": "100G"})


class Somebody:
    """A person with a kubeconfig of two contexts, and the folder in which our runs keep what is theirs."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane, self.home = plane, folder / "home"
        self.source = small(folder)
        self.kubeconfig = folder / "config"
        self.points_to(plane)

    def points_to(self, plane: ControlPlane) -> None:
        """The context ``mine`` leads to that cluster; the current one leads nowhere."""
        content = json.loads(plane.kubeconfig.read_text())
        content["contexts"][0]["name"] = "mine"
        content["contexts"].append({"name": "elsewhere", "context": {"cluster": "none", "user": "none"}})
        content["current-context"] = "elsewhere"
        self.kubeconfig.write_text(json.dumps(content))

    def stack(self) -> LocalStack:
        return chosen("small", "mine", self.home, self.source)


@pytest.fixture(scope="module")
def somebody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Somebody]:
    folder = tmp_path_factory.mktemp("somebody")
    plane = ControlPlane("somebody", folder / "cluster")
    try:
        plane.up(NODES)
        yield Somebody(plane, folder)
    finally:
        plane.remove()


@pytest.fixture(autouse=True)
def _kubeconfig(somebody: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(somebody.kubeconfig))


def failures(somebody: Somebody) -> dict[str, Result]:
    results, _ = examined("small", "mine", file=somebody.source, by_the_run=True)
    return {result.check: result for result in results if result.status == "failure"}


def test_what_the_cluster_lacks_is_found_and_gone_when_it_is_mended(somebody: Somebody, tmp_path: Path) -> None:
    assert failures(somebody).keys() == {"dns", "metrics-api"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"containers": [{"name": "coredns", "image": "coredns:1"}]},
    }
    file = tmp_path / "pod.json"
    file.write_text(json.dumps(pod))
    kubectl("apply", "-f", str(file), plane=somebody.plane)
    kubectl("wait", "--for=condition=Ready", "pod/coredns", "-n", "kube-system", "--timeout=90s", plane=somebody.plane)
    assert failures(somebody).keys() == {"metrics-api"}


def test_it_comes_up_and_says_whose_cluster_it_is(somebody: Somebody, capsys: pytest.CaptureFixture[str]) -> None:
    before = somebody.kubeconfig.read_bytes()
    stack = somebody.stack()
    assert bring_up(stack, dry_run=False, skip_tests=True, load_seed_data=False) == 0
    said = capsys.readouterr()
    assert "Your cluster: context mine" in " ".join(said.err.split())
    assert "Scheduled, not run" not in said.err
    assert f"kubectl --context mine -n {NAMESPACE}" in said.out
    assert ours(stack, NAMESPACE) == known(stack)
    assert get(stack, "deployment", "web", "-n", NAMESPACE)["status"]["readyReplicas"] >= 1
    assert somebody.kubeconfig.read_bytes() == before
    assert not (somebody.home / "clusters").exists(), "a local control plane was started"


def test_the_same_again_changes_nothing(somebody: Somebody) -> None:
    stack = somebody.stack()
    stack.start()
    result = stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", capture=True)
    assert result.returncode == 0, result.stdout
    assert failures(somebody).keys() == {"metrics-api"}, "what it made itself stands in its way"


def run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home), "COLUMNS": "200"}
    command = [str(ROOT / "understudy"), "local", *arguments, "--context", "mine"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_cluster_that_lacks_something_stops_the_run(somebody: Somebody, tmp_path: Path) -> None:
    result = run("up", "--stack", "staging", home=tmp_path)
    assert result.returncode == 1, result.stderr
    assert "metrics-api" in result.stdout
    assert "nothing was changed; to go on all the same: --unchecked" in result.stderr
    assert "namespace/staging" not in kubectl("get", "namespaces", "-o", "name", plane=somebody.plane)


def test_production_is_not_brought_up_on_any_cluster(somebody: Somebody, tmp_path: Path) -> None:
    result = run("up", "--stack", "production", home=tmp_path)
    assert result.returncode == 2, result.stderr
    assert "production is protected and belongs to no cluster" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_status_is_of_the_cluster(somebody: Somebody, tmp_path: Path) -> None:
    result = run("status", "--stack", "staging", home=tmp_path)
    assert (result.returncode, somebody.plane.server() in result.stderr) == (0, True), result.stderr


def test_the_context_leads_to_another_cluster(somebody: Somebody, plane: ControlPlane) -> None:
    somebody.points_to(plane)
    try:
        with pytest.raises(ConfigError, match="where small is up; now it leads to"):
            somebody.stack()
    finally:
        somebody.points_to(somebody.plane)
    assert NAMESPACE not in kubectl("get", "namespaces", "-o", "name", plane=plane)


def test_destroy_leaves_nothing(somebody: Somebody) -> None:
    """Last: the stack is gone after it."""
    stack = somebody.stack()
    assert holds(stack.engine.home) == ["small"]
    assert stack.destroy() == 0
    assert holds(stack.engine.home) == []
    assert NAMESPACE not in kubectl("get", "namespaces", "-o", "name", plane=somebody.plane)
    assert "coredns" in kubectl("get", "pods", "-n", "kube-system", "-o", "name", plane=somebody.plane)
