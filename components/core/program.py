"""Reads the stack's configuration and verifies the target cluster before any resource is planned."""

from __future__ import annotations

import pulumi

from config.derivation.charts import charts_of
from config.errors import ConfigError, Problem
from config.kinds import Eks
from config.model.charts import verify
from config.model.platform import Platform
from config.reading.kubeconfig import certificate_authority, fingerprint
from config.stack import PROJECT, Stack, parse_stack
from config.system import Cluster, Resolved


def read_stack() -> Stack:
    """Reads the stack's configuration; raises ``ConfigError``."""
    config = pulumi.Config(PROJECT)
    values = {
        "system": config.get("system"),
        "environment": config.get("environment"),
        "layer": config.get("layer"),
        "platform": _platform(config),
        "charts": config.get("charts"),
        "unprotected": config.get_object("unprotected"),
        "images": config.get_object("images"),
        "rotation": config.get_object("rotation"),
        "given": config.get_object("given"),
        "placeholders": config.get_bool("placeholders"),
        "context": config.get("context"),
        "clusterCaSha256": config.get("clusterCaSha256"),
    }
    return parse_stack(values, pulumi.get_stack())


def _platform(config: pulumi.Config) -> object:
    """Returns the name of a stack, or the values of an object in JSON."""
    written = config.get("platform")
    return config.get_object("platform") if written and written.lstrip().startswith("{") else written


def verify_charts(resolved: Resolved, stack: Stack) -> None:
    """Raises ``ConfigError`` when the stack's own folder of charts lacks a chart.

    Not checked for graphs, where nothing is installed.
    """
    if stack.layer != "application" and not stack.placeholders:
        verify(stack.charts, charts_of(resolved), pulumi.get_stack())


def has_platform(resolved: Resolved, stack: Stack) -> bool:
    """Returns whether the cluster comes from a platform and not from the kubeconfig."""
    return stack.platform is not None or _eks(resolved) is not None


def _eks(resolved: Resolved) -> Eks | None:
    return next((component for component in resolved.components.values() if isinstance(component, Eks)), None)


def cluster_identity(resolved: Resolved, stack: Stack, file: str) -> str:
    """Returns the identity of the cluster that the provider belongs to; raises ``ConfigError``.

    The identity is known before the cluster exists. A cluster that the platform declares is identified by its ARN,
    and one whose values are given by its declared identifier. Any other cluster is read, and must be the pinned one.
    """
    account, declared = resolved.environment.account, _eks(resolved)
    if declared and account:
        return declared.arn(account.region, account.id)
    if isinstance(stack.platform, Platform) and stack.platform.cluster:
        return stack.platform.cluster.identifier
    if stack.layer == "platform":
        return ""
    return verify_cluster(resolved.environment.cluster, stack, file)


def verify_cluster(cluster: Cluster, stack: Stack, file: str) -> str:
    """Returns the identity of the kubeconfig's cluster when it equals the pinned one; raises ``ConfigError`` otherwise.

    The pin is the SHA-256 of the certificate authority; behind proxies that present their own, the UID of kube-system.
    """
    pinned = stack.cluster_ca_sha256 or cluster.ca_sha256
    at = f"Pulumi.{pulumi.get_stack()}.yaml"
    if pinned is None and cluster.kube_system_uid is None:
        raise ConfigError(
            Problem(
                at,
                None,
                f"{PROJECT}:clusterCaSha256",
                "the environment is pinned to no cluster",
                "./understudy cluster prints the fingerprint of your current context; set it here or as caSha256 in "
                + file,
            )
        )
    if pinned is None:
        return _verify_uid(cluster.kube_system_uid or "", stack.context)
    authority = certificate_authority(stack.context)
    try:
        actual = fingerprint(authority or b"")
    except ValueError:
        actual = "no certificate authority"
    if actual != pinned:
        raise ConfigError(
            Problem(
                "kubeconfig",
                None,
                "",
                f"this is another cluster: its authority is {actual[:16]}…, the environment belongs to {pinned[:16]}…",
                "choose the right context (understudy:context or KUBECONFIG); nothing was changed",
            )
        )
    return pinned


def _verify_uid(pinned: str, context: str | None) -> str:
    from kubernetes import client, config

    config.load_kube_config(context=context)
    uid = client.CoreV1Api().read_namespace("kube-system").metadata.uid
    if uid != pinned:
        raise ConfigError(
            Problem("kubeconfig", None, "", f"this is another cluster: kube-system is {uid}, not {pinned}", "")
        )
    return pinned
