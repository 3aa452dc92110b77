"""Metrics, alerts and logs of a small system on the real engine and API server; its Prometheus finds the pods for real."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from local.builds import ensure
from local.control_plane import kubectl
from local.processes import free_port
from local.stack import LocalStack
from local.tools import PROMETHEUS
from tests.e2e.stacks import get, known, ours, running, small
from tests.servers import Server, until
from tests.systems import WATCHED

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("monitoring")]
NAMESPACE = "shop-staging"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("monitoring")
    with running("small", folder / "home", small(folder, *WATCHED)) as stack:
        yield stack


def test_up_and_again(stack: LocalStack) -> None:
    result = stack.pulumi("up", "--yes", "--skip-preview", capture=True)
    assert result.returncode == 0, result.stdout
    assert "slack is told of nothing" in result.stdout
    assert ours(stack, NAMESPACE) == known(stack)
    assert stack.pulumi("preview", "--expect-no-changes", capture=True).returncode == 0
    refreshed = stack.pulumi("refresh", "--yes", "--expect-no-changes", "--diff", capture=True)
    assert refreshed.returncode == 0, refreshed.stdout


RIGHTS = [
    ("watch", "get", "nodes", "metrics", True),
    ("watch", "get", "nodes", "proxy", False),
    ("watch", "create", "nodes", "proxy", False),
    ("watch", "list", "pods", "", True),
    ("watch", "list", "secrets", "", False),
    ("watch", "get", "pods", "log", False),
    ("state", "list", "deployments.apps", "", True),
    ("state", "list", "secrets", "", False),
    ("state", "get", "nodes", "metrics", False),
    ("collect", "get", "pods", "log", True),
    ("collect", "create", "pods", "exec", False),
    ("collect", "list", "secrets", "", False),
    ("show", "list", "pods", "", False),
]


@pytest.mark.parametrize(("account", "verb", "resource", "subresource", "allowed"), RIGHTS)
def test_what_they_may(
    stack: LocalStack, account: str, verb: str, resource: str, subresource: str, allowed: bool, tmp_path: Path
) -> None:
    spec = {"verb": verb, "resource": resource.partition(".")[0], "group": resource.partition(".")[2]}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{NAMESPACE}:{account}",
            "resourceAttributes": {
                **spec,
                "subresource": subresource,
                "namespace": "" if resource == "nodes" else NAMESPACE,
            },
        },
    }
    file = tmp_path / "review.yaml"
    file.write_text(yaml.safe_dump(review))
    answer = yaml.safe_load(kubectl("create", "-f", str(file), "-o", "yaml", plane=stack.plane))
    assert answer["status"].get("allowed", False) is allowed


def _outside(content: dict[str, Any], stack: LocalStack, folder: Path) -> dict[str, Any]:
    """The configuration as its pod has it, with the API server found, and the account known, from outside the cluster."""
    kubeconfig = yaml.safe_load(kubectl("config", "view", "--raw", "-o", "yaml", plane=stack.plane))
    cluster = kubeconfig["clusters"][0]["cluster"]
    (folder / "token").write_text(kubectl("create", "token", "watch", "-n", NAMESPACE, plane=stack.plane))
    (folder / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    reached = {
        "api_server": cluster["server"],
        "authorization": {"credentials_file": str(folder / "token")},
        "tls_config": {"ca_file": str(folder / "ca.crt")},
    }
    del content["rule_files"], content["alerting"]
    for job in content["scrape_configs"]:
        for discovery in job.get("kubernetes_sd_configs", []):
            discovery.update(reached)
            if "namespaces" in discovery:
                assert discovery["namespaces"] == {"own_namespace": True}
                discovery["namespaces"] = {"names": [NAMESPACE]}
        if "authorization" in job:
            job["authorization"] = {"credentials_file": str(folder / "token")}
        if "tls_config" in job:
            job["tls_config"]["ca_file"] = str(folder / "ca.crt")
    return content


def test_prometheus_finds_every_pod_that_has_metrics(stack: LocalStack, tmp_path: Path) -> None:
    """With its account's token, and nothing more."""
    ensure(PROMETHEUS)
    text = get(stack, "configmap", "watch", "-n", NAMESPACE)["data"]["prometheus.yml"]
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump(_outside(yaml.safe_load(text), stack, tmp_path)))
    port = free_port()
    command = [
        str(PROMETHEUS.program("prometheus")),
        f"--config.file={file}",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    server = Server(command, {}, tmp_path / "log")
    server.start()
    expected = {
        "web": 2,
        "db": 1,
        "watch": 1,
        "state": 1,
        "tell": 1,
        "show": 1,
        "loki": 1,
        "collect": 1,
        "kubelet": len(get(stack, "nodes")["items"]),
        "cadvisor": len(get(stack, "nodes")["items"]),
    }

    def found() -> dict[str, int]:
        targets = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets").json()["data"]["activeTargets"]
        return {job: sum(t["labels"]["job"] == job for t in targets) for job in {t["labels"]["job"] for t in targets}}

    try:
        until(lambda: found() == expected, 40, lambda: f"{found()} {server.text()[-2000:]}")
        targets = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets").json()["data"]["activeTargets"]
        web = {t["labels"]["pod"] for t in targets if t["labels"]["job"] == "web"}
        pods = get(stack, "pods", "-n", NAMESPACE, "-l", "app=web")["items"]
        assert web == {pod["metadata"]["name"] for pod in pods}
        assert all(t["scrapeUrl"].endswith(":9090/metrics") for t in targets if t["labels"]["job"] == "web")
        assert "forbidden" not in server.text()
    finally:
        server.kill()


def test_destroy_leaves_no_rights_behind(stack: LocalStack) -> None:
    assert stack.pulumi("destroy", "--yes", "--skip-preview", capture=True).returncode == 0
    for kind in ("clusterroles", "clusterrolebindings"):
        names = [item["metadata"]["name"] for item in get(stack, kind)["items"]]
        assert f"{NAMESPACE}-watch" not in names
