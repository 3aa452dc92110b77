"""Alerts and panels on RabbitMQ, from its own plugin (https://www.rabbitmq.com/docs/prometheus)."""

from __future__ import annotations

from collections.abc import Iterator

from components.monitoring.contribution import Alert, Dashboard, Monitoring, Target, panel, rows
from components.monitoring.subject import Subject
from components.monitoring.usage import down


def monitoring(subject: Subject) -> Monitoring:
    """Returns the monitoring from the metrics of each node."""
    return Monitoring(
        Target(subject.component.metrics_port()), alerts=tuple(_alerts(subject)), dashboards=(_dashboard(subject),)
    )


def _alerts(subject: Subject) -> Iterator[Alert]:
    job = subject.job
    yield down(subject, "BrokerNodeDown", "up", "A node")
    yield Alert(
        "BrokerPublishersBlocked",
        " or ".join(
            f"max by (pod) (rabbitmq_alarms_{alarm}_watermark{{{job}}}) > 0"
            for alarm in ("memory_used", "free_disk_space")
        ),
        "critical",
        f"{subject.name} accepts no messages: a node has too little memory or disk space",
        "1m",
        "{{ $labels.pod }} has an alarm; publishers wait on every node until it is gone.",
    )
    yield Alert(
        "QueueWithoutConsumers",
        f"sum(rabbitmq_queue_messages_ready{{{job}}}) > 0 unless sum(rabbitmq_queue_consumers{{{job}}}) > 0",
        "warning",
        f"Messages of {subject.name} wait, and nothing consumes them",
        "10m",
        "{{ $value }} messages wait.",
    )


def _dashboard(subject: Subject) -> Dashboard:
    job = f'{subject.job}, pod=~"$pod"'
    store = subject.component

    def rate(metric: str) -> str:
        return f"sum(rate({metric}{{{job}}}[$__rate_interval]))"

    return Dashboard(
        subject.name,
        "RabbitMQ",
        rows(
            Health=[
                panel("Nodes", f"sum(up{{{subject.job}}})", kind="stat", warn=store.nodes, bad="below"),
                panel("Messages ready", f"sum(rabbitmq_queue_messages_ready{{{job}}})", kind="stat"),
                panel("Consumers", f"sum(rabbitmq_queue_consumers{{{job}}})", kind="stat"),
                panel("Connections", f"sum(rabbitmq_connections{{{job}}})", kind="stat"),
            ],
            Messages=[
                panel(
                    "Messages",
                    (rate("rabbitmq_global_messages_received_total"), "published"),
                    (rate("rabbitmq_global_messages_acknowledged_total"), "acknowledged"),
                    (rate("rabbitmq_global_messages_redelivered_total"), "delivered again"),
                    unit="ops",
                ),
                panel(
                    "In queues",
                    (f"sum(rabbitmq_queue_messages_ready{{{job}}})", "ready"),
                    (f"sum(rabbitmq_queue_messages_unacked{{{job}}})", "unacknowledged"),
                ),
            ],
            Nodes=[
                panel(
                    "Memory",
                    (f"rabbitmq_process_resident_memory_bytes{{{job}}}", "{{pod}}"),
                    (f"max(rabbitmq_resident_memory_limit_bytes{{{job}}})", "limit"),
                    unit="bytes",
                ),
                panel("Free disk space", (f"rabbitmq_disk_space_available_bytes{{{job}}}", "{{pod}}"), unit="bytes"),
            ],
        ),
        pods_of=subject.name,
    )
