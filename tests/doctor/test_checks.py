"""Each check is made to fail once, and says what to write."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from doctor.checks import CHECKS
from doctor.examine import as_json, examine, would_fail
from doctor.needs import Needs, Pin
from doctor.result import Result
from review.graph import ROOT
from tests.doctor.fake import AUTHORITY, NODES, FakeCluster, daemon, healthy, needs

Spoil = Callable[[FakeCluster], Any]
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DAEMONS = "/apis/apps/v1/daemonsets"
DNS = "/api/v1/namespaces/kube-system/pods"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
NAMESPACE = "/api/v1/namespaces/shop-staging"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
PODS = "/api/v1/pods"


def emptied(path: str) -> Spoil:
    return lambda cluster: cluster.lists.pop(path)


def replaced(path: str, *items: Any) -> Spoil:
    return lambda cluster: cluster.lists.update({path: list(items)})


def put(path: str, value: Any) -> Spoil:
    return lambda cluster: cluster.objects.update({path: value})


def changed(path: str, **fields: Any) -> Spoil:
    return lambda cluster: cluster.lists[path][0].update(fields)


def of_nodes(part: str, **fields: Any) -> Spoil:
    def spoil(cluster: FakeCluster) -> None:
        for node in cluster.lists[NODES]:
            node[part].update(fields)

    return spoil


def without(version: str, kind: str) -> Spoil:
    return lambda cluster: cluster.kinds[version].pop(kind)


def busy(cluster: FakeCluster) -> None:
    """Others have what the environment needs."""
    container = {"resources": {"requests": {"cpu": "3900m", "memory": "15Gi"}}}
    cluster.lists[PODS] = [
        {"metadata": {"namespace": "else"}, "spec": {"nodeName": f"n{i}", "containers": [container]}} for i in range(5)
    ]


def default_class(name: str, **fields: Any) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {"metadata": {"name": name, "annotations": annotations}, "allowVolumeExpansion": True, **fields}


GOOGLE = {"cloud.google.com/gke-nodepool": "x", "topology.kubernetes.io/zone": "a"}
KUBE_DNS = {
    "metadata": {"namespace": "dns", "name": "dns"},
    "spec": {"selector": {"app": "resolver"}, "ports": [{"port": 53, "protocol": "UDP"}]},
}
SILENT = {"metadata": {}, "spec": {"group": "metrics.k8s.io"}, "status": {"conditions": []}}

FAILING: dict[str, list[tuple[str, Spoil, str, str]]] = {
    "cluster-identity": [
        ("another authority", lambda c: setattr(c, "ca", "cd" * 32), "another cluster", "choose the context"),
        ("no authority", lambda c: setattr(c, "ca", None), "its authority is none", "choose the context"),
    ],
    "namespace": [
        ("somebody else's", put(NAMESPACE, {"metadata": {"labels": {}}}), "is there, and not of staging of shop", "environments.staging.namespace"),
    ],
    "version": [
        ("too old", lambda c: setattr(c, "said", "v1.24.17-eks-1"), "lacks Pod Security admission (1.25), matchLabelKeys", "to 1.27 or later"),
    ],
    "kinds": [
        ("an old API", without("autoscaling/v2", "HorizontalPodAutoscaler"), "autoscaling/v2 HorizontalPodAutoscaler is not served", "upgrade the cluster"),
    ],
    "rights": [
        ("no Secrets", lambda c: c.denied.add(("create", "secrets")), "you may not create secrets in shop-staging", 'apiGroups: [""], resources: [secrets], verbs: [create]'),
        ("no roles", lambda c: c.denied.add(("patch", "clusterroles")), "you may not patch clusterroles", "rules of a ClusterRole"),
        ("no waiting", lambda c: c.denied.add(("watch", "events")), "you may not watch events in shop-staging", "resources: [events]"),
        ("less than a role grants", lambda c: c.denied.update({("escalate", "clusterroles"), ("get", "nodes/metrics")}), "you may not get nodes/metrics", "nodes/metrics"),
    ],
    "pod-security": [
        ("off", lambda c: setattr(c, "metrics", "apiserver_x 1\n"), "does not show the plugin PodSecurity", "--disable-admission-plugins"),
    ],
    "storage-class": [
        ("no default", changed(CLASSES, metadata={"name": "slow"}), "no default StorageClass", "environments.staging.cluster: storageClass: slow"),
        ("no class at all", emptied(CLASSES), "no default StorageClass", "install a provisioner"),
    ],
    "volume-expansion": [
        ("a stiff class", changed(CLASSES, allowVolumeExpansion=False), "volumes of fast cannot grow", "kubectl patch storageclass fast"),
    ],
    "volume-binding": [
        ("too early", changed(CLASSES, volumeBindingMode="Immediate"), "makes a volume before its pod has a node", "WaitForFirstConsumer"),
    ],
    "node-labels": [
        ("no nodes", emptied(NODES), "there is no node for", "add nodes"),
        ("no zones", of_nodes("metadata", labels={}), "5 of 5 nodes have no zone", "environments.staging.cluster.nodes: zones: 1"),
    ],
    "capacity": [
        ("no nodes", emptied(NODES), "0 nodes have", "more or larger nodes"),
        ("small nodes", of_nodes("status", allocatable={"cpu": "1", "memory": "1Gi", "pods": "110"}), "no room for", "environments.staging.scale"),
        ("few pods", of_nodes("status", allocatable={"cpu": "8", "memory": "32Gi", "pods": "2"}), "no room for", "more or larger nodes"),
        ("cordoned", of_nodes("spec", unschedulable=True), "0 nodes have", "more or larger nodes"),
        ("tainted", of_nodes("spec", taints=[{"key": "x", "effect": "NoSchedule"}]), "0 nodes have", "more or larger nodes"),
        ("others", busy, "no room for", "more or larger nodes"),
    ],
    "metrics-api": [
        ("nobody answers", emptied(SERVICES), "no server answers for metrics.k8s.io", "metrics-server"),
        ("it does not answer", replaced(SERVICES, SILENT), "registered and does not answer", "kubectl"),
    ],
    "network-policies": [
        ("the VPC CNI", replaced(DAEMONS, daemon("aws-node", "--enable-network-policy=false")), "the VPC CNI enforces no NetworkPolicy", "enableNetworkPolicy"),
        ("Flannel", replaced(DAEMONS, daemon("kube-flannel-ds")), "Flannel enforces no NetworkPolicy", "Canal"),
        ("an old kind", replaced(DAEMONS, daemon("kindnet", image="docker.example.com/kindnetd:v20240513-cbd")), "kindnet enforces no", "kind 0.24"),
    ],
    "dns": [
        ("other labels", replaced(DNS), "no pod with k8s-app=kube-dns runs in kube-system", "environments.staging.cluster.dns"),
        ("a cache on each node", replaced(DAEMONS, daemon("calico-node"), daemon("node-local-dns", "-localip", "169.254.20.10,10.1.0.10")), "NodeLocal DNSCache answers at 169.254.20.10, 10.1.0.10", "environments.staging.cluster.dns: cidrs: [169.254.20.10/32, 10.1.0.10/32]"),
        ("a cloud's", lambda c: (of_nodes("metadata", labels=GOOGLE)(c), replaced(DNS)(c)), "Cloud DNS answers at 169.254.169.254", "cidrs: [169.254.169.254/32]"),
        ("elsewhere", lambda c: (replaced(DNS)(c), replaced("/api/v1/services", KUBE_DNS)(c)), "no name would resolve", 'dns: {namespace: dns, labels: {"app": "resolver"}}'),
    ],
    "api-server-address": [
        ("the Service elsewhere", put("/api/v1/namespaces/default/services/kubernetes", {"spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 443}]}}), "answers at 10.96.0.1", "environments.staging.cluster: apiServerCidrs: [10.1.0.1/32, 10.96.0.1/32]"),
        ("the server elsewhere", changed(SLICES, endpoints=[{"addresses": ["172.18.0.2"]}]), "answers at 172.18.0.2", "172.18.0.2/32"),
        ("minikube's port", changed(SLICES, ports=[{"port": 8443}]), "listens on 8443", "apiServerPorts: [443, 6443, 8443]"),
    ],
    "node-addresses": [
        ("elsewhere", of_nodes("status", addresses=[{"type": "InternalIP", "address": "172.18.0.3"}]), "outside of nodeCidrs (172.18.0.3)", "environments.staging.cluster: nodeCidrs: [10.1.8.0/21, 172.18.0.3/32]"),
    ],
    "service-addresses": [
        ("over the nodes", replaced("/apis/networking.k8s.io/v1/servicecidrs", {"spec": {"cidrs": ["10.1.0.0/16"]}}), "10.1.8.0/21", "another Service network"),
    ],
}  # fmt: skip
"""Check to what was taken away, how it was done, what is said, and what is to be written."""
WARNINGS = {"volume-expansion", "volume-binding"}
"""Checks of what is weak and fails nothing by itself."""


def of(check: str, results: Iterable[Result]) -> list[Result]:
    return [result for result in results if result.check == check]


def test_every_check_is_made_to_fail() -> None:
    assert FAILING.keys() == CHECKS.keys()


def test_the_documentation_lists_every_check() -> None:
    text = (ROOT / "docs" / "your-own-cluster.md").read_text(encoding="utf-8")
    table = text.partition("## What the doctor asks")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == list(CHECKS)


def test_a_cluster_that_lacks_nothing() -> None:
    results = examine(needs(), healthy(needs()))
    assert [r for r in results if r.status != "ok"] == []
    assert {r.check for r in results} == CHECKS.keys()
    assert not would_fail(results)


CASES = [pytest.param(check, *case[1:], id=f"{check}: {case[0]}") for check, cases in FAILING.items() for case in cases]


@pytest.mark.parametrize(("check", "spoil", "said", "fix"), CASES)
def test_what_is_missing_is_said_with_what_to_write(check: str, spoil: Spoil, said: str, fix: str) -> None:
    cluster = healthy(needs())
    spoil(cluster)
    results = examine(needs(), cluster)
    wanted = "warning" if check in WARNINGS else "failure"
    found = [r for r in of(check, results) if r.status == wanted]
    assert [r for r in found if said in r.said and fix in r.fix], of(check, results)
    assert would_fail(results) or check in WARNINGS


@pytest.mark.parametrize("path", [NODES, DAEMONS, CLASSES, DNS, "/metrics", NAMESPACE])
def test_what_may_not_be_read_is_not_known(path: str) -> None:
    cluster = healthy(needs())
    cluster.secret.add(path)
    results = examine(needs(), cluster)
    unknown = [r for r in results if r.status == "unknown"]
    assert unknown
    assert all("cannot tell" in r.said and r.fix for r in unknown)
    assert not would_fail(results)


def test_an_unknown_network_is_not_known() -> None:
    cluster = healthy(needs())
    cluster.lists[DAEMONS] = []
    [found] = of("network-policies", examine(needs(), cluster))
    assert found.status == "unknown"


@pytest.mark.parametrize(
    "daemons",
    [
        [daemon("aws-node", "--enable-network-policy=true")],
        [daemon("kindnet", image="docker.example.com/kindnetd:v20250512-df8de77b")],
        [daemon("cilium")],
        [daemon("kube-flannel-ds"), daemon("calico-node")],
    ],
)
def test_networks_that_enforce(daemons: list[dict[str, Any]]) -> None:
    cluster = healthy(needs())
    cluster.lists[DAEMONS] = daemons
    assert [r.status for r in of("network-policies", examine(needs(), cluster))] == ["ok"]


def test_k3s_enforces_by_itself() -> None:
    cluster = healthy(needs())
    cluster.lists[DAEMONS] = []
    of_nodes("status", nodeInfo={"kubeletVersion": "v1.33.4+k3s1"})(cluster)
    assert [r.status for r in of("network-policies", examine(needs(), cluster))] == ["ok"]


def test_an_autoscaler_makes_room() -> None:
    cluster = healthy(needs())
    busy(cluster)
    cluster.objects["/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status"] = {}
    [found] = of("capacity", examine(needs(), cluster))
    assert found.status == "warning"


def test_nodes_need_no_zone_where_none_is_declared() -> None:
    unzoned = needs(("100Gi, zones: 3", "100Gi"))
    cluster = healthy(unzoned)
    of_nodes("metadata", labels={})(cluster)
    assert [r.status for r in of("node-labels", examine(unzoned, cluster))] == ["ok"]


def test_declared_addresses_of_name_servers_and_ports_of_the_api_server_are_open() -> None:
    wanted = needs(
        ("      apiServerCidrs: [10.1.0.1/32]\n", "      apiServerCidrs: [10.1.0.1/32]\n      apiServerPorts: [443, 8443]\n      dns: {cidrs: [169.254.20.10/32]}\n"),
    )  # fmt: skip
    cluster = healthy(wanted)
    cluster.lists[SLICES][0]["ports"] = [{"port": 8443}]
    cluster.lists[DAEMONS].append(daemon("node-local-dns", "-localip", "169.254.20.10"))
    assert [r for r in examine(wanted, cluster) if r.status != "ok"] == []
    ways = {(name, cidr, port) for name, cidrs, ports in wanted.egress() for cidr in cidrs for port in ports}
    assert ("allow-dns", "169.254.20.10/32", 53) in ways
    assert ("state", "10.1.0.1/32", 8443) in ways


@pytest.mark.parametrize(
    ("pin", "status", "fix"),
    [
        (Pin(), "failure", f"understudy:clusterCaSha256: {AUTHORITY}"),
        (Pin(otherwise="the run pins the stack to this cluster"), "ok", ""),
        (Pin(kube_system_uid="kube-system-uid"), "ok", ""),
        (Pin(kube_system_uid="another"), "failure", "choose the context"),
    ],
)
def test_how_a_cluster_is_pinned(pin: Pin, status: str, fix: str) -> None:
    wanted = needs(pin=pin)
    [found] = of("cluster-identity", examine(wanted, healthy(wanted)))
    assert found.status == status
    assert fix in found.fix


def test_every_right_is_asked_for_by_kind_verb_and_namespace() -> None:
    cluster = healthy(needs())
    examine(needs(), cluster)
    asked = {(access.verb, access.resource, access.namespace) for access in cluster.asked}
    for body in needs().objects:
        namespace = body["metadata"].get("namespace", "")
        for verb in ("get", "list", "watch", "create", "patch", "delete"):
            assert (verb, f"{body['kind'].lower()}s", namespace) in asked


def test_json_is_for_programs() -> None:
    cluster = healthy(needs())
    cluster.said = "v1.20.0"
    document = json.loads(as_json("small", "fake", examine(needs(), cluster)))
    assert (document["stack"], document["context"], document["fails"]) == ("small", "fake", True)
    assert {"check", "status", "said", "fix"} == document["results"][0].keys()


def test_a_definition_that_the_graph_brings_is_not_missed() -> None:
    base = needs()
    own = [
        {
            "type": "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
            "inputs": {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "things.example.com"},
                "spec": {"group": "example.com", "names": {"kind": "Thing"}},
            },
        },
        {
            "type": "kubernetes:example.com/v1:Thing",
            "inputs": {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x", "namespace": "n"}},
        },
    ]
    cluster = healthy(base)
    cluster.kinds["apiextensions.k8s.io/v1"] = {}
    alone = Needs(base.resolved, [*base.nodes, own[1]], base.file, base.pin)
    [missed] = [r for r in of("kinds", examine(alone, cluster)) if r.status == "failure"]
    assert "install what defines Thing.example.com" in missed.fix
    both = Needs(base.resolved, [*base.nodes, *own], base.file, base.pin)
    failures = [r.said for r in of("kinds", examine(both, cluster)) if r.status == "failure"]
    assert [said.split(" is not")[0] for said in failures] == ["apiextensions.k8s.io/v1 CustomResourceDefinition"]


def test_a_label_that_no_node_has() -> None:
    base = needs()
    pod = {"nodeSelector": {"disk": "ssd"}}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "n"}, "spec": pod}
    wanted = Needs(
        base.resolved, [*base.nodes, {"type": "kubernetes:core/v1:Pod", "inputs": body}], base.file, base.pin
    )
    [found] = [r for r in of("node-labels", examine(wanted, healthy(base))) if r.status == "failure"]
    assert found.fix == "kubectl label node <node> disk=ssd"
