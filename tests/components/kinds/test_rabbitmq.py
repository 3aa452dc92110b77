"""RabbitMQ as objects; that its configuration works is shown in test_rabbitmq_server.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.kinds.rabbitmq import members
from config.checks.warnings import warnings
from config.derivation.derive import derive
from config.errors import ConfigError
from policies.rules import RULES
from policies.verdict import judge
from review.graph import Node
from review.parity import FAILING, compare
from tests.components.graphs import inputs, node, recorded
from tests.declared import LEDGER
from tests.systems import QUEUED, WATCHED, system


@pytest.fixture(scope="module")
def graph() -> tuple[Node, ...]:
    return recorded(*QUEUED)


def container(graph: tuple[Node, ...], kind: str, name: str) -> Any:
    return inputs(graph, kind, name)["spec"]["template"]["spec"]["containers"][0]


def test_three_nodes_find_each_other_by_name(graph: tuple[Node, ...]) -> None:
    spec = inputs(graph, "StatefulSet", "queue")["spec"]
    assert (spec["replicas"], spec["serviceName"], spec["podManagementPolicy"]) == (3, "queue-nodes", "Parallel")
    conf = inputs(graph, "ConfigMap", "queue")["data"]["rabbitmq.conf"]
    for number, name in enumerate(members("queue", "shop-staging", 3), start=1):
        assert f"cluster_formation.classic_config.nodes.{number} = {name}\n" in conf
    headless = inputs(graph, "Service", "queue-nodes")["spec"]
    assert headless["clusterIP"] == "None"
    assert headless["publishNotReadyAddresses"] is True


def test_sizes_follow_what_is_declared(graph: tuple[Node, ...]) -> None:
    conf = inputs(graph, "ConfigMap", "queue")["data"]["rabbitmq.conf"]
    memory, disk = 1024 * 2**20, 2560 * 2**20  # staging has half of the memory and a quarter of the storage
    assert f"vm_memory_high_watermark.absolute = {memory * 6 // 10}\n" in conf
    assert f"disk_free_limit.absolute = {disk // 10}\n" in conf


def test_clients_speak_tls_and_receive_their_password_alone(graph: tuple[Node, ...]) -> None:
    conf = inputs(graph, "ConfigMap", "queue")["data"]["rabbitmq.conf"]
    assert "listeners.tcp = none\n" in conf
    web = container(graph, "Deployment", "web")
    env = {item["name"]: item for item in web["env"]}
    assert env["QUEUE_PORT"]["value"] == "5671"
    assert env["QUEUE_VIRTUAL_HOST"]["value"] == "app"
    assert env["QUEUE_CA_FILE"]["value"].endswith("/ca-queue/ca.crt")
    assert env["QUEUE_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "app", "key": "queue"}
    assert not any(item.get("valueFrom", {}).get("secretKeyRef", {}).get("key") == "cookie" for item in web["env"])


def test_queues_are_quorum_queues_on_all_nodes(graph: tuple[Node, ...]) -> None:
    content = json.loads(inputs(graph, "ConfigMap", "queue-setup")["data"]["definitions.json"])
    arguments = {queue["name"]: queue["arguments"] for queue in content["queues"]}
    quorum = {"x-queue-type": "quorum", "x-quorum-initial-group-size": 3}
    assert arguments == {"orders": quorum, "failed": quorum}
    limits = {policy["pattern"]: policy["definition"] for policy in content["policies"]}
    assert limits == {
        "^orders$": {"delivery-limit": 5, "dead-letter-exchange": "", "dead-letter-routing-key": "failed"},
        "^failed$": {"delivery-limit": 20, "max-length": 1000, "overflow": "reject-publish"},
    }
    assert content["permissions"] == [{"user": "app", "vhost": "app", "configure": "", "write": ".*", "read": ".*"}]
    assert "users" not in content, "a password would be in a ConfigMap"


def test_the_setup_waits_for_the_nodes(graph: tuple[Node, ...]) -> None:
    assert any(urn.endswith("StatefulSet::queue") for urn in node(graph, "Job", "queue-setup")["depends_on"])
    names = [item["name"] for item in container(graph, "Job", "queue-setup")["env"]]
    assert {"COOKIE", "PASSWORD", "NODES"} <= set(names)


def test_a_node_is_ready_when_it_serves_and_stops_gracefully(graph: tuple[Node, ...]) -> None:
    queue = container(graph, "StatefulSet", "queue")
    assert queue["readinessProbe"]["tcpSocket"] == {"port": "amqps"}
    assert queue["lifecycle"]["preStop"]["exec"]["command"][1:] == ["/etc/rabbitmq-cluster/rabbitmq.sh", "stop"]
    spec = inputs(graph, "StatefulSet", "queue")["spec"]
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > 60
    assert spec["minReadySeconds"] > 0
    assert inputs(graph, "PodDisruptionBudget", "queue")["spec"]["maxUnavailable"] == 1


def test_its_ports_are_open_to_clients_nodes_and_the_setup_alone(graph: tuple[Node, ...]) -> None:
    rules = inputs(graph, "NetworkPolicy", "queue-network")["spec"]["ingress"]
    sources = [
        ({pod["podSelector"]["matchLabels"]["app"] for pod in rule["from"]}, {port["port"] for port in rule["ports"]})
        for rule in rules
    ]
    assert ({"queue", "queue-setup"}, {5671, 15692, 4369, 25672}) in sources
    [(_, clients)] = [(who, ports) for who, ports in sources if who == {"web"}]
    assert 15692 not in clients


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_policies_allow_it(environment: str) -> None:
    findings = judge(list(recorded(*QUEUED, environment=environment)), RULES.values(), LEDGER, "test").findings
    # production's database of the small system has no backup
    assert [finding for finding in findings if finding.rule != "data-backups"] == []


def test_staging_is_faithful() -> None:
    production, staging = (list(recorded(*QUEUED, environment=name)) for name in ("production", "staging"))
    assert [difference for difference in compare(production, staging) if difference.kind in FAILING] == []


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        (("    cookie: {secret: app, key: cookie}\n", ""), "password and cookie are missing"),
        (("cookie: {secret: app, key: cookie}", "cookie: {secret: app, key: queue}"), "are one key"),
        (("deadLetter: failed", "deadLetter: lost"), "is not among the queues"),
        (("deadLetter: failed", "deadLetter: orders"), "its own deadLetter"),
        (
            ("      failed: {maxLength: 1000}", "      amq.failed: {maxLength: 1000}\n      failed: {}"),
            "RabbitMQ's own",
        ),
        (("version: 4.1.4", "version: 4.1"), "unknown version"),
        (("    storage: 10Gi\n    password", "    storage: 10Gi\n    nodes: 2\n    password"), "at least 3"),
    ],
)
def test_what_cannot_work_is_refused(replaced: tuple[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        system(*QUEUED, replaced)


def test_an_alert_may_read_its_metrics() -> None:
    alert = ('sum(rate(orders_total{job="web"}[5m])) < 0.1', "sum(rabbitmq_connections) < 1")
    resolved = derive(system(*QUEUED, *WATCHED, alert), "staging")[0]
    assert not [text for _, text in warnings(resolved) if "rabbitmq_connections" in text]
