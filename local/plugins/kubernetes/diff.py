"""What changed between two sets of inputs, in the engine's terms.

The rules are those of the official plugin: the JSON merge patch from the old inputs to the new ones, arrays by index, a
map that appears or disappears as a whole is one difference; a property is replaced when its table says so.
Source: the recorded cases in ``tests/local/fidelity`` and the plugin's documentation of immutable fields.
"""

from __future__ import annotations

import re
from typing import Any

from ..values import Path

Difference = tuple[Path, str]
"""Path and one of ``add``, ``delete``, ``update``."""


def differences(old: Any, new: Any, path: Path = ()) -> list[Difference]:
    """Every difference, in the order of the paths."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[Difference] = []
        for key in sorted(old.keys() | new.keys()):
            here = (*path, key)
            if key not in new or (new[key] is None and old[key] is not None):
                found.append((here, "delete"))
            elif key not in old or (old[key] is None and new[key] is not None):
                found.append((here, "add"))
            else:
                found += differences(old[key], new[key], here)
        return found
    if isinstance(old, list) and isinstance(new, list):
        found = []
        for index in range(max(len(old), len(new))):
            here = (*path, index)
            if index >= len(new):
                found.append((here, "delete"))
            elif index >= len(old):
                found.append((here, "add"))
            else:
                found += differences(old[index], new[index], here)
        return found
    return [] if old == new else [(path, "update")]


def render(path: Path) -> str:
    """As the engine prints it: ``spec.ports[0].port``, ``data["tls.crt"]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z_$][\w$-]*", part) and not re.search(r"[./-]", part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


_CONFIG = {"data", "binaryData"}
_JOB = {
    "spec.completions",
    "spec.completionMode",
    "spec.selector",
    "spec.template",
    "spec.podFailurePolicy",
}
FORCE_NEW: dict[str, set[str]] = {
    "apps/Deployment": {"spec.selector"},
    "apps/DaemonSet": {"spec.selector"},
    "apps/ReplicaSet": {"spec.selector"},
    "apps/StatefulSet": {
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    },
    "batch/Job": _JOB,
    "/PersistentVolumeClaim": {
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
        "spec.dataSource",
        "spec.dataSourceRef",
        "spec.volumeMode",
    },
    "/PersistentVolume": {"spec.volumeMode", "spec.csi", "spec.nfs", "spec.hostPath"},
    "/Pod": {
        f"spec.{name}"
        for name in (
            "affinity",
            "containers.command",
            "containers.env",
            "containers.envFrom",
            "containers.name",
            "containers.ports",
            "containers.resources",
            "containers.securityContext",
            "containers.volumeMounts",
            "dnsConfig",
            "dnsPolicy",
            "hostNetwork",
            "initContainers",
            "nodeName",
            "nodeSelector",
            "restartPolicy",
            "schedulerName",
            "securityContext",
            "serviceAccountName",
            "volumes",
        )
    },
    "/Service": {"spec.clusterIP"},
    "/Secret": {"type"},
    "rbac.authorization.k8s.io/RoleBinding": {"roleRef"},
    "rbac.authorization.k8s.io/ClusterRoleBinding": {"roleRef"},
    "storage.k8s.io/StorageClass": {
        "parameters",
        "provisioner",
        "reclaimPolicy",
        "volumeBindingMode",
    },
}
"""``<group>/<kind>`` to the properties that Kubernetes does not let change; those below them count."""


def force_new(inputs: dict[str, Any], old: dict[str, Any], *, mutable_config: bool, mutable_secret: bool) -> set[str]:
    """The properties whose change replaces this object."""
    group = inputs.get("apiVersion", "").rpartition("/")[0]
    kind = inputs.get("kind", "")
    names = set(FORCE_NEW.get(f"{group}/{kind}", ())) | {"apiVersion", "kind", "metadata.name", "metadata.namespace"}
    if not group and kind in ("ConfigMap", "Secret"):
        mutable = mutable_config if kind == "ConfigMap" else mutable_secret
        frozen = old.get("immutable") is True or inputs.get("immutable") is True
        if frozen or not mutable:
            names |= _CONFIG
            if old.get("immutable") is True:
                names.add("immutable")
    return names


def replaces(path: Path, names: set[str]) -> bool:
    """Whether a change at ``path`` is one below a property that forces a new object."""
    dotted = ".".join(part for part in path if isinstance(part, str))
    return any(dotted == name or dotted.startswith(f"{name}.") for name in names)
