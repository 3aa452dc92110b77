"""Checks the environments' networks, names and zones against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations

from config.kinds import Bucket, Cdn, ClientVpn, Eks, LoadBalancer, MeshGateway, Network, Zone
from config.kinds.aws import Managed, Platform
from config.model.account import TIERS, Account
from config.paths import Path, render
from config.system import Environment, System

from .telemetry import Finding

_NEEDED_BY: Mapping[type[Platform], tuple[type[Platform], ...]] = {
    Network: (Managed, Eks, LoadBalancer, ClientVpn),
    Eks: (Managed, LoadBalancer, ClientVpn),
    Zone: (Eks, LoadBalancer, Cdn),
}
"""Kinds that need a cluster: it reaches the stores, and its external-dns writes the zone's records."""


def addresses(system: System) -> Iterator[Finding]:
    """Yields the mistakes in networks, names and zones; none for systems without an AWS account."""
    for name, environment in system.environments.items():
        at: Path = ("environments", name)
        if environment.account:
            yield from _account((*at, "account"), environment.account)
            yield from _zones((*at, "account", "zones"), environment.account, system)
            vpn = next((name for name, c in system.components.items() if isinstance(c, ClientVpn)), None)
            if vpn and environment.account.vpn_cidr is None:
                yield (
                    (*at, "account"),
                    f"'vpnCidr' is missing, which {vpn!r} needs",
                    "add 'vpnCidr:', people's addresses",
                )
        elif any(isinstance(component, Platform) for component in system.components.values()):
            yield at, "'account' is missing: the system has components on AWS", "add 'account:'"
    yield from _several(system)
    yield from _buckets(system)
    for (left, one), (right, other) in combinations(system.environments.items(), 2):
        yield from _apart(left, one, right, other)


def _account(at: Path, account: Account) -> Iterator[Finding]:
    account_network = IPv4Network(account.cidr)
    for tier in TIERS:
        if (count := len(getattr(account.subnets, tier))) != len(account.zones):
            message = f"{count} networks for {len(account.zones)} zones"
            yield (*at, "subnets", tier), message, "give each zone one"
    own: list[tuple[Path, str]] = list(account.subnets.all())
    for field, network in own:
        if not IPv4Network(network).subnet_of(account_network):
            yield (*at, *field), f"{network} is not inside {account.cidr}", "choose one that cidr holds"
    if account.vpn_cidr:
        own.append((("vpnCidr",), account.vpn_cidr))
        yield from _vpn((*at, "vpnCidr"), IPv4Network(account.vpn_cidr), account_network)
    for (left, one), (right, other) in combinations(own, 2):
        if IPv4Network(one).overlaps(IPv4Network(other)):
            yield (*at, *right), f"{other} overlaps {render(left)} {one}", "an address can be in one of them only"
    if "0.0.0.0/0" in account.public_access_cidrs:
        yield (*at, "publicAccessCidrs"), "0.0.0.0/0 is everybody", "name the networks that deploy from"


def _vpn(at: Path, network: IPv4Network, whole: IPv4Network) -> Iterator[Finding]:
    if not 12 <= network.prefixlen <= 22:
        yield at, f"AWS Client VPN takes networks between /12 and /22, not {network}", "choose a larger one"
    if network.overlaps(whole):
        yield at, f"{network} overlaps cidr {whole}", "choose addresses outside"


def _zones(at: Path, account: Account, system: System) -> Iterator[Finding]:
    zones = len(account.zones)
    for name, component in system.components.items():
        if isinstance(component, Managed) and min(component.nodes, 3) > zones:
            message = f"{zones} zones for the {component.nodes} nodes of {name!r}"
            yield at, message, "a zone each, or the loss of one zone is the loss of most nodes"
        if isinstance(component, Network) and component.nat_gateways > zones:
            fix = f"{zones} at most"
            yield ("components", name, "natGateways"), f"{component.nat_gateways} gateways for {zones} zones", fix


def _several(system: System) -> Iterator[Finding]:
    """Yields mistakes about kinds that may occur once (network, cluster, zone) or that others require."""
    for kind, word in ((Network, "network"), (Eks, "eks"), (Zone, "zone")):
        names = [name for name, component in system.components.items() if isinstance(component, kind)]
        for name in names[1:]:
            yield ("components", name), f"a second {word}, beside {names[0]!r}", "an environment has one"
        if not names:
            for name, component in system.components.items():
                if isinstance(component, _NEEDED_BY[kind]) and not component.existing:
                    yield (
                        ("components", name),
                        f"the system declares no {word} for it",
                        f"add a component of kind {word}",
                    )


def _buckets(system: System) -> Iterator[Finding]:
    """Yields mistakes about buckets that other components name: they exist, and are of the required type."""
    buckets = {name: c.receives_logs for name, c in system.components.items() if isinstance(c, Bucket)}
    for name, component in system.components.items():
        for field, logs in (("bucket", False), ("logs", True)):
            named = getattr(component, field, None)
            if isinstance(component, Platform) and named is not None and buckets.get(named) is not logs:
                fix = f"one of {', '.join(sorted(n for n, receives in buckets.items() if receives is logs)) or 'none'}"
                what = "that receives logs" if logs else "that others read"
                yield ("components", name, field), f"{named!r} is no bucket {what}", fix


def _apart(left: str, one: Environment, right: str, other: Environment) -> Iterator[Finding]:
    at: Path = ("environments", right)
    if one.domain == other.domain:
        yield (
            (*at, "domain"),
            f"{other.domain!r} is {left}'s domain",
            f"a domain of its own, such as {right}.{one.domain}",
        )
    yield from _nodes(left, one, right, other)
    if not (one.account and other.account):
        return
    if one.account.id == other.account.id:
        message = f"{other.account.id} is {left}'s account"
        yield (*at, "account", "id"), message, "isolation needs an account of its own"
    for _, mine in one.account.networks():
        for field, theirs in other.account.networks():
            if IPv4Network(mine).overlaps(IPv4Network(theirs)):
                message = f"{theirs} overlaps {left}'s {mine}"
                yield (*at, "account", *field), message, "networks that may meet one day must not share addresses"


def _nodes(left: str, one: Environment, right: str, other: Environment) -> Iterator[Finding]:
    """Compares the nodes' networks: two clusters have separate networks, and one cluster has the same."""
    if set(one.cluster.node_cidrs) == set(other.cluster.node_cidrs):
        return
    for mine in one.cluster.node_cidrs:
        for index, theirs in enumerate(other.cluster.node_cidrs):
            if IPv4Network(mine).overlaps(IPv4Network(theirs)):
                field: Path = ("environments", right, "cluster", "nodeCidrs", index)
                yield (
                    field,
                    f"{theirs} overlaps {left}'s nodes {mine}",
                    "give each cluster's nodes a network of their own",
                )


def hosts(component: object) -> Iterator[tuple[Path, str]]:
    """Yields field and name of the host names of a component."""
    if isinstance(component, LoadBalancer):
        for index, host in enumerate(component.hosts):
            yield ("hosts", index), host
    elif isinstance(component, Cdn):
        yield ("hostName",), component.host_name
    elif isinstance(component, MeshGateway):
        for index, entry in enumerate(component.hosts):
            yield ("hosts", index, "host"), entry.host


def whose(system: System, environment: str, host: str, cidr: str | None) -> str | None:
    """Returns the other environment that the host, or an address of the network, belongs to."""
    own = system.environments[environment]
    if host == own.domain or host.endswith(f".{own.domain}"):
        return None
    for name, other in system.environments.items():
        if name == environment:
            continue
        networks = [*other.cluster.node_cidrs, *([other.account.cidr] if other.account else [])]
        inside = cidr and any(IPv4Network(cidr).overlaps(IPv4Network(network)) for network in networks)
        if inside or host == other.domain or host.endswith(f".{other.domain}"):
            return name
    return None
