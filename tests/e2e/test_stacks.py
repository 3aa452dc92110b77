"""Both stacks of a whole system: up from nothing, unchanged, repaired, gone. ``test_platform.py`` has those of a platform."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from fractions import Fraction

import pytest

from config.model.quantity import Cpu, Memory
from config.stack import read_stack
from local.control_plane import kubectl
from local.stack import LocalStack
from review.graph import ROOT, STACKS, graph
from tests.e2e.stacks import get, known, ours, running

pytestmark = [pytest.mark.engine]
WHOLE = [name for name in STACKS if read_stack(ROOT / f"Pulumi.{name}.yaml").layer == "all"]


@pytest.fixture(scope="module", params=[pytest.param(s, marks=pytest.mark.xdist_group(f"stack-{s}")) for s in WHOLE])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    tracked = {path: path.read_bytes() for path in ROOT.glob("Pulumi*.yaml")}
    with running(request.param, tmp_path_factory.mktemp(request.param)) as local:
        result = local.pulumi("up", "--yes", "--skip-preview", capture=True)
        assert result.returncode == 0, result.stdout + result.stderr
        yield local
    assert {path: path.read_bytes() for path in tracked} == tracked, "a run wrote into a tracked file"


def wait_for_replicas(stack: LocalStack, namespace: str, count: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    ready = -1
    while ready != count and time.monotonic() < deadline:
        status = get(stack, "deployment", "game-server", "-n", namespace)["status"]
        ready = status.get("readyReplicas", 0)
        time.sleep(0.5)
    assert ready == count


def test_everything_is_ready(stack: LocalStack) -> None:
    namespace = stack.outputs()["namespace"]
    wait_for_replicas(stack, namespace, 3)
    assert ours(stack, namespace) == known(stack)


def test_the_graph_is_what_the_engine_made(stack: LocalStack) -> None:
    made = {r["urn"] for r in stack.export()["resources"] if r["type"] != "pulumi:pulumi:Stack"}
    assert {node["urn"] for node in graph(stack.name)} == made


def test_the_quota_holds_the_peak_and_little_more(stack: LocalStack) -> None:
    resolved = stack.resolved()
    namespace = resolved.environment.namespace
    hard = get(stack, "resourcequota", "quota", "-n", namespace)["spec"]["hard"]
    pods, cpu, memory = 0, Cpu(0), Fraction(0)
    for component in resolved.components.values():
        for demand in component.demand():
            count = demand.pods + demand.surge
            pods += count
            cpu += (demand.resources.requests.cpu or Cpu(0)) * count
            memory += (demand.resources.requests.memory or Memory(0)).value * count
    assert pods <= int(hard["pods"]) <= pods * 1.5
    assert cpu.value <= Cpu.parse(hard["requests.cpu"]).value <= cpu.value * Fraction(3, 2)
    assert memory <= Memory.parse(hard["requests.memory"]).value <= memory * Fraction(3, 2)
    most = resolved.components["game-server"].replicas.max
    bounds = '{"spec":{"minReplicas":%d}}'
    kubectl("patch", "hpa", "game-server", "-n", namespace, "-p", bounds % most, plane=stack.plane)
    wait_for_replicas(stack, namespace, most)
    kubectl("rollout", "restart", "deployment/game-server", "-n", namespace, plane=stack.plane)
    kubectl("rollout", "status", "deployment/game-server", "-n", namespace, "--timeout=90s", plane=stack.plane)
    repaired = stack.pulumi("refresh", "--yes", "--skip-preview", capture=True)
    assert repaired.returncode == 0
    assert stack.pulumi("up", "--yes", "--skip-preview", capture=True).returncode == 0
    assert get(stack, "hpa", "game-server", "-n", namespace)["spec"]["minReplicas"] == 3


def test_a_second_up_changes_nothing(stack: LocalStack) -> None:
    result = stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", capture=True)
    assert result.returncode == 0, result.stdout
    result = stack.pulumi("preview", "--expect-no-changes", capture=True)
    assert result.returncode == 0, result.stdout


def test_a_refresh_finds_no_drift(stack: LocalStack) -> None:
    assert stack.pulumi("refresh", "--yes", "--skip-preview", capture=True).returncode == 0
    result = stack.pulumi("preview", "--expect-no-changes", capture=True)
    assert result.returncode == 0, result.stdout


def test_manual_edits_are_found_and_repaired(stack: LocalStack) -> None:
    resolved = stack.resolved()
    namespace, name = resolved.environment.namespace, resolved.configuration.name
    kubectl("patch", "configmap", name, "-n", namespace, "-p", '{"data":{"LOG_LEVEL":"trace"}}', plane=stack.plane)
    kubectl("set", "image", "deployment/game-server", "game-server=evil:1", "-n", namespace, plane=stack.plane)
    kubectl("delete", "networkpolicy", "default-deny", "-n", namespace, plane=stack.plane)
    assert stack.pulumi("refresh", "--yes", "--skip-preview", capture=True).returncode == 0
    assert "evil:1" in json.dumps(stack.export())
    found = stack.pulumi("preview", "--expect-no-changes", "--diff", capture=True)
    # a preview ends at the first field that another manager owns (the update takes it back), so it need not show them all
    assert found.returncode != 0
    assert "trace" in found.stdout or "evil:1" in found.stdout
    result = stack.pulumi("up", "--yes", "--skip-preview", capture=True)
    assert result.returncode == 0, result.stdout
    assert "evil:1" not in json.dumps(get(stack, "deployment", "game-server", "-n", namespace)["spec"])
    data = get(stack, "configmap", name, "-n", namespace)["data"]
    assert data["LOG_LEVEL"] == resolved.configuration.data["LOG_LEVEL"]
    assert ours(stack, namespace) == known(stack)


def test_secrets_are_nowhere_in_the_clear(stack: LocalStack) -> None:
    namespace = stack.outputs()["namespace"]
    values = []
    for item in get(stack, "secrets", "-n", namespace)["items"]:
        public = ("ca.crt", "tls.crt")
        values += [base64.b64decode(value).decode() for key, value in item.get("data", {}).items() if key not in public]
    assert len(values) == 16
    preview = stack.pulumi("preview", "--diff", capture=True)
    texts = [
        preview.stdout,
        *(
            f.read_text(errors="replace")
            for f in stack.engine.home.rglob("*")
            if f.is_file() and "clusters" not in f.parts
        ),
    ]
    for text in texts:
        for value in values:
            assert value not in text
            assert base64.b64encode(value.encode()).decode() not in text


def test_destroy_leaves_nothing(stack: LocalStack) -> None:
    """Last: the module's stack is gone after it."""
    settings = stack.resolved().environment
    result = stack.pulumi("destroy", "--yes", "--skip-preview", capture=True)
    if settings.protect:
        assert result.returncode != 0
        assert "protect" in result.stdout + result.stderr
        assert settings.namespace in kubectl("get", "namespaces", "-o", "name", plane=stack.plane)
        stack.unprotect()
        result = stack.pulumi("destroy", "--yes", "--skip-preview", capture=True)
    assert result.returncode == 0, result.stdout
    assert not stack.export().get("resources")
    assert settings.namespace not in kubectl("get", "namespaces", "-o", "name", plane=stack.plane)
