"""Every object has a kind that the rules can check."""

from __future__ import annotations

from collections.abc import Iterator

from ...pods import is_workload, specs
from ...references import iso
from ...resource import Resource, said
from ...rule import Problem, Rule
from ...stack import Stack

_KINDS = {
    "core": "ConfigMap LimitRange Namespace PersistentVolume PersistentVolumeClaim Pod ReplicationController ResourceQuota "
    "Secret Service ServiceAccount",
    "apps": "DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "bitnami.com": "SealedSecret",
    "cert-manager.io": "Certificate",
    "elbv2.k8s.aws": "TargetGroupBinding",
    "external-secrets.io": "ExternalSecret SecretStore",
    "gateway.networking.k8s.io": "Gateway GRPCRoute HTTPRoute",
    "helm.sh": "Release",
    "keda.sh": "ScaledObject",
    "monitoring.coreos.com": "PodMonitor PrometheusRule ServiceMonitor",
    "networking.istio.io": "DestinationRule EnvoyFilter Gateway ServiceEntry Sidecar VirtualService",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "scheduling.k8s.io": "PriorityClass",
    "security.istio.io": "AuthorizationPolicy PeerAuthentication",
    "storage.k8s.io": "StorageClass",
    "telemetry.istio.io": "Telemetry",
}
"""API group to kinds that a rule checks, or that contain only names and amounts."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not resource.type.startswith("kubernetes:"):
        return
    group = resource.type.split(":")[1].partition("/")[0]
    known = resource.kind in _KINDS.get(group, "").split()
    template = is_workload(resource) and all(path[-2:] == ("template", "spec") for path, _ in specs(resource))
    if not known and not template:
        yield ("kind",), f"no rule can judge a {resource.kind} of {group}"
    if resource.get("kind") not in (None, resource.kind):
        yield ("kind",), f"it says to be a {said(resource.get('kind'))}"
    if known and resource.type != "kubernetes:core/v1:Namespace":
        yield from _alone(resource, stack)


def _alone(resource: Resource, stack: Stack) -> Iterator[Problem]:
    """Two resources with one name are one object, and it has the content that was written last."""
    if other := stack.same_object(resource):
        yield ("metadata", "name"), f"{other.name!r} is this {resource.kind} too"


RULE = Rule(
    id="isolation-known-kinds",
    description="Every Kubernetes object is of a kind that the rules can judge, and is made once; a pod's template is "
    "judged whatever kind it stands in.",
    severity="critical",
    remediation="Use one of the kinds of policies/rules/isolation/known_kinds.py, or exempt the object, with owner and end.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
