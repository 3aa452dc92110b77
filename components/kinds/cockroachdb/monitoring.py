"""Alerts and panels on a CockroachDB cluster: https://www.cockroachlabs.com/docs/v23.1/metrics."""

from __future__ import annotations

from collections.abc import Iterator

from components.monitoring.contribution import Alert, Dashboard, Monitoring, Target, panel, rows
from components.monitoring.subject import Subject
from components.monitoring.usage import down


def monitoring(subject: Subject) -> Monitoring:
    """Returns the monitoring from the nodes' metrics, at the port of the admin UI."""
    store = subject.component
    target = Target(store.metrics_port(), "/_status/vars", store.trusted(subject.name), f"{subject.name}-public")
    return Monitoring(target, alerts=tuple(_alerts(subject)), dashboards=(_dashboard(subject),))


def _latency(job: str, quantile: float, window: str = "5m") -> str:
    """Returns the latency in nanoseconds."""
    return f"histogram_quantile({quantile}, sum by (le) (rate(sql_service_latency_bucket{{{job}}}[{window}])))"


def _alerts(subject: Subject) -> Iterator[Alert]:
    store, job = subject.component, subject.job
    yield down(subject, "DatabaseNodeDown", "up", "A node")
    yield Alert(
        "DatabaseRangesUnavailable",
        f"sum(ranges_unavailable{{{job}}}) > 0",
        "critical",
        f"Some data of {subject.name} can be neither read nor written",
        "1m",
        "{{ $value }} ranges have lost their quorum.",
    )
    if store.latency_objective is not None:
        objective = subject.size("latencyObjective", store.latency_objective, "1e9 * {}")
        yield Alert(
            "DatabaseLatencyHigh",
            f"{_latency(job, 0.99)} > {objective.expr}",
            "warning",
            f"Statements of {subject.name} take longer than their users may expect",
            "5m",
            "One in a hundred takes {{ $value | printf `%.0f` }} ns or more.",
            objective.derivation,
        )


def _dashboard(subject: Subject) -> Dashboard:
    store = subject.component
    job = f'{subject.job}, pod=~"$pod"'
    objective = float(store.latency_objective.value) if store.latency_objective else None
    return Dashboard(
        subject.name,
        "Database Performance",
        rows(
            Health=[
                panel(
                    "Live nodes",
                    f"min(liveness_livenodes{{{subject.job}}})",
                    kind="stat",
                    warn=store.nodes,
                    bad="below",
                ),
                panel("Unavailable ranges", f"sum(ranges_unavailable{{{subject.job}}})", kind="stat", warn=1),
                panel("Under-replicated ranges", f"sum(ranges_underreplicated{{{subject.job}}})", kind="stat", warn=1),
                panel(
                    "Space left",
                    f"sum(capacity_available{{{subject.job}}}) / sum(capacity{{{subject.job}}})",
                    unit="percentunit",
                    kind="stat",
                    warn=0.1,
                    bad="below",
                ),
            ],
            Statements=[
                panel(
                    "Statements",
                    *(
                        (f"sum(rate(sql_{kind}_count{{{job}}}[$__rate_interval]))", kind)
                        for kind in ("select", "insert", "update", "delete")
                    ),
                    unit="ops",
                ),
                panel(
                    "Latency of statements",
                    *(
                        (f"{_latency(job, part, '$__rate_interval')} / 1e9", f"p{part * 100:g}")
                        for part in (0.5, 0.95, 0.99)
                    ),
                    unit="s",
                    warn=objective,
                ),
                panel(
                    "Transactions",
                    (f"sum(rate(sql_txn_commit_count{{{job}}}[$__rate_interval]))", "committed"),
                    (f"sum(rate(sql_txn_abort_count{{{job}}}[$__rate_interval]))", "aborted"),
                    unit="ops",
                ),
                panel("Connections", (f"sql_conns{{{job}}}", "{{pod}}")),
            ],
            Nodes=[
                panel(
                    "CPU",
                    (f"sys_cpu_combined_percent_normalized{{{job}}}", "{{pod}}"),
                    unit="percentunit",
                    warn=0.8,
                    description="Share of the node's own CPUs",
                ),
                panel("Memory", (f"sys_rss{{{job}}}", "{{pod}}"), unit="bytes"),
                panel("Data", (f"capacity_used{{{job}}}", "{{pod}}"), unit="bytes"),
                panel("Ranges", (f"ranges{{{job}}}", "{{pod}}")),
            ],
        ),
        pods_of=subject.name,
    )
