"""Settings of all pods: Pod Security ``restricted``, spread over zones and nodes, resources and probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.derivation.mesh_topology import POD_IDENTITY, has_role, mesh
from config.model.base import Resources, SecretKey
from config.system import Resolved

UID = 10001
"""User ID of containers whose image has no user; it is neither root nor a user of the node."""
ZONE = "topology.kubernetes.io/zone"
"""The label of a node with its zone."""
TEMPORARY = "/tmp"  # noqa: S108 - in the container
TRUST = "/etc/understudy"
"""Directory in pods with the certificate authorities of other components: ``<TRUST>/ca-<name>/ca.crt``."""
UNTIL_UNLISTED = 5
"""Seconds until every node and proxy has removed a stopping pod from its endpoints."""
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def amounts(resources: Resources) -> Any:
    """Returns Kubernetes' resource requirements."""
    return resources.model_dump(mode="json", exclude_none=True)


def security(uid: int = UID) -> Any:
    """Returns a pod's security context; ``uid`` is also the group of the pod and of its volumes."""
    return {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": uid,
        "fsGroup": uid,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def spread(resolved: Resolved, selector: Mapping[str, str], *match_label_keys: str) -> list[Any]:
    """Spread constraints: over nodes where there are enough, and always over zones where the environment declares several.

    Where it declares none, the zone is left out altogether: the scheduler rejects nodes without the label of a hard
    constraint, and leaves them out of the scores of all soft ones.
    ``match_label_keys``: a Deployment's ``pod-template-hash``, else the old pods of a rollout count, and the new ones pile up.
    """
    terms = [("kubernetes.io/hostname", "ScheduleAnyway")]
    if resolved.environment.cluster.nodes.zones > 1:
        terms.insert(0, (ZONE, "DoNotSchedule"))
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": otherwise,
            "labelSelector": {"matchLabels": dict(selector)},
            **({"matchLabelKeys": list(match_label_keys)} if match_label_keys else {}),
        }
        for key, otherwise in terms
    ]


def proxied(resolved: Resolved, name: str) -> dict[str, str]:
    """Returns annotations of a pod for its proxy in a mesh: it does not intercept traffic to the Pod Identity agent."""
    if mesh(resolved) is None or not has_role(resolved, name):
        return {}
    return {"traffic.sidecar.istio.io/excludeOutboundIPRanges": POD_IDENTITY}


def container(name: str, image: str, resources: Resources, **more: Any) -> Any:
    """Returns a container that may write only to its mounted volumes."""
    return {
        "name": name,
        "image": image,
        "resources": amounts(resources),
        "securityContext": CONTAINER_SECURITY,
        **more,
    }


def ports(numbers: Mapping[str, int]) -> list[Any]:
    """Returns a container's ports."""
    return [{"name": name, "containerPort": number, "protocol": "TCP"} for name, number in numbers.items()]


def variables(plain: Mapping[str, str], secret: Mapping[str, SecretKey | None] | None = None) -> list[Any]:
    """Returns a container's environment: plain values, secret values, and ``<NAME>_PREVIOUS`` where a rotation left one."""
    env: list[Any] = [{"name": name, "value": value} for name, value in plain.items()]
    for name, key in (secret or {}).items():
        if key is not None:
            previous = {"name": key.secret, "key": f"{key.key}-previous", "optional": True}
            env += [
                {"name": name, "valueFrom": {"secretKeyRef": {"name": key.secret, "key": key.key}}},
                {"name": f"{name}_PREVIOUS", "valueFrom": {"secretKeyRef": previous}},
            ]
    return env


def field(name: str, path: str) -> Any:
    """Returns an environment variable from a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def mounts(paths: Mapping[str, str], read_only: Sequence[str] = ()) -> list[Any]:
    """Returns the mounts, for volume to mount path."""
    return [
        {"name": name, "mountPath": path, **({"readOnly": True} if name in read_only else {})}
        for name, path in paths.items()
    ]


def probe(*, period: int, failures: int, timeout: int = 5, **how: Any) -> Any:
    """Returns a probe; times are in seconds."""
    return {"periodSeconds": period, "failureThreshold": failures, "timeoutSeconds": timeout, **how}


def pause(seconds: int = UNTIL_UNLISTED) -> Any:
    """Returns a container's ``lifecycle`` in which it goes on serving for some seconds before the stop signal.

    The kubelet waits by itself, so the image needs no shell (https://kubernetes.io/docs/concepts/containers/container-
    lifecycle-hooks/).
    """
    return {"preStop": {"sleep": {"seconds": seconds}}}


def before_stop(script: str, *arguments: str) -> Any:
    """Returns a container's ``lifecycle`` in which a shell script finishes before the stop signal."""
    return {"preStop": {"exec": {"command": ["/bin/sh", script, *arguments]}}}


def authority(secret: str) -> Any:
    """Returns a volume source with the authority of a certificate's Secret only, never with its key."""
    return {"secretName": secret, "items": [{"key": "ca.crt", "path": "ca.crt"}]}
