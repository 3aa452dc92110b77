"""A user's own Kubernetes objects, for what has no kind yet."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ..base import Amounts, Component, Demand, Model, Resources
from ..quantity import Cpu, Memory, Storage
from ..scaling import ScaleKind, Scales


class Manifest(Model):
    """One Kubernetes object, written as for kubectl."""

    api_version: Annotated[str, Field(min_length=2)]
    kind: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    metadata: dict[str, Any]
    spec: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    rules: list[Any] | None = None
    role_ref: dict[str, Any] | None = None
    subjects: list[Any] | None = None
    scale: tuple[ScaleKind, ...] = ()
    """Quantity kinds that scale inside this object: container resources (cpu, memory), claims (storage), replicas."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not isinstance(self.metadata.get("name"), str):
            raise ValueError("metadata.name is missing")
        if "namespace" in self.metadata:
            raise ValueError("metadata.namespace is the environment's: leave it out")
        unknown = set(self.scale) - {"cpu", "memory", "storage", "replicas"}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} does not scale in a manifest")
        return self

    def scaled(self, ratios: dict[ScaleKind, Any]) -> Manifest:
        """The object with every quantity of the kinds in ``scale`` scaled; ``ratios`` as given for the environment."""
        wanted = {kind: ratios[kind] for kind in self.scale if kind in ratios}
        return self.model_copy(update={"spec": _walk(self.spec, wanted)}) if wanted else self

    def body(self) -> dict[str, Any]:
        """The object as the API server takes it, without a namespace."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude={"scale"})


_LEAVES: dict[str, tuple[ScaleKind, Any]] = {
    "cpu": ("cpu", Cpu),
    "memory": ("memory", Memory),
    "storage": ("storage", Storage),
}


def _walk(node: Any, ratios: dict[ScaleKind, Any]) -> Any:
    if isinstance(node, list):
        return [_walk(item, ratios) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        kind, quantity = _LEAVES.get(key, (None, None))
        if key == "replicas" and isinstance(value, int) and "replicas" in ratios:
            result[key] = Scales("replicas", floor=1).apply(value, ratios["replicas"])
        elif kind in ratios and quantity is not None and isinstance(value, str | int):
            result[key] = str(Scales(kind).apply(quantity.parse(value), ratios[kind]))
        else:
            result[key] = _walk(value, ratios)
    return result


def _claim(claim: Any) -> Storage:
    return Storage.parse(claim["spec"]["resources"]["requests"]["storage"])


def _demand(manifest: Manifest) -> Demand:
    """Of one object: its pods and their volumes, a claim of its own, a Service."""
    spec = manifest.spec or {}
    template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
    if manifest.kind == "Pod":
        template = {"spec": spec}
    containers = ((template or {}).get("spec") or {}).get("containers") or []

    def total(part: str, name: str, quantity: Any) -> Any:
        amounts = [quantity.parse(r) for c in containers if (r := c.get("resources", {}).get(part, {}).get(name))]
        return sum(amounts[1:], start=amounts[0]) if amounts else None

    def amounts(part: str) -> Amounts:
        return Amounts(cpu=total(part, "cpu", Cpu), memory=total(part, "memory", Memory))

    return Demand(
        pods=int(spec.get("replicas", spec.get("parallelism", 1))) if containers else 0,
        surge=1 if manifest.kind == "Deployment" else 0,
        resources=Resources(requests=amounts("requests"), limits=amounts("limits")),
        volumes=tuple(_claim(claim) for claim in spec.get("volumeClaimTemplates", ())),
        claims=(_claim({"spec": spec}),) if manifest.kind == "PersistentVolumeClaim" else (),
        services=int(manifest.kind == "Service"),
    )


class Manifests(Component):
    """Raw Kubernetes objects: created in the namespace, counted in the quota, graphed and policed like any other."""

    kind: Literal["manifests"]
    objects: Annotated[tuple[Manifest, ...], Field(min_length=1)]

    def demand(self) -> tuple[Demand, ...]:
        return tuple(_demand(manifest) for manifest in self.objects)
