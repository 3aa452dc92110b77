"""Alerts and panels on Redis, from redis_exporter (https://github.com/oliver006/redis_exporter)."""

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


def _latency(job: str, window: str) -> str:
    """Returns the mean duration of all commands, in seconds."""
    spent = f"sum by (pod) (rate(redis_commands_duration_seconds_total{{{job}}}[{window}]))"
    return f"{spent} / sum by (pod) (rate(redis_commands_total{{{job}}}[{window}]))"


def _alerts(subject: Subject) -> Iterator[Alert]:
    store, job = subject.component, subject.job
    yield down(subject, "RedisInstanceDown", "redis_up", "An instance")
    if store.nodes > 1:
        replicas = subject.size("nodes", store.nodes, "{} - 1", "one less than {}")
        yield Alert(
            "RedisReplicasMissing",
            f"max(redis_connected_slaves{{{job}}}) < {replicas.expr}",
            "warning",
            f"A replica does not follow the master of {subject.name}",
            "5m",
            "{{ $value }} replicas follow it; with none it takes no writes.",
            replicas.derivation,
        )
    if store.latency_objective is not None:
        objective = subject.size("latencyObjective", store.latency_objective)
        yield Alert(
            "RedisLatencyHigh",
            f"{_latency(job, '5m')} > {objective.expr}",
            "warning",
            f"Commands of {subject.name} take longer than their users may expect",
            "5m",
            "In the mean a command takes {{ $value | humanizeDuration }}.",
            objective.derivation,
        )


def _dashboard(subject: Subject) -> Dashboard:
    store = subject.component
    job = f'{subject.job}, pod=~"$pod"'
    hits = f"sum(rate(redis_keyspace_hits_total{{{job}}}[$__rate_interval]))"
    misses = f"sum(rate(redis_keyspace_misses_total{{{job}}}[$__rate_interval]))"
    refused = f"sum(rate(redis_rejected_connections_total{{{job}}}[$__rate_interval]))"
    rejected = panel("Rejected connections", refused, kind="stat", unit="ops", warn=1)
    objective = float(store.latency_objective.value) if store.latency_objective else None
    return Dashboard(
        subject.name,
        "Redis Performance",
        rows(
            Health=[
                panel("Instances up", f"sum(redis_up{{{subject.job}}})", kind="stat", warn=store.nodes, bad="below"),
                panel(
                    "Replicas of the master",
                    f"max(redis_connected_slaves{{{subject.job}}})",
                    kind="stat",
                    warn=1,
                    bad="below",
                ),
                panel(
                    "Hit rate", f"{hits} / ({hits} + {misses})", unit="percentunit", kind="stat", warn=0.8, bad="below"
                ),
                rejected,
            ],
            Commands=[
                panel(
                    "Commands",
                    (f"sum by (pod) (rate(redis_commands_processed_total{{{job}}}[$__rate_interval]))", "{{pod}}"),
                    unit="ops",
                ),
                panel("Mean latency", (_latency(job, "$__rate_interval"), "{{pod}}"), unit="s", warn=objective),
                panel("Hits and misses", (hits, "hits"), (misses, "misses"), unit="ops"),
                panel("Clients", (f"redis_connected_clients{{{job}}}", "{{pod}}")),
            ],
            Memory=[
                panel(
                    "Memory",
                    (f"redis_memory_used_bytes{{{job}}}", "{{pod}}"),
                    (f"max(redis_memory_max_bytes{{{job}}})", "maxmemory"),
                    unit="bytes",
                ),
                panel("Keys", (f"sum by (pod) (redis_db_keys{{{job}}})", "{{pod}}")),
                panel(
                    "Expired and evicted",
                    (f"sum(rate(redis_expired_keys_total{{{job}}}[$__rate_interval]))", "expired"),
                    (f"sum(rate(redis_evicted_keys_total{{{job}}}[$__rate_interval]))", "evicted"),
                    unit="ops",
                ),
                panel("Replication offset", (f"redis_master_repl_offset{{{job}}}", "{{pod}}"), unit="bytes"),
            ],
        ),
        pods_of=subject.name,
    )
