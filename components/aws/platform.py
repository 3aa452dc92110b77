"""Creates the components of the account one after another; each receives the earlier components that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi

from config.order import order

from .aurora import Aurora
from .bucket import Bucket
from .cdn import Cdn
from .client_vpn import ClientVpn
from .context import AwsContext, PlatformComponent
from .documentdb import DocumentDB
from .eks import Eks
from .elasticache import ElastiCache
from .istio import Istio
from .load_balancer import LoadBalancer
from .msk import Msk
from .network import Network
from .opensearch import OpenSearch
from .rights import workload_roles
from .stores import Placement
from .zone import Zone

T = TypeVar("T", bound=PlatformComponent)
Store = Aurora | DocumentDB | ElastiCache | Msk | OpenSearch


@dataclass(frozen=True)
class Platform:
    """The components created so far, by name, in the order of their creation."""

    components: Mapping[str, PlatformComponent]

    def of_kind(self, kind: type[T]) -> dict[str, T]:
        """Returns the components of one kind, by name."""
        return {name: component for name, component in self.components.items() if isinstance(component, kind)}

    def first(self, kind: type[T]) -> T | None:
        """Returns the first component of a kind; ``None`` when there is none."""
        return next(iter(self.of_kind(kind).values()), None)

    def only(self, kind: type[T]) -> T:
        """Returns the only component of a kind; ``config.checks.addresses`` requires those that others depend on."""
        [component] = self.of_kind(kind).values()
        return component

    def bucket(self, name: str) -> Bucket:
        """Returns a bucket."""
        return self.of_kind(Bucket)[name]

    def placement(self) -> Placement:
        """Returns the place of stores: the data subnets, reached by the cluster's pods."""
        network = self.only(Network)
        return Placement(network.vpc.id, network.ids("data"), self.only(Eks).security_group)

    def values(self) -> dict[str, Any]:
        """Returns the values for an application, ``config.model.platform.Platform`` with outputs in it."""
        cluster, balancer = self.first(Eks), self.first(LoadBalancer)
        stores = [(name, component) for name, component in self.components.items() if isinstance(component, Store)]
        return {
            **({"cluster": cluster.access} if cluster else {}),
            "endpoints": {name: store.endpoint for name, store in stores},
            "targetGroups": balancer.target_groups if balancer else {},
        }

    def outputs(self) -> dict[str, Any]:
        """Returns outputs of the stack for people: the zone's name servers, the VPN's configuration."""
        zone, vpn = self.first(Zone), self.first(ClientVpn)
        return {
            **({"nameServers": zone.zone.name_servers} if zone else {}),
            **({"vpn": vpn.profile} if vpn else {}),
        }


Build = Callable[[str, Any, AwsContext, Platform, pulumi.ResourceOptions], PlatformComponent]
BUILDERS: Mapping[str, Build] = {
    "network": lambda name, declared, context, _, opts: Network(name, declared, context, opts),
    "zone": lambda name, _, context, __, opts: Zone(name, context, opts),
    "bucket": lambda name, declared, context, platform, opts: Bucket(
        name, declared, context, platform.bucket(declared.logs) if declared.logs else None, opts
    ),
    "eks": lambda name, declared, context, platform, opts: Eks(
        name, declared, context, platform.only(Network), platform.only(Zone), opts
    ),
    "client-vpn": lambda name, declared, context, platform, opts: ClientVpn(
        name, declared, context, platform.only(Network), platform.only(Eks), opts
    ),
    "load-balancer": lambda name, declared, context, platform, opts: LoadBalancer(
        name,
        declared,
        context,
        platform.only(Network),
        platform.only(Eks),
        platform.only(Zone),
        platform.bucket(declared.logs),
        opts,
    ),
    "cdn": lambda name, declared, context, platform, opts: Cdn(
        name,
        declared,
        context,
        platform.bucket(declared.bucket),
        platform.bucket(declared.logs),
        platform.only(Zone),
        opts,
    ),
    "istio": lambda name, declared, context, platform, opts: Istio(
        name, declared, context, platform.only(Eks), platform.only(LoadBalancer), opts
    ),
    "aurora": lambda name, declared, context, platform, opts: Aurora(
        name, declared, context, platform.placement(), opts
    ),
    "documentdb": lambda name, declared, context, platform, opts: DocumentDB(
        name, declared, context, platform.placement(), opts
    ),
    "elasticache": lambda name, declared, context, platform, opts: ElastiCache(
        name, declared, context, platform.placement(), opts
    ),
    "msk": lambda name, declared, context, platform, opts: Msk(name, declared, context, platform.placement(), opts),
    "opensearch": lambda name, declared, context, platform, opts: OpenSearch(
        name, declared, context, platform.placement(), opts
    ),
}
"""Kind to its constructor, with what it needs of the components before it."""


def build(context: AwsContext, opts: pulumi.ResourceOptions) -> Platform:
    """Creates every component of the platform layer, and the roles of the application's pods."""
    components: dict[str, PlatformComponent] = {}
    for name in order(context.resolved.components):
        declared = context.resolved.components[name]
        if declared.layer == "platform" and not declared.existing:
            components[name] = BUILDERS[declared.kind](name, declared, context, Platform(dict(components)), opts)
    platform = Platform(components)
    keys = {name: database.key_arn for name, database in platform.of_kind(Aurora).items()}
    if cluster := platform.first(Eks):
        workload_roles(context, cluster, platform.of_kind(Bucket), keys)
    return platform
