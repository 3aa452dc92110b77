"""Checks that a network plugin enforces NetworkPolicies; the API server accepts them without one, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..cluster import Cluster, Object
from ..needs import Needs, at
from ..result import Check, Finding

DAEMONSETS = "/apis/apps/v1/daemonsets"
NODES = "/api/v1/nodes"


def _always(_: Object) -> bool:
    return True


def _argument(wanted: str) -> Callable[[Object], bool]:
    """Returns a check that a container of the daemon set has the argument."""

    def found(daemon: Object) -> bool:
        containers = at(daemon, "spec", "template", "spec", "containers") or ()
        return any(wanted in (*(c.get("args") or ()), *(c.get("command") or ())) for c in containers)

    return found


def _recent_kindnet(daemon: Object) -> bool:
    """Returns whether the image is of kind 0.24 or later, of August 2024, which enforces them.

    https://github.com/kubernetes-sigs/kind/releases/tag/v0.24.0
    """
    images = [c.get("image", "") for c in at(daemon, "spec", "template", "spec", "containers") or ()]
    dates = [match[1] for image in images if (match := re.search(r":v(\d{8})", image))]
    return any(date >= "20240813" for date in dates) or _argument("--network-policy=true")(daemon)


@dataclass(frozen=True)
class Plugin:
    """A network plugin that is recognised by its daemon set."""

    called: str
    enforces: Callable[[Object], bool]
    fix: str = ""


PLUGINS = {
    "calico-node": Plugin("Calico", _always),
    "canal": Plugin("Canal", _always),
    "cilium": Plugin("Cilium", _always),
    "anetd": Plugin("GKE Dataplane V2", _always),
    "antrea-agent": Plugin("Antrea", _always),
    "ovnkube-node": Plugin("OVN-Kubernetes", _always),
    "kube-ovn-cni": Plugin("Kube-OVN", _always),
    "kube-router": Plugin("kube-router", _always),
    "weave-net": Plugin("Weave Net", _always),
    "azure-npm": Plugin("Azure NPM", _always),
    "kube-network-policies": Plugin("kube-network-policies", _always),
    "kindnet": Plugin(
        "kindnet", _recent_kindnet, "kind 0.24 or later, or a cluster without its default CNI, and Calico"
    ),
    "aws-node": Plugin(
        "the VPC CNI",
        _argument("--enable-network-policy=true"),
        """the add-on vpc-cni with configuration values {"enableNetworkPolicy": "true"}""",
    ),
    "kube-flannel-ds": Plugin("Flannel", lambda _: False, "install Calico for policies beside it (Canal)"),
}
"""Name of a daemon set to its network plugin."""


def enforces(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks for a known plugin that enforces NetworkPolicies; for others this cannot be determined without pods."""
    if not needs.of("NetworkPolicy"):
        yield Finding("ok", "no NetworkPolicy")
        return
    daemons = {daemon["metadata"]["name"]: daemon for daemon in cluster.items(DAEMONSETS)}
    plugins = [(plugin, daemons[name]) for name, plugin in PLUGINS.items() if name in daemons]
    good = [plugin.called for plugin, daemon in plugins if plugin.enforces(daemon)]
    if good:
        yield Finding("ok", f"{', '.join(good)} enforces NetworkPolicies")
        return
    if any("+k3s" in str(at(node, "status", "nodeInfo", "kubeletVersion")) for node in cluster.items(NODES)):
        yield Finding("ok", "k3s enforces NetworkPolicies itself, unless it was started with --disable-network-policy")
        return
    for plugin, _ in plugins:
        message = f"{plugin.called} enforces no NetworkPolicy: the environment would be open, in and out"
        yield Finding("failure", message, plugin.fix)
    if not plugins:
        message = "cannot tell: no daemon set of a known network is there"
        yield Finding("unknown", message, "try it: a pod that a default-deny policy selects must reach nothing")


CHECKS = (Check("network-policies", "Does the network enforce NetworkPolicies?", enforces),)
