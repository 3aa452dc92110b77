"""The monitoring that a component contributes: scrape targets, alerts and dashboards, as plain data.

Prometheus' component writes targets and alerts into its configuration, and Grafana's draws the dashboards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Target:
    """The component's pods, scraped as the job with its name."""

    port: int
    path: str = "/metrics"
    authority: str | None = None
    """The Secret whose ``ca.crt`` verifies the target; ``None``: the target speaks plain HTTP."""
    server_name: str | None = None
    """The name in their certificate."""
    honor_labels: bool = False
    """Whether the target's own ``namespace`` and ``pod`` labels are kept: its series describe other pods."""


@dataclass(frozen=True)
class Recording:
    """A series that is computed once and read by several queries."""

    record: str
    """``level:metric:operations`` (https://prometheus.io/docs/practices/rules/)."""
    expr: str


@dataclass(frozen=True)
class Size:
    """A threshold that depends on the size of the environment."""

    expr: str
    """PromQL that contains the declared value, such as ``0.8 * 2``."""
    derivation: str
    """For people: how the threshold is computed, and its value in production."""


@dataclass(frozen=True)
class Alert:
    """An alerting rule."""

    name: str
    expr: str
    severity: Severity
    summary: str
    for_: str
    description: str = ""
    """May use Prometheus' templates, such as ``{{ $value | humanize }}``."""
    derivation: str = ""
    """The origin of a threshold that depends on the environment's size."""
    absent: tuple[str, ...] = ()
    """Selectors of the series that the alert needs; by default those that its expression reads."""


@dataclass(frozen=True)
class Query:
    """One expression of a panel; ``legend`` is Grafana's, such as ``{{pod}}``."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """A graph or a single number in Grafana."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    """Grafana's id of a unit."""
    kind: Literal["timeseries", "stat"] = "timeseries"
    warn: float | None = None
    """The threshold: a line in a graph, a colour of a number."""
    bad: Literal["above", "below"] = "above"
    description: str = ""


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    """A page of Grafana."""

    uid: str
    title: str
    rows: tuple[Row, ...]
    pods_of: str | None = None
    """The job whose pods the variable ``$pod`` lists."""


@dataclass(frozen=True)
class Monitoring:
    """The monitoring of one component."""

    target: Target | None = None
    recordings: tuple[Recording, ...] = ()
    alerts: tuple[Alert, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()

    def __add__(self, other: Monitoring) -> Monitoring:
        return Monitoring(
            self.target or other.target,
            self.recordings + other.recordings,
            self.alerts + other.alerts,
            self.dashboards + other.dashboards,
        )


def panel(title: str, *queries: tuple[str, str] | str, **more: object) -> Panel:
    """Returns a panel from expressions, or pairs of expression and legend."""
    parsed = (Query(*query) if isinstance(query, tuple) else Query(query) for query in queries)
    return Panel(title, tuple(parsed), **more)  # type: ignore[arg-type]  # the fields of Panel, by name


def rows(**panels: Iterable[Panel]) -> tuple[Row, ...]:
    """Returns rows by heading; an underscore becomes a space."""
    return tuple(Row(title.replace("_", " "), tuple(row_panels)) for title, row_panels in panels.items())


def dashboards(contributed: Mapping[str, Monitoring]) -> dict[str, tuple[Dashboard, ...]]:
    """Returns component to its dashboards; titles that occur twice get the component's name."""
    titles = [dashboard.title for monitoring in contributed.values() for dashboard in monitoring.dashboards]
    return {
        name: tuple(
            Dashboard(d.uid, d.title if titles.count(d.title) == 1 else f"{d.title} ({name})", d.rows, d.pods_of)
            for d in monitoring.dashboards
        )
        for name, monitoring in contributed.items()
        if monitoring.dashboards
    }
