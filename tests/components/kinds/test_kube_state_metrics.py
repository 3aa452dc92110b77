"""kube-state-metrics on the graph."""

from __future__ import annotations

from components.kinds.kube_state_metrics import RESOURCES
from review.graph import graph
from tests.components.graphs import inputs

STAGING = tuple(graph("staging"))


def test_it_never_sees_a_secret() -> None:
    role = inputs(STAGING, "Role", "kube-state-metrics")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    seen = {name for rule in role["rules"] for name in rule["resources"]}
    assert seen == {name for names in RESOURCES.values() for name in names}
    assert not seen & {"secrets", "configmaps", "nodes"}
    assert not [n for n in STAGING if n["type"].endswith(":ClusterRole") and n["name"] == "kube-state-metrics"]


def test_it_watches_what_it_may_see_in_its_namespace() -> None:
    pod = inputs(STAGING, "Deployment", "kube-state-metrics")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert "--namespaces=staging" in container["args"]
    [flag] = [argument for argument in container["args"] if argument.startswith("--resources=")]
    role = inputs(STAGING, "Role", "kube-state-metrics")
    seen = {name for rule in role["rules"] for name in rule["resources"]}
    assert set(flag.removeprefix("--resources=").split(",")) == seen
    assert pod["automountServiceAccountToken"] is True
    assert pod["serviceAccountName"] == "kube-state-metrics"
