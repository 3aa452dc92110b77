"""The seam between platform and application: filled by the same stack, by another, or by values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from config.reading.files import SYSTEMS
from config.stack import read_stack
from review.check import check
from review.graph import ROOT, Node, graph
from tests.components.aws.platform import inputs

WEB = """\
components:
  web:
    kind: service
    image: registry.quikapp.dev/web
    listens: {http: 8080}
    uses: [postgres, kafka]
    replicas: {min: 3, max: 5}
    resources:
      requests: {cpu: 100m, memory: 128Mi}
      limits: {cpu: 200m, memory: 256Mi}
    readiness: {path: /ready}
    liveness: {path: /live}
"""
CLUSTER = "arn:aws:eks:us-east-1:444455556666:cluster/quikapp-staging"
SECRET = "arn:aws:secretsmanager:us-east-1:444455556666:secret:given"
VALUES: dict[str, Any] = {
    "cluster": {
        "name": "quikapp-staging",
        "identifier": CLUSTER,
        "endpoint": "https://cluster.example.com",
        "certificateAuthority": "Y2VydGlmaWNhdGU=",
        "kubeconfig": "{}",
    },
    "endpoints": {
        "postgres": {"host": "postgres.example.com", "port": 5432, "reader": "reader.example.com", "secret": SECRET},
        "kafka": {"host": "kafka.example.com:9096", "port": 9096, "secret": SECRET},
        **{
            name: {"host": f"{name}.example.com", "port": port, "reader": f"{name}-ro.example.com", "secret": SECRET}
            for name, port in (("mysql", 3306), ("mongodb", 27017), ("redis", 6379), ("elasticsearch", 443))
        },
    },
}


def application(folder: Path, name: str = "test", **settings: Any) -> Path:
    """A stack of the application: QuikApp with one service more."""
    text = (SYSTEMS / "quikapp.yaml").read_text(encoding="utf-8").replace("components:\n", WEB, 1)
    (folder / "quikapp.yaml").write_text(text, encoding="utf-8")
    config = {
        "system": str(folder / "quikapp.yaml"),
        "environment": "staging",
        "layer": "application",
        "images": {**read_stack(ROOT / "Pulumi.quikapp-staging.yaml").images, "web": "1.0.0"},
        **settings,
    }
    file = folder / f"Pulumi.{name}.yaml"
    file.write_text(json.dumps({"config": {f"understudy:{key}": value for key, value in config.items()}}))
    return file


def nodes(folder: Path, **settings: Any) -> tuple[Node, ...]:
    return tuple(graph("test", application(folder, **settings)))


def variables(found: tuple[Node, ...]) -> dict[str, Any]:
    [container] = inputs(found, ":Deployment", "web")["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry.get("value") for entry in container["env"]}


def test_values_that_somebody_gives(tmp_path: Path) -> None:
    found = nodes(tmp_path, platform=VALUES)
    told = variables(found)
    assert told["POSTGRES_HOST"] == "postgres.example.com"
    assert told["POSTGRES_READ_HOST"] == "reader.example.com"
    assert (told["POSTGRES_PORT"], told["KAFKA_HOST"]) == ("5432", "kafka.example.com:9096")
    provider = inputs(found, "pulumi:providers:kubernetes", "cluster")
    assert (provider["clusterIdentifier"], provider["kubeconfig"]) == (CLUSTER, "{}")
    assert not any(node["type"].startswith("aws:") for node in found)


def test_the_platforms_stack(tmp_path: Path) -> None:
    found = nodes(tmp_path, platform="organization/understudy/quikapp-staging-platform")
    host = variables(found)["POSTGRES_HOST"]
    assert host.startswith("${urn:pulumi:quikapp-staging-platform::")
    assert host.endswith("aws:rds/cluster:Cluster::postgres.endpoint}")
    assert not any(node["type"].startswith("aws:") for node in found)


def test_the_same_stack(tmp_path: Path) -> None:
    found = nodes(tmp_path, layer="all")
    assert variables(found)["POSTGRES_HOST"].startswith("${urn:pulumi:test::")
    kinds = {node["type"] for node in found}
    assert {"aws:rds/cluster:Cluster", "kubernetes:apps/v1:Deployment"} <= kinds


def test_pods_reach_the_data_subnets_and_no_other_part_of_the_network(tmp_path: Path) -> None:
    policy = inputs(nodes(tmp_path, platform=VALUES), ":NetworkPolicy", "web-network")["spec"]
    blocks = {to["ipBlock"]["cidr"] for rule in policy["egress"] for to in rule["to"] if "ipBlock" in to}
    assert blocks == {"10.50.16.0/22", "10.50.20.0/22", "10.50.24.0/22"}
    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert ports == {5432, 9096, 9098}


def test_the_platform_has_nothing_of_the_application() -> None:
    found = graph("quikapp-staging-platform")
    assert not any(node["type"].startswith("kubernetes:apps") for node in found)
    rooms = {node["inputs"]["metadata"].get("namespace") for node in found if node["type"].startswith("kubernetes:n")}
    assert rooms
    assert "quikapp-staging" not in rooms


def test_another_environments_platform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this is another environment's platform"):
        graph("test", application(tmp_path, platform="organization/understudy/quikapp-production-platform"))


def test_check_knows_whose_platform_it_is(tmp_path: Path) -> None:
    application(tmp_path, "quikapp-production-platform", environment="production", layer="platform")
    file = application(tmp_path, "quikapp-staging", platform="organization/understudy/quikapp-production-platform")
    with pytest.raises(ConfigError, match="is the platform of production of"):
        check(file)
    assert check(application(tmp_path, "quikapp-staging", platform=VALUES)).startswith("environment staging of")


def test_a_kubeconfig_with_a_secret_is_refused(tmp_path: Path) -> None:
    for secret in ('{"token": "x"}', "client-key-data: eA==", "password: x"):
        cluster = {**VALUES["cluster"], "kubeconfig": secret}
        with pytest.raises(ConfigError, match="the kubeconfig holds a secret") as caught:
            check(application(tmp_path, "quikapp-staging", platform={**VALUES, "cluster": cluster}))
        assert secret not in str(caught.value)


def test_only_what_is_on_aws_can_be_unprotected(tmp_path: Path) -> None:
    assert check(application(tmp_path, "quikapp-staging", unprotected=["kafka"]))
    assert check(application(tmp_path, "quikapp-staging", unprotected=["*"]))
    with pytest.raises(ConfigError, match="understudy:unprotected: 'web' is not declared"):
        check(application(tmp_path, "quikapp-staging", unprotected=["web"]))


def test_values_that_are_no_platform(tmp_path: Path) -> None:
    wrong = {"endpoints": {"postgres": {"host": "x", "port": 99999}}}
    with pytest.raises(ConfigError, match=r"understudy:platform.*less than or equal to 65535"):
        check(application(tmp_path, "quikapp-staging", platform=wrong))
