"""QuikApp's application on the real engine, on its platform: an API server that judges the mesh's objects, and a scheduler."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.errors import ExternalError
from config.reading.files import SYSTEMS
from local.control_plane import kubectl
from local.stack import LocalStack
from review.graph import ROOT
from tests.components.application import CANARY, CANARY_IMAGE
from tests.components.graphs import shipped
from tests.e2e.quikapp import STACK

from . import stacks

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("application")]
NAME = "quikapp-staging"
SERVICES = ("backend", "auth-service", "user-service", "message-service", "search-service")
GATED = ("--policy-pack", str(ROOT / "policies"))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with stacks.running(STACK, tmp_path_factory.mktemp("application")) as found:
        result = found.pulumi("up", "--yes", "--skip-preview", *GATED, capture=True)
        assert result.returncode == 0, result.stdout[-3000:]
        yield found


@pytest.fixture(scope="module")
def stack(platform: LocalStack) -> LocalStack:
    """Up, with its policies."""
    found = LocalStack(NAME, platform.engine)
    found.start()
    result = found.pulumi("up", "--yes", "--skip-preview", *GATED, capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    return found


def get(stack: LocalStack, kind: str, *arguments: str) -> list[Any]:
    return list(stacks.get(stack, kind, "-n", NAME, *arguments)["items"])


def zones(stack: LocalStack) -> dict[str, str]:
    """Node to zone."""
    nodes = stacks.get(stack, "nodes")["items"]
    return {n["metadata"]["name"]: n["metadata"]["labels"]["topology.kubernetes.io/zone"] for n in nodes}


def placed(stack: LocalStack, service: str) -> list[str]:
    """Nodes of its pods."""
    return [pod["spec"]["nodeName"] for pod in get(stack, "pods", "-l", f"app={service}")]


def test_everything_is_there_as_in_the_graph(stack: LocalStack) -> None:
    made = {r["urn"] for r in stack.export()["resources"]}
    wanted = {node["urn"] for node in shipped(NAME)}
    assert wanted <= made
    for kind in ("gateways.networking.istio.io", "envoyfilters", "serviceentries", "sidecars", "telemetries"):
        assert get(stack, kind), kind
    assert {volume["status"]["phase"] for volume in get(stack, "pvc")} == {"Bound"}
    assert {volume["spec"]["storageClassName"] for volume in get(stack, "pvc")} == {"gp3"}


def test_it_is_what_it_was(stack: LocalStack) -> None:
    assert stack.pulumi("preview", "--expect-no-changes", *GATED, capture=True).returncode == 0


def test_the_migration_is_done_before_the_services_roll(stack: LocalStack) -> None:
    [job] = get(stack, "jobs", "-l", "app=db-migration")
    assert job["status"]["succeeded"] == 1
    done = job["status"]["completionTime"]
    for name in SERVICES:
        [deployment] = get(stack, "deployments", "-l", f"app={name}")
        assert deployment["metadata"]["creationTimestamp"] >= done


def test_the_platforms_values_arrive(stack: LocalStack, platform: LocalStack) -> None:
    endpoints = platform.outputs()["platform"]["endpoints"]
    data = {m["metadata"]["name"]: m["data"] for m in get(stack, "configmaps")}
    assert data["staging-config"]["POSTGRES_HOST"] == endpoints["postgres"]["host"]
    assert data["staging-config"]["KAFKA_BROKERS"] == endpoints["kafka"]["host"]
    assert data["staging-config"]["ELASTICSEARCH_URL"] == f"https://{endpoints['elasticsearch']['host']}"
    assert data["app-config"]["ENVIRONMENT"] == "staging"
    entries = {e["metadata"]["name"]: e["spec"] for e in get(stack, "serviceentries")}
    brokers = [broker.partition(":")[0] for broker in endpoints["kafka"]["host"].split(",")]
    assert entries["kafka"]["hosts"] == brokers
    secrets = {s["metadata"]["name"]: s["spec"] for s in get(stack, "externalsecrets")}
    assert secrets["db-credentials"]["data"][0]["remoteRef"]["key"] == endpoints["postgres"]["secret"]


def test_the_api_server_judges_the_meshs_objects(stack: LocalStack, tmp_path: Path) -> None:
    metadata = {"name": "x", "namespace": NAME}
    wrong: list[tuple[str, str, Any, str]] = [
        ("networking.istio.io/v1", "VirtualService", {"http": [{"timeout": "0s"}]}, "must be a valid duration"),
        ("security.istio.io/v1", "PeerAuthentication", {"mtls": {"mode": "MAYBE"}}, "Unsupported value"),
        ("security.istio.io/v1", "AuthorizationPolicy", {"action": "PERHAPS"}, "Unsupported value"),
        ("networking.istio.io/v1", "ServiceEntry", {"ports": []}, "hosts"),
    ]
    for version, kind, spec, says in wrong:
        file = tmp_path / f"{kind}.json"
        file.write_text(json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}))
        with pytest.raises(ExternalError, match=says):
            kubectl("apply", "--dry-run=server", "-f", str(file), plane=stack.plane)


def test_the_loss_of_a_zone_or_a_node_leaves_what_a_disruption_may(stack: LocalStack) -> None:
    where = zones(stack)
    assert len(set(where.values())) == 3
    for name in SERVICES:
        nodes = placed(stack, name)
        assert len(nodes) == 3
        least = get(stack, "pdb", "-l", f"app={name}")[0]["spec"]["minAvailable"]
        by_zone, by_node = Counter(where[node] for node in nodes), Counter(nodes)
        assert len(nodes) - max(by_zone.values()) >= least
        assert len(nodes) - max(by_node.values()) >= least


def test_a_second_pod_is_not_evicted_while_the_first_has_no_successor(stack: LocalStack, tmp_path: Path) -> None:
    first, second, *_ = [pod["metadata"]["name"] for pod in get(stack, "pods", "-l", "app=user-service")]
    kubectl("cordon", *zones(stack), plane=stack.plane)
    try:
        _evict(stack, first, tmp_path)
        with pytest.raises(ExternalError, match="disruption budget"):
            _evict(stack, second, tmp_path)
    finally:
        kubectl("uncordon", *zones(stack), plane=stack.plane)


def _evict(stack: LocalStack, pod: str, folder: Path) -> None:
    file = folder / f"{pod}.json"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAME}}
    file.write_text(json.dumps(eviction))
    path = f"/api/v1/namespaces/{NAME}/pods/{pod}/eviction"
    kubectl("create", "--raw", path, "-f", str(file), plane=stack.plane)


def test_a_canary_comes_and_goes(stack: LocalStack, tmp_path: Path) -> None:
    text = (SYSTEMS / "quikapp.yaml").read_text(encoding="utf-8")
    (tmp_path / "quikapp.yaml").write_text(text.replace(*CANARY, 1), encoding="utf-8")
    settings = (ROOT / f"Pulumi.{NAME}.yaml").read_text(encoding="utf-8") + CANARY_IMAGE
    file = tmp_path / f"Pulumi.{NAME}.yaml"
    file.write_text(settings.replace("system: quikapp", f"system: {tmp_path / 'quikapp.yaml'}"))
    tried = LocalStack(NAME, stack.engine, file)
    tried.start()
    result = tried.pulumi("up", "--yes", "--skip-preview", *GATED, capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert len(get(stack, "pods", "-l", "app=backend,understudy.dev/track=canary")) == 1
    assert _shares(stack, "hosts-domain") == _shares(stack, "backend") == {"stable": 90, "canary": 10}
    stack.start()
    result = stack.pulumi("up", "--yes", "--skip-preview", *GATED, capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert _shares(stack, "hosts-domain") == {"stable": 100}
    assert "backend" not in {v["metadata"]["name"] for v in get(stack, "virtualservices")}
    assert "backend-canary" not in {d["metadata"]["name"] for d in get(stack, "deployments")}


def _shares(stack: LocalStack, name: str) -> dict[str, int]:
    [found] = [v for v in get(stack, "virtualservices") if v["metadata"]["name"] == name]
    return {route["destination"]["subset"]: route["weight"] for route in found["spec"]["http"][0]["route"]}


def test_it_goes_and_its_platform_stays(stack: LocalStack, platform: LocalStack) -> None:
    assert stack.destroy() == 0
    assert platform.is_up()
    stacks.volumes_go(stack)
