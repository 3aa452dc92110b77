"""AuthorizationPolicies from the declaration: only ``uses`` and the gateway's hosts allow calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.core.labels import selector
from components.core.network import client_ports
from config.derivation.mesh_topology import exposed, metrics, principal, runs_here, users
from config.kinds import Istio, Jaeger
from config.system import Resolved


def policies(resolved: Resolved) -> dict[str, Any]:
    """Returns name to spec.

    ``default-deny`` (an ALLOW policy without rules allows nothing), and one for each called component.
    """
    specs: dict[str, Any] = {"default-deny": {}}
    for name in resolved.components:
        if runs_here(resolved, name) and (rules := list(_rules(resolved, name))):
            specs[name] = {"selector": {"matchLabels": selector(name)}, "action": "ALLOW", "rules": rules}
    return specs


def signed_in(name: str, provider: str, gateway: str) -> Any:
    """Returns the rule that requires a signed-in user; the service's own proxy enforces it, whatever the route."""
    return {
        "selector": {"matchLabels": selector(name)},
        "action": "CUSTOM",
        "provider": {"name": provider},
        "rules": [{"from": [{"source": {"principals": [gateway]}}]}],
    }


def gateway(resolved: Resolved) -> str:
    """Returns the principal of the ingress gateway."""
    return principal(resolved, resolved.environment.cluster.ingress_namespace, Istio.ingress_name)


def _rules(resolved: Resolved, name: str) -> Iterator[Any]:
    component, namespace = resolved.components[name], resolved.environment.namespace
    ports = component.ports()
    numbers = client_ports(component)

    def rule(principals: list[str], open_ports: list[int]) -> Any:
        return {
            "from": [{"source": {"principals": principals}}],
            "to": [{"operation": {"ports": [str(port) for port in open_ports]}}],
        }

    def own(*names: str) -> list[str]:
        return [principal(resolved, namespace, key) for key in names]

    if (callers := users(resolved, name)) and numbers:
        yield rule(own(*callers), numbers)
    # its helpers are Jobs with a separate account
    if (component.clustered or component.helpers(name)) and ports:
        yield rule(own(name), sorted(set(ports.values())))
    if (readers := metrics(resolved, name)) and (port := component.metrics_port()):
        yield rule(own(*readers), [port])
    if exposed(resolved, name) and numbers:
        yield rule([gateway(resolved)], numbers[:1])


def traced(resolved: Resolved, name: str) -> str | None:
    """Returns the component that receives the proxy's spans: a used collector."""
    for used in resolved.components[name].uses:
        if isinstance(other := resolved.components[used], Jaeger) and other.otlp and runs_here(resolved, used):
            return used
    return None
