"""The environment: everything else is its child.

Its inputs carry what was decided: the resolved environment and production's, the derivation, the names of the other
environments, the declared peak. Policies and live comparisons read them from the stack itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from config.base import Stateful
from config.capacity import peak
from config.derive import derive
from config.fidelity import statement
from config.identity import identities
from config.provenance import BASE, Derived
from config.stack import Stack
from config.system import Resolved, System

from .builders import BUILDERS, Site
from .certificates import Certificates
from .configuration import Configuration
from .namespace import Namespace
from .secrets import Secrets


@dataclass(frozen=True)
class EnvironmentArgs:
    """What an environment is made from."""

    system: System
    resolved: Resolved
    derivation: Mapping[str, Derived]
    """Path to where the value comes from."""
    stack: Stack
    cluster: str
    """The identity of the cluster (SHA-256 of its authority, or UID of kube-system): the provider belongs to it."""


class Environment(pulumi.ComponentResource):
    """Providers, namespace, configuration, secrets, and a child for every component that has a builder."""

    outputs: dict[str, Any]
    """The stack's outputs: namespace, endpoints (component to ``host:port``), names of secrets, fidelity statement."""

    def __init__(self, name: str, args: EnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        resolved = args.resolved
        differences = [
            d.model_dump(mode="json", exclude_none=True) for d in args.derivation.values() if d.rule != "same"
        ]
        production, _ = derive(args.system, BASE)
        inputs = {
            "resolved": _dump(resolved),
            BASE: _dump(production),
            "derivation": differences,
            "identities": [identity.model_dump() for identity in identities(args.system, resolved.environment.name)],
            "shared": [value for entry in args.system.shared for value in entry.values],
            "images": dict(args.stack.images),
            "peak": peak(resolved).hard(),
            "productionPeak": peak(production).hard(),
            "fidelity": statement(resolved, args.derivation, BUILDERS.keys()),
            "cluster": args.cluster,
        }
        super().__init__("understudy:environment:Environment", name, inputs, opts)
        cluster = kubernetes.Provider(
            "cluster",
            cluster_identifier=args.cluster,
            context=args.stack.context,
            enable_server_side_apply=True,
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        generator = random.Provider("generator", opts=pulumi.ResourceOptions(parent=self))
        children = pulumi.ResourceOptions(parent=self, providers=[cluster, generator])
        namespace = Namespace("namespace", resolved, opts=children)
        inside = pulumi.ResourceOptions.merge(children, pulumi.ResourceOptions(depends_on=[namespace]))
        configuration = Configuration("configuration", resolved, opts=inside)
        secrets = Secrets("secrets", resolved, args.stack, opts=inside)
        certificates = Certificates("certificates", resolved, opts=inside)
        site = Site(resolved, args.stack, configuration, secrets, certificates)
        ready = pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[configuration, secrets]))
        _build(site, ready)
        outputs: dict[str, Any] = {
            "namespace": namespace.name,
            "endpoints": _endpoints(resolved),
            "secretNames": sorted(resolved.secrets),
            "fidelity": inputs["fidelity"],
        }
        self.outputs = outputs
        self.register_outputs(outputs)


def _dump(resolved: Resolved) -> dict[str, Any]:
    return resolved.model_dump(mode="json", by_alias=True, exclude_none=True)


def _build(site: Site, opts: pulumi.ResourceOptions) -> None:
    """Every component that has a builder: the stores first, so that their users start, and roll, after them."""
    stores: dict[str, pulumi.Resource] = {}
    components = site.resolved.components
    for key in sorted(components, key=lambda key: not isinstance(components[key], Stateful)):
        component, build = components[key], BUILDERS.get(components[key].kind)
        if build is None or component.existing:
            continue
        used = [stores[name] for name in component.uses if name in stores]
        made = build(key, component, site, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=used)))
        if isinstance(component, Stateful):
            stores[key] = made


def _endpoints(resolved: Resolved) -> dict[str, str]:
    namespace = resolved.environment.namespace
    return {
        name: f"{component.host(name, namespace)}:{port}"
        for name, component in resolved.components.items()
        if (port := component.port()) is not None and (component.existing or component.kind in BUILDERS)
    }
