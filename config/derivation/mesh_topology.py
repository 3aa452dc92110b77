"""Connections in a mesh: the source of NetworkPolicies, AuthorizationPolicies and the reachability matrix."""

from __future__ import annotations

from config.kinds import Bucket, External, Istio, MeshGateway, Prometheus, Service
from config.kinds.aws import Managed
from config.model.component import Component
from config.system import Resolved

POD_IDENTITY = "169.254.170.23/32"
"""Link-local address of the agent that gives a pod its role's credentials (Amazon EKS User Guide, "EKS Pod Identities")."""


def mesh(resolved: Resolved) -> Istio | None:
    """Returns the environment's mesh, if it has one."""
    named = named_mesh(resolved)
    return named[1] if named else None


def named_mesh(resolved: Resolved) -> tuple[str, Istio] | None:
    """Returns the environment's mesh and the component that declares it."""
    meshes = ((name, c) for name, c in resolved.components.items() if isinstance(c, Istio) and not c.existing)
    return next(meshes, None)


def gateway(resolved: Resolved) -> tuple[str, MeshGateway] | None:
    """Returns the hosts at the mesh's ingress gateway, and the component that declares them."""
    return next(((name, c) for name, c in resolved.components.items() if isinstance(c, MeshGateway)), None)


def gateway_targets(resolved: Resolved) -> tuple[str, ...]:
    """Returns components that the hosts at the mesh's ingress gateway route to."""
    declared = gateway(resolved)
    return declared[1].targets() if declared else ()


def stores_outside(resolved: Resolved) -> dict[str, Component]:
    """Returns the used components outside the mesh that have an address: managed stores and external stores."""
    used = {name for key, c in resolved.components.items() if runs_here(resolved, key) for name in c.uses}
    used |= {name for name in gateway_targets(resolved) if isinstance(resolved.components[name], Managed)}
    return {
        name: component
        for name, component in resolved.components.items()
        if name in used and component.port() and (component.existing or isinstance(component, Managed))
    }


def runs_here(resolved: Resolved, name: str) -> bool:
    """Returns whether the component has pods in the environment's namespace."""
    component = resolved.components[name]
    return component.namespaced and component.existing is None


def exposed(resolved: Resolved, name: str) -> bool:
    """Returns whether the ingress gateway routes to the component."""
    component, entrance = resolved.components[name], gateway(resolved)
    return (isinstance(component, Service) and component.exposed) or (
        entrance is not None and name in entrance[1].targets()
    )


def metrics(resolved: Resolved, name: str) -> tuple[str, ...]:
    """Returns the components that read the component's metrics."""
    if resolved.components[name].metrics_port() is None:
        return ()
    return tuple(key for key, other in resolved.components.items() if isinstance(other, Prometheus) and key != name)


def users(resolved: Resolved, name: str) -> tuple[str, ...]:
    """Returns the components of the namespace that use the component."""
    return tuple(key for key, other in resolved.components.items() if name in other.uses and runs_here(resolved, key))


def exits(resolved: Resolved) -> dict[str, dict[str, int]]:
    """Returns the external hosts that components call, with ports, by component.

    External services and buckets have their own names; AWS APIs have the name of the calling component.
    """
    hosts: dict[str, dict[str, int]] = {}
    for name in resolved.components:
        if runs_here(resolved, name):
            hosts |= _exits(resolved, name)
    return hosts


def outside(resolved: Resolved, name: str) -> dict[str, int]:
    """Returns host to port of the external destinations that one component calls."""
    return {host: port for hosts in _exits(resolved, name).values() for host, port in hosts.items()}


def _exits(resolved: Resolved, name: str) -> dict[str, dict[str, int]]:
    account, component = resolved.environment.account, resolved.components[name]
    hosts: dict[str, dict[str, int]] = {}
    for used in component.uses:
        match resolved.components[used]:
            case External(existing=None) as external:
                hosts[used] = dict.fromkeys(external.hosts, external.tcp_port)
            case Bucket() as bucket if account:
                hosts[used] = {f"{bucket.name}.s3.{account.region}.amazonaws.com": 443}
    if account and component.hosts_of_aws:
        hosts[name] = {f"{service}.{account.region}.amazonaws.com": 443 for service in component.hosts_of_aws}
    return hosts


def has_role(resolved: Resolved, name: str) -> bool:
    """Returns whether the component's pods use an AWS role."""
    component = resolved.components[name]
    return bool(component.hosts_of_aws) or any(isinstance(resolved.components[u], Bucket) for u in component.uses)


def principal(resolved: Resolved, namespace: str, account: str) -> str:
    """Returns the mesh's name of a service account; the trust domain is the environment's domain."""
    return f"{resolved.environment.domain}/ns/{namespace}/sa/{account}"
