"""Settings of all pods: Pod Security ``restricted``, spread over zones and nodes, resources, probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.derivation.mesh_topology import POD_IDENTITY, has_role, mesh
from config.model.base import Resources, SecretKey
from config.system import Resolved

UID = 10001
"""Not root, and no user of the node; images that have a user of their own keep it."""
ZONE = "topology.kubernetes.io/zone"
"""The label of a node that says which zone it is in."""
TEMPORARY = "/tmp"  # noqa: S108 - in the container
TRUST = "/etc/understudy"
"""Directory in pods with the certificate authorities of other components: ``<TRUST>/ca-<name>/ca.crt``."""
UNTIL_UNLISTED = 5
"""Seconds until every node and proxy knows that a pod which stops takes no new connections."""
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def amounts(resources: Resources) -> Any:
    """Kubernetes' resource requirements."""
    return resources.model_dump(mode="json", exclude_none=True)


def security(uid: int = UID) -> Any:
    """A pod's security context; ``uid`` is also its group, and its volumes'."""
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
    """Annotations of a pod for its proxy in a mesh: the node's agent, which gives it its role in AWS, is left alone."""
    if mesh(resolved) is None or not has_role(resolved, name):
        return {}
    return {"traffic.sidecar.istio.io/excludeOutboundIPRanges": POD_IDENTITY}


def container(name: str, image: str, resources: Resources, **more: Any) -> Any:
    """A container that may write only where something is mounted."""
    return {
        "name": name,
        "image": image,
        "resources": amounts(resources),
        "securityContext": CONTAINER_SECURITY,
        **more,
    }


def ports(numbers: Mapping[str, int]) -> list[Any]:
    """A container's ports."""
    return [{"name": name, "containerPort": number, "protocol": "TCP"} for name, number in numbers.items()]


def variables(plain: Mapping[str, str], secret: Mapping[str, SecretKey | None] | None = None) -> list[Any]:
    """A container's environment: plain values, values of Secrets, and ``<NAME>_PREVIOUS`` where a rotation left one."""
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
    """An environment variable from the pod itself."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def mounts(paths: Mapping[str, str], read_only: Sequence[str] = ()) -> list[Any]:
    """Volume to mount path."""
    return [
        {"name": name, "mountPath": path, **({"readOnly": True} if name in read_only else {})}
        for name, path in paths.items()
    ]


def probe(*, period: int, failures: int, timeout: int = 5, **how: Any) -> Any:
    """A probe; times in seconds."""
    return {"periodSeconds": period, "failureThreshold": failures, "timeoutSeconds": timeout, **how}


def pause(seconds: int = UNTIL_UNLISTED) -> Any:
    """A container's ``lifecycle``: it goes on serving for some seconds before it gets the stop signal.

    The kubelet waits by itself, so the image needs no shell (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/).
    """
    return {"preStop": {"sleep": {"seconds": seconds}}}


def before_stop(script: str) -> Any:
    """A container's ``lifecycle``: a shell script is done before it gets the stop signal."""
    return {"preStop": {"exec": {"command": ["/bin/sh", script]}}}


def authority(secret: str) -> Any:
    """A volume's source: of a certificate's Secret a user sees the authority alone, and never the key."""
    return {"secretName": secret, "items": [{"key": "ca.crt", "path": "ca.crt"}]}
