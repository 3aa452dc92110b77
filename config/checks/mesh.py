"""Requirements of a service mesh on a system's declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.kinds import (
    CloudWatchExporter,
    DataSync,
    External,
    Istio,
    LoadBalancer,
    MeshGateway,
    OAuth2Proxy,
    OpenSearch,
    Service,
)
from config.kinds.aws import Aurora, Managed
from config.kinds.mesh import VirtualHost
from config.kinds.workload import Workload
from config.model.component import Component
from config.paths import Path
from config.system import ENDPOINT, System

from .telemetry import Finding


def meshing(system: System) -> Iterator[Finding]:
    """Yields the mistakes; most of these checks concern only systems with a mesh."""
    components = system.components
    meshes = [name for name, component in components.items() if isinstance(component, Istio)]
    for name in meshes[1:]:
        yield ("components", name), f"a second mesh, beside {meshes[0]!r}", "an environment has one"
    for name, component in components.items():
        here: Path = ("components", name)
        match component:
            case Istio():
                yield from _istio(here, component, system)
            case MeshGateway():
                yield from _gateway(here, component, system, meshed=bool(meshes))
            case Service() if component.canary and not meshes:
                yield (
                    (*here, "canary"),
                    "a canary needs a mesh, which gives it its share",
                    "add a component of kind istio",
                )
            case External() if not meshes and component.cidr is None:
                message = "cidr is missing: without a mesh NetworkPolicies know networks, not host names"
                yield here, message, "add 'cidr:', the network it answers from"
            case OAuth2Proxy():
                yield from _provider(here, component, components)
            case _:
                pass
        if meshes and component.egress:
            message = "a mesh lets nothing out that has no name"
            yield (*here, "egress"), message, "declare a component of kind external, and use it"
    yield from _workloads(system)
    yield from _configuration(system)


def _istio(here: Path, istio: Istio, system: System) -> Iterator[Finding]:
    if not isinstance(system.components.get(istio.balancer), LoadBalancer):
        balancers = [name for name, c in system.components.items() if isinstance(c, LoadBalancer)]
        yield (*here, "balancer"), f"{istio.balancer!r} is no load balancer", f"one of {', '.join(balancers) or 'none'}"
    own = (istio.control_namespace, istio.agent_namespace, istio.egress_namespace)
    for name, environment in system.environments.items():
        at: Path = ("environments", name, "cluster", "ingressNamespace")
        if environment.cluster.ingress_namespace in own:
            yield at, f"{environment.cluster.ingress_namespace!r} is the mesh's own", "istio-ingress, for example"


def _gateway(here: Path, gateway: MeshGateway, system: System, *, meshed: bool) -> Iterator[Finding]:
    components = system.components
    if not meshed:
        yield here, "there is no mesh whose gateway it could be", "add a component of kind istio"
    led = {host for c in components.values() if isinstance(c, LoadBalancer) for host in c.hosts}
    for index, entry in enumerate(gateway.hosts):
        at: Path = (*here, "hosts", index)
        if led and entry.host not in led:
            yield (
                (*at, "host"),
                f"no load balancer leads {entry.host!r} here",
                f"add it to one's hosts: {', '.join(sorted(led))}",
            )
        yield from _routes(at, entry, components)
        if entry.authentication and not isinstance(components.get(entry.authentication), OAuth2Proxy):
            yield (*at, "authentication"), f"{entry.authentication!r} is of no kind oauth2-proxy", "name one that is"
    limit = gateway.rate_limit
    if limit and limit.multiplier:
        value = system.configuration.data.get(limit.multiplier)
        if value is None or not value.isdigit() or int(value) < 1:
            message = (
                f"multiplies by {limit.multiplier}, which is {value!r} in the configuration: no whole number above 0"
            )
            yield (*here, "rateLimit", "multiplier"), message, "declare it under configuration.data"


def _routes(at: Path, entry: VirtualHost, components: Mapping[str, Component]) -> Iterator[Finding]:
    for number, route in enumerate(entry.routes):
        target = components.get(route.to)
        if target is None:
            yield (*at, "routes", number), f"leads to {route.to!r}, which is not declared", "name a component"
        elif target.port() is None or (isinstance(target, Managed) and not isinstance(target, OpenSearch)):
            yield (*at, "routes", number), f"leads to {route.to!r}, which answers no browser", "name a service"
        elif entry.authentication and entry.authentication not in target.uses:
            message = f"asks {entry.authentication!r} who it is, which {route.to!r} does not use"
            fix = f"add {entry.authentication!r} to {route.to}.uses: its proxy asks"
            yield (*at, "authentication"), message, fix


def _provider(here: Path, proxy: OAuth2Proxy, components: Mapping[str, Component]) -> Iterator[Finding]:
    external_hosts = {
        host for used in proxy.uses if isinstance(c := components.get(used), External) for host in c.hosts
    }
    if proxy.issuer.partition("/")[0] not in external_hosts:
        message = f"the issuer {proxy.issuer!r} is no host of a component of kind external that it uses"
        yield (*here, "issuer"), message, "declare it, with the hosts of its tokens and keys"


def _workloads(system: System) -> Iterator[Finding]:
    """Yields mistakes about the order of workloads, and about workloads with an AWS role but without an AWS account."""
    components = system.components
    added = [(name, c) for e in system.environments.values() for change in e.changes for name, c in change.add.items()]
    for name, component in (*components.items(), *added):
        here: Path = ("components", name)
        if isinstance(component, Workload):
            for waited in component.waits_for:
                other = components.get(waited)
                if other is None or other.kind != "job":
                    yield (*here, "waitsFor"), f"waits for {waited!r}, which is no job", "name a component of kind job"
        if isinstance(component, CloudWatchExporter | DataSync):
            yield from _acting(here, component, system)


def _acting(here: Path, component: CloudWatchExporter | DataSync, system: System) -> Iterator[Finding]:
    """Yields mistakes about components that act in the account: their stores, and where they are."""
    components = system.components
    if isinstance(component, DataSync):
        target = components.get(component.database)
        if not isinstance(target, Aurora) or target.engine != "postgresql":
            yield (*here, "database"), f"{component.database!r} is no database of Aurora PostgreSQL", "name one"
        if component.database not in component.uses:
            yield (*here, "uses"), f"does not use {component.database!r}, whose data it replaces", "add it to 'uses'"
    else:
        for store in component.stores:
            if not isinstance(components.get(store), Managed):
                yield (*here, "stores"), f"{store!r} is no store that AWS manages", "name one"
    for environment, settings in system.environments.items():
        if settings.account is None:
            message = f"'account' is missing, in which {here[-1]!r} acts"
            yield ("environments", environment), message, "add 'account:'"


def _configuration(system: System) -> Iterator[Finding]:
    data = system.configuration.data
    for key, text in data.items():
        for match in ENDPOINT.finditer(text):
            target = system.components.get(match["component"])
            at: Path = ("configuration", "data", key)
            if not isinstance(target, Managed):
                yield at, f"{match[0]} is of no store of the platform", "name a component that AWS manages"
            elif match["part"] == "reader" and not target.has_reader:
                yield at, f"{match[0]}: {match['component']!r} has no endpoint for readers", "use .host"
    for name, keys in system.configuration.also.items():
        for key in keys:
            if key not in data:
                yield (
                    ("configuration", "also", name),
                    f"holds {key!r}, which the configuration lacks",
                    "declare it in data",
                )
