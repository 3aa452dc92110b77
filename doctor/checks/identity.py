"""Checks that the cluster is the one that the environment belongs to."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import Cluster
from ..needs import Needs, at
from ..result import Check, Finding


def pinned(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that the fingerprint of the authority, or the UID of kube-system, is the declared one."""
    pin, authority = needs.pin, cluster.authority()
    if pin.ca_sha256 is not None:
        if authority == pin.ca_sha256:
            yield Finding("ok", f"the environment is pinned to this cluster ({authority[:16]}…)")
        else:
            actual = f"{authority[:16]}…" if authority else "none"
            message = f"another cluster: its authority is {actual}, the environment belongs to {pin.ca_sha256[:16]}…"
            yield Finding("failure", message, "choose the context of the environment's cluster")
        return
    if pin.kube_system_uid is not None:
        uid = at(cluster.one("/api/v1/namespaces/kube-system"), "metadata", "uid")
        if uid == pin.kube_system_uid:
            yield Finding("ok", f"the environment is pinned to this cluster (kube-system {uid})")
        else:
            message = f"another cluster: kube-system is {uid}, the environment belongs to {pin.kube_system_uid}"
            yield Finding("failure", message, "choose the context of the environment's cluster")
        return
    if pin.otherwise:
        yield Finding("ok", pin.otherwise)
    elif authority:
        fix = f"Pulumi.<stack>.yaml, under config: understudy:clusterCaSha256: {authority}"
        yield Finding("failure", "the environment is pinned to no cluster", fix)
    else:
        uid = at(cluster.one("/api/v1/namespaces/kube-system"), "metadata", "uid")
        message = "the environment is pinned to no cluster, and the kubeconfig names no certificate authority"
        yield Finding("failure", message, f"{needs.declared('cluster')}: kubeSystemUid: {uid}")


def free(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that the namespace is absent or belongs to this environment; otherwise a destroy would delete other objects."""
    existing = cluster.one(f"/api/v1/namespaces/{needs.namespace}")
    labels = at(existing, "metadata", "labels") or {}
    environment = needs.resolved.environment.name
    if existing is None:
        yield Finding("ok", f"{needs.namespace} is not there yet")
    elif (
        labels.get("app.kubernetes.io/part-of") == needs.resolved.system
        and labels.get("understudy.dev/environment") == environment
    ):
        yield Finding("ok", f"{needs.namespace} is this environment's")
    else:
        message = f"the namespace {needs.namespace} is there, and not of {environment} of {needs.resolved.system}"
        fix = f"{needs.declared('namespace')}: <a name that is free>, or kubectl delete namespace {needs.namespace}"
        yield Finding("failure", message, fix)


CHECKS = (
    Check("cluster-identity", "Is it the cluster that the environment is pinned to?", pinned),
    Check("namespace", "Is the environment's namespace free, or its own?", free),
)
