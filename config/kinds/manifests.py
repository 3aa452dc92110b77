"""A user's own Kubernetes objects, for software without a kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from config.model.base import Model
from config.model.component import Component, Demand
from config.model.objects import (
    QUANTITIES,
    amount,
    below,
    claims,
    listed,
    mapping,
    pods,
    ports,
    replicas,
    resources,
    scaler,
    service,
)
from config.model.quantity import Storage
from config.model.scaling import ScaleKind, Scales
from config.reading.scalars import Written

_FLOORS = {"cpu": "10m", "memory": "32M", "storage": "1G"}
"""Floors, as for the sizes of components."""
_COUNTS = ("replicas", "minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount")
_TEXTS = {"labels", "annotations", "matchLabels", "nodeSelector", "stringData", "args", "command"}
"""Fields whose values are strings, whatever type a YAML reader gives them."""


class Manifest(Model):
    """One Kubernetes object, written as for kubectl."""

    model_config = ConfigDict(extra="allow")

    api_version: Annotated[str, Field(min_length=2)]
    kind: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    metadata: dict[str, Any]
    spec: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    scale: tuple[Literal["cpu", "memory", "storage", "replicas"], ...] = ()
    """Quantity kinds that scale inside this object: container resources (cpu, memory), claims (storage), replicas."""

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, body: Any) -> Any:
        """Removes null values; texts stay as they were written, also ``16.10`` and ``0777``."""
        return _normal(body, body.get("kind")) if isinstance(body, dict) else body

    @model_validator(mode="after")
    def _named(self) -> Manifest:
        if not isinstance(self.metadata.get("name"), str):
            raise ValueError("metadata.name is missing")
        if "namespace" in self.metadata:
            raise ValueError("metadata.namespace is the environment's: leave it out")
        values = (self.data, (self.model_extra or {}).get("stringData"))
        if self.kind == "Secret" and any(values):
            raise ValueError("a secret stands in the clear: declare it under 'secrets', and refer to it by its name")
        return self

    def scaled(self, ratios: dict[ScaleKind, Any]) -> Manifest:
        """Returns the object with every quantity of the kinds in ``scale`` scaled; ``ratios`` are the environment's."""
        own_ratios = {kind: ratios[kind] for kind in self.scale if kind in ratios}
        return self.model_copy(update={"spec": _scaled(self.spec, own_ratios)}) if own_ratios else self

    def body(self) -> dict[str, Any]:
        """Returns the object in the form that the API server accepts, without a namespace."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude={"scale"})


def _normal(node: Any, kind: Any, *, text: bool = False) -> Any:
    if isinstance(node, dict):
        texts = {*_TEXTS, *(("data",) if kind == "ConfigMap" else ())}
        named = isinstance(node.get("name"), str)  # a variable of a container
        return {
            key: _normal(item, kind, text=text or key in texts or (key == "value" and named))
            for key, item in node.items()
            if item is not None
        }
    if isinstance(node, list | tuple):
        return [_normal(item, kind, text=text) for item in node]
    if not text:
        return _number(node) if isinstance(node, Written) else node
    if isinstance(node, bool):
        return "true" if node else "false"
    return str(node) if isinstance(node, int | float | Written) else node


def _number(node: Written) -> Any:
    """Returns the value of a field that may be a number or a string: booleans as booleans, numbers as written."""
    return node.value if isinstance(node.value, bool) else str(node)


def _scaled(node: Any, ratios: dict[Any, Any]) -> Any:
    """Scales counts of replicas, and amounts below ``resources``."""
    if isinstance(node, list | tuple):
        return [_scaled(item, ratios) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _scaled(value, ratios) for key, value in node.items()}
    for key in _COUNTS:
        if type(node.get(key)) is int and node[key] > 0 and "replicas" in ratios:
            result[key] = Scales("replicas", floor=1).apply(node[key], ratios["replicas"])
    for part in ("requests", "limits"):
        for name, kind in QUANTITIES.items():
            if name in ratios and (value := amount(kind, below(node, "resources", part, name))) is not None:
                scales = Scales(name, floor=_FLOORS[name])  # type: ignore[arg-type]  # the names of QUANTITIES are kinds
                result["resources"][part][name] = str(scales.apply(value, ratios[name]))
    return result


class Manifests(Component):
    """Raw Kubernetes objects: created in the namespace, counted in the quota, and checked like all others."""

    kind: Literal["manifests"]
    objects: Annotated[tuple[Manifest, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any) -> Any:
        """Replaces a List by its items."""
        if not isinstance(data, dict) or not isinstance(data.get("objects"), list | tuple):
            return data
        objects: list[Any] = []
        for entry in data["objects"]:
            if str(mapping(entry).get("kind")).endswith("List") and isinstance(mapping(entry).get("items"), list):
                scale = {"scale": entry["scale"]} if "scale" in entry else {}
                objects += [{**scale, **item} if isinstance(item, dict) else item for item in entry["items"]]
            else:
                objects.append(entry)
        return {**data, "objects": objects}

    def bodies(self) -> list[dict[str, Any]]:
        """Returns every object in the form that the API server accepts."""
        return [manifest.body() for manifest in self.objects]

    def ports(self) -> dict[str, int]:
        return ports(self.bodies())

    def service_name(self, name: str) -> str:
        own_service = service(self.bodies())
        return str(below(own_service, "metadata", "name")) if own_service else name

    def port(self) -> int | None:
        own_service = service(self.bodies())
        first = next(iter(listed(below(own_service, "spec", "ports"))), None)
        number = below(first, "port")
        return number if isinstance(number, int) else None

    def volumes(self, name: str) -> dict[str, Storage]:
        return {claim: size for body in self.bodies() for claim, size in claims(body).items()}

    def demand(self) -> tuple[Demand, ...]:
        bodies = self.bodies()
        most = dict(scaled for body in bodies if (scaled := scaler(body)))
        return tuple(demand for body in bodies for demand in _demands(body, most))


def _demands(body: dict[str, Any], most: dict[str, int]) -> list[Demand]:
    """Returns the demand of one object: its pods with their volumes, its own claim, or its Service."""
    sizes, demands = tuple(claims(body).values()), []
    if body["kind"] in ("Service", "PersistentVolumeClaim"):
        own = sizes if body["kind"] == "PersistentVolumeClaim" else ()
        services = int(body["kind"] == "Service")
        return [Demand.model_construct(pods=0, surge=0, resources=resources({}), claims=own, services=services)]
    for path, spec in pods(body):
        count, surge = replicas(body, path, most)
        each = body["kind"] == "DaemonSet"
        demands.append(
            Demand.model_construct(
                pods=count, surge=surge, resources=resources(spec), volumes=sizes, services=0, each_node=each
            )
        )
        sizes = ()
    return demands
