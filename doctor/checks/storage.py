"""Checks that volumes can be created and grow, in the zones of their pods."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import Cluster, Object
from ..needs import Needs, at, label, some
from ..result import Check, Finding

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DEFAULT = "storageclass.kubernetes.io/is-default-class"


def _claims(needs: Needs) -> dict[str | None, list[str]]:
    """Returns the claims of each storage class; ``None``: the default class. An empty class name requests no class."""
    claims: dict[str | None, list[str]] = {}
    for body in needs.of("PersistentVolumeClaim"):
        if (name := at(body, "spec", "storageClassName")) != "":
            claims.setdefault(name, []).append(label(body))
    for body in needs.of("StatefulSet"):
        for claim in at(body, "spec", "volumeClaimTemplates") or ():
            if (name := at(claim, "spec", "storageClassName")) != "":
                claims.setdefault(name, []).append(label(body))
    return claims


def _used(needs: Needs, cluster: Cluster) -> list[Object]:
    """Returns the storage classes that the claims use."""
    claims = _claims(needs)
    return [c for c in cluster.items(CLASSES) if c["metadata"]["name"] in claims or (None in claims and _is_default(c))]


def _is_default(storage_class: Object) -> bool:
    return bool(at(storage_class, "metadata", "annotations", DEFAULT) == "true")


def there(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that each claim has a storage class."""
    claims_by_class = _claims(needs)
    if not claims_by_class:
        yield Finding("ok", "no pod uses a volume")
        return
    classes = {c["metadata"]["name"]: c for c in cluster.items(CLASSES)}
    defaults = [name for name, c in classes.items() if _is_default(c)]
    class_names = ", ".join(classes) or "none"
    for name, claims in claims_by_class.items():
        if name is None and not defaults:
            said = f"no default StorageClass, for {some(claims)}; there are: {class_names}"
            written = f"{needs.declared('cluster')}: storageClass: {next(iter(classes), '<a class>')}"
            yield Finding("failure", said, written if classes else "install a provisioner and a StorageClass")
        elif name is None and len(defaults) > 1:
            said = f"{len(defaults)} default StorageClasses ({', '.join(defaults)}): the newest is taken"
            yield Finding("warning", said, f"{needs.declared('cluster')}: storageClass: {defaults[0]}")
        elif name is not None and name not in classes:
            fix = f"{needs.declared('cluster')}: storageClass: <one of {class_names}>"
            yield Finding("failure", f"no StorageClass {name!r}, for {some(claims)}; there are: {class_names}", fix)
        else:
            yield Finding("ok", f"{name or defaults[0]} makes {len(claims)} volumes")


def grows(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that the classes allow expansion."""
    used = _used(needs, cluster)
    stiff = [c["metadata"]["name"] for c in used if not c.get("allowVolumeExpansion")]
    for name in stiff:
        fix = f"""kubectl patch storageclass {name} -p '{{"allowVolumeExpansion": true}}' (if its provisioner can)"""
        yield Finding("warning", f"volumes of {name} cannot grow: a larger 'storage' would fail", fix)
    if not stiff:
        yield Finding("ok", f"volumes of {some([c['metadata']['name'] for c in used])} grow" if used else "no volumes")


def waits(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks, with several zones, that a volume is created in the zone of its pod."""
    several = needs.resolved.environment.cluster.nodes.zones > 1
    used = _used(needs, cluster)
    early = [c["metadata"]["name"] for c in used if c.get("volumeBindingMode", "Immediate") == "Immediate"]
    if early and several:
        message = (
            f"{', '.join(early)} makes a volume before its pod has a node: a pod may not be placed in its volume's zone"
        )
        yield Finding("warning", message, "volumeBindingMode: WaitForFirstConsumer in a new StorageClass")
    else:
        yield Finding(
            "ok", "volumes are made where their pods are" if used and not early else "one zone for all volumes"
        )


CHECKS = (
    Check("storage-class", "Has each volume a StorageClass?", there),
    Check("volume-expansion", "Can volumes grow?", grows),
    Check("volume-binding", "Are volumes made in the zones of their pods?", waits),
)
