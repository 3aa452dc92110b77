"""The policy pack's view of the stack: its declaration, and the resources that were shown before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .identity import Names, names
from .resource import Resource, Unknown, child, walk

ENVIRONMENT = "understudy:environment:Environment"


class Undeclared(Exception):
    """The declaration, or the part of it that a rule needs, is missing. The rule cannot check the resource and fails."""


@dataclass
class Stack:
    """The resources shown so far, which rules read."""

    environment: Resource | None = None
    seen: dict[str, Resource] = field(default_factory=dict)
    """By URN."""
    _kinds: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _objects: dict[tuple[str, ...], dict[str, Resource]] = field(default_factory=dict)
    """By API group, kind, namespace and name of a Kubernetes object."""
    _types: dict[tuple[str, str], Resource] = field(default_factory=dict)
    _selectors: dict[tuple[str, str | None], dict[str, Resource]] = field(default_factory=dict)
    """By kind, and the label ``app`` that it selects; ``None`` for other selectors."""
    _names: Names | None = None
    _networks: frozenset[str] | None = None
    _mesh: Any = False
    """``False`` until it is computed."""

    def show(self, resource: Resource) -> None:
        """Adds a resource, before it is checked."""
        self.seen[resource.urn] = resource
        self._kinds.setdefault(resource.kind, {})[resource.urn] = resource
        self._objects.setdefault(_object(resource), {})[resource.urn] = resource
        self._types[resource.type, resource.name] = resource
        app = resource.get("spec", "selector", "matchLabels", "app")
        self._selectors.setdefault((resource.kind, app if isinstance(app, str) else None), {})[resource.urn] = resource
        if resource.type == ENVIRONMENT:
            self.environment, self._names, self._networks, self._mesh = resource, None, None, False

    def declared(self, *path: str | int) -> Any:
        """A value of the ``Environment`` component's inputs; raises ``Undeclared`` when it is not known."""
        if self.environment is None:
            raise Undeclared("no Environment component was shown: there is no declaration to judge against")
        node: Any = self.environment.props
        for part in path:
            node = child(node, part)
            if isinstance(node, Unknown):
                raise Undeclared(f"{'.'.join(map(str, path))} of the declaration is unknown")
        return node

    def component(self, name: object) -> Mapping[str, Any] | None:
        """Returns the declaration of a component of this environment."""
        declared = self.declared("resolved", "components", str(name))
        return declared if isinstance(declared, Mapping) else None

    def production(self, *path: str | int) -> Any:
        """Returns a value of production's declaration."""
        return self.declared("production", *path)

    @property
    def namespace(self) -> str:
        return str(self.declared("resolved", "environment", "namespace"))

    @property
    def mesh(self) -> Mapping[str, Any] | None:
        """The declaration of the environment's service mesh, if it has one."""
        if self._mesh is False:
            components = self.declared("resolved", "components")
            declared = [self.component(name) for name in (components if components is not None else ())]
            self._mesh = next((c for c in declared if c is not None and child(c, "kind") == "istio"), None)
        mesh: Mapping[str, Any] | None = self._mesh
        return mesh

    @property
    def names(self) -> Names:
        """The names of the other environments."""
        if self._names is None:
            entries, shared = self.declared("identities"), self.declared("shared")
            if entries is None or shared is None:
                raise Undeclared("the declaration does not say what the names of other environments are")
            services = frozenset(
                str(name)
                for side in ("resolved", "production")
                for path, name in walk(self.declared(side, "components"))
                if (path[-1] == "(key)" and len(path) == 2) or path[-2:] == ("metadata", "name")
            )
            self._names = names(entries, str(self.declared("resolved", "environment", "domain")), shared, services)
        return self._names

    @property
    def networks(self) -> frozenset[str]:
        """Returns all networks in the declaration: of components, API server, nodes and DNS."""
        if self._networks is None:
            components = walk(self.declared("resolved", "components"))
            cluster = ("resolved", "environment", "cluster")
            parts = (("apiServerCidrs",), ("nodeCidrs",), ("dns", "cidrs"))
            own = [walk(self.declared(*cluster, *part) or []) for part in parts]
            own.append(walk(self.declared("resolved", "environment", "account", "subnets") or []))
            blocks = {leaf for path, leaf in components if path[-1] == "cidr" and isinstance(leaf, str)}
            self._networks = frozenset(blocks | {leaf for part in own for _, leaf in part if isinstance(leaf, str)})
        return self._networks

    def same_object(self, resource: Resource) -> Resource | None:
        """Another resource seen so far that is the same Kubernetes object: API group, kind, namespace and name are equal."""
        same = self._objects.get(_object(resource), {})
        return next((other for urn, other in same.items() if urn != resource.urn), None)

    def of_kind(self, kind: str) -> list[Resource]:
        """Returns the resources of a kind that were shown so far."""
        return list(self._kinds.get(kind, {}).values())

    def selecting(self, kind: str, app: object) -> list[Resource]:
        """Returns the resources shown so far that may select pods with this label ``app``."""
        keys = {app if isinstance(app, str) else None, None}
        return [resource for key in keys for resource in self._selectors.get((kind, key), {}).values()]

    def named(self, type_: str, name: str) -> Resource | None:
        """Returns the resource of that type and name, when it was shown."""
        return self._types.get((type_, name))


def _object(resource: Resource) -> tuple[str, ...]:
    """Returns API group, kind, namespace and name of a Kubernetes object; for other resources the URN."""
    name = resource.get("metadata", "name")
    if not resource.type.startswith("kubernetes:") or not isinstance(name, str):
        return (resource.urn,)
    group = resource.type.split(":")[1].partition("/")[0]
    return group, resource.kind, str(resource.get("metadata", "namespace")), name
