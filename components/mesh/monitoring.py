"""Alerts and panels on requests between services (rate, errors, duration), from Istio's proxies.

The series are those of https://istio.io/latest/docs/reference/config/metrics/.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.monitoring.contribution import Dashboard, Monitoring, Panel, Row, panel
from components.monitoring.subject import Subject
from config.derivation.mesh_topology import exposed, mesh, runs_here, users
from config.kinds import Service

_WINDOW = "[$__rate_interval]"


def monitoring(subject: Subject) -> Monitoring:
    """Returns a row for each called service, and one of refused requests."""
    resolved = subject.resolved
    if mesh(resolved) is None:
        return Monitoring()
    called = [
        name
        for name, component in resolved.components.items()
        if isinstance(component, Service)
        and runs_here(resolved, name)
        and (users(resolved, name) or exposed(resolved, name))
    ]
    service_rows = tuple(Row(resolved.components[name].title or name, tuple(_service(name))) for name in called)
    return Monitoring(
        dashboards=(Dashboard("mesh", "Service Mesh", (*service_rows, Row("Refused", tuple(_refused())))),)
    )


def _service(name: str) -> Iterator[Panel]:
    """Selects requests as the service's own proxy reported them; requests that never arrived are missing."""
    own = f'reporter="destination", destination_canonical_service="{name}"'
    rate = f"sum by (source_canonical_service) (rate(istio_requests_total{{{own}}}{_WINDOW}))"
    yield panel("Requests by caller", (rate, "{{source_canonical_service}}"), unit="reqps")
    errors = f'sum (rate(istio_requests_total{{{own}, response_code=~"5.."}}{_WINDOW}))'
    requests = f"sum (rate(istio_requests_total{{{own}}}{_WINDOW}))"
    yield panel("Errors", f"{errors} / {requests}", unit="percentunit", warn=0.01)
    buckets = f"sum by (le) (rate(istio_request_duration_milliseconds_bucket{{{own}}}{_WINDOW}))"
    quantiles = [(f"histogram_quantile({part}, {buckets})", f"p{part * 100:g}") for part in (0.5, 0.95, 0.99)]
    yield panel("Duration", *quantiles, unit="ms", warn=200)


def _refused() -> Iterator[Panel]:
    for title, code in (("Not allowed (403)", "403"), ("Over the rate limit (429)", "429")):
        refused = f'istio_requests_total{{reporter="destination", response_code="{code}"}}'
        rate = f"sum by (destination_canonical_service) (rate({refused}{_WINDOW}))"
        yield panel(title, (rate, "{{destination_canonical_service}}"), unit="reqps")
