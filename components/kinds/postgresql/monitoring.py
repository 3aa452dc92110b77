"""Alerts and panels on PostgreSQL, from https://github.com/prometheus-community/postgres_exporter."""

from __future__ import annotations

from collections.abc import Iterator

from components.monitoring.contribution import Alert, Dashboard, Monitoring, Target, panel, rows
from components.monitoring.subject import Subject
from components.monitoring.usage import down


def monitoring(subject: Subject) -> Monitoring:
    """Returns the monitoring from the exporter beside each node."""
    return Monitoring(
        Target(subject.component.metrics_port()), alerts=tuple(_alerts(subject)), dashboards=(_dashboard(subject),)
    )


def _alerts(subject: Subject) -> Iterator[Alert]:
    job = subject.job
    yield down(subject, "DatabaseNodeDown", "pg_up", "A node")
    yield Alert(
        "DatabaseConnectionsHigh",
        f"sum by (pod) (pg_stat_activity_count{{{job}}}) / max by (pod) (pg_settings_max_connections{{{job}}}) > 0.8",
        "warning",
        f"More than 80 % of the connections that {subject.name} allows are in use",
        "5m",
        "{{ $labels.pod }}: {{ $value | humanizePercentage }} are in use.",
    )


def _dashboard(subject: Subject) -> Dashboard:
    job = f'{subject.job}, pod=~"$pod"'
    rate = f"{{{job}}}[$__rate_interval]))"
    hit = f"sum(rate(pg_stat_database_blks_hit{rate}"
    return Dashboard(
        subject.name,
        "Database Performance",
        rows(
            Health=[
                panel(
                    "Nodes up", f"sum(pg_up{{{subject.job}}})", kind="stat", warn=subject.component.nodes, bad="below"
                ),
                panel(
                    "Replication lag",
                    f"max(pg_replication_lag_seconds{{{subject.job}}})",
                    unit="s",
                    kind="stat",
                    warn=30,
                ),
                panel(
                    "Cache hit rate",
                    f"{hit} / ({hit} + sum(rate(pg_stat_database_blks_read{rate})",
                    unit="percentunit",
                    kind="stat",
                    warn=0.95,
                    bad="below",
                ),
                panel(
                    "Size",
                    f"sum(max by (datname) (pg_database_size_bytes{{{subject.job}}}))",
                    unit="bytes",
                    kind="stat",
                ),
            ],
            Statements=[
                panel(
                    "Transactions",
                    (f"sum(rate(pg_stat_database_xact_commit{rate}", "committed"),
                    (f"sum(rate(pg_stat_database_xact_rollback{rate}", "rolled back"),
                    unit="ops",
                ),
                panel(
                    "Rows",
                    *(
                        (f"sum(rate(pg_stat_database_tup_{kind}{rate}", kind)
                        for kind in ("fetched", "inserted", "updated", "deleted")
                    ),
                    unit="ops",
                ),
                panel("Connections", (f"sum by (state) (pg_stat_activity_count{{{job}}})", "{{state}}")),
                panel("Locks", (f"sum by (mode) (pg_locks_count{{{job}}})", "{{mode}}")),
            ],
        ),
        pods_of=subject.name,
    )
