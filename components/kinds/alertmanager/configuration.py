"""Alertmanager's own configuration: https://prometheus.io/docs/alerting/0.27/configuration/."""

from __future__ import annotations

from collections.abc import Collection

from components.core.rendered import Part
from config.kinds import Alertmanager

SECRETS = "/etc/alertmanager/secrets"
NOBODY = "null"
"""The receiver without a notification channel."""


class HttpConfig(Part):
    """HTTP settings of a receiver."""

    proxy_url: str


class SlackConfig(Part):
    """A message in a channel."""

    api_url_file: str
    channel: str
    send_resolved: bool = True
    title: str
    text: str
    color: str
    http_config: HttpConfig | None = None


class PagerDutyConfig(Part):
    """An incident."""

    routing_key_file: str
    severity: str
    description: str
    details: dict[str, str]
    http_config: HttpConfig | None = None


class Receiver(Part):
    """A receiver and its notification channels."""

    name: str
    slack_configs: tuple[SlackConfig, ...] | None = None
    pagerduty_configs: tuple[PagerDutyConfig, ...] | None = None


class Route(Part):
    """A route from alerts to a receiver; the first match applies."""

    receiver: str
    matchers: tuple[str, ...] | None = None
    group_by: tuple[str, ...] | None = None
    group_wait: str | None = None
    group_interval: str | None = None
    repeat_interval: str | None = None
    routes: tuple[Route, ...] | None = None


class InhibitRule(Part):
    """A rule that mutes alerts while a more severe one fires."""

    source_matchers: tuple[str, ...]
    target_matchers: tuple[str, ...]
    equal: tuple[str, ...]


class Configuration(Part):
    """``alertmanager.yml``."""

    route: Route
    inhibit_rules: tuple[InhibitRule, ...]
    receivers: tuple[Receiver, ...]


_LABELS = "{{ .CommonLabels.alertname }} · {{ .CommonLabels.component }} · {{ .CommonLabels.environment }}"
_TITLE = f"[{{{{ .Status | toUpper }}}}] {_LABELS}"
_TEXT = (
    "{{ range .Alerts }}*{{ .Annotations.summary }}* {{ .Annotations.description }}\n"
    "{{ .Annotations.derivation }}\n{{ .Annotations.runbook_url }}\n{{ end }}"
)
_COLOUR = (
    '{{ if ne .Status "firing" }}good{{ else if eq .CommonLabels.severity "critical" }}danger{{ else }}warning{{ end }}'
)


def configuration(alertmanager: Alertmanager, there: Collection[str], secrets: str = SECRETS) -> Configuration:
    """Routes alerts by severity: critical to PagerDuty and Slack, warnings to Slack, info to no channel.

    ``there``: receivers whose secret the stack has; other receivers are left out.
    """
    proxy = HttpConfig(proxy_url=alertmanager.proxy) if alertmanager.proxy else None
    slack = pagerduty = None
    if alertmanager.slack and "slack" in there:
        slack = SlackConfig(
            api_url_file=f"{secrets}/{alertmanager.slack.url.key}",
            channel=alertmanager.slack.channel,
            title=_TITLE,
            text=_TEXT,
            color=_COLOUR,
            http_config=proxy,
        )
    if alertmanager.pagerduty and "pagerduty" in there:
        pagerduty = PagerDutyConfig(
            routing_key_file=f"{secrets}/{alertmanager.pagerduty.routing_key.key}",
            severity="critical",
            description="{{ .CommonAnnotations.summary }}",
            details={
                "environment": "{{ .CommonLabels.environment }}",
                "runbook": "{{ .CommonAnnotations.runbook_url }}",
            },
            http_config=proxy,
        )
    critical = Receiver(
        name="critical",
        slack_configs=(slack,) if slack else None,
        pagerduty_configs=(pagerduty,) if pagerduty else None,
    )
    warning = Receiver(name="warning", slack_configs=(slack,) if slack else None)
    receivers = {
        "critical": critical if slack or pagerduty else None,
        "warning": warning if slack else None,
    }
    repeat = {"critical": "1h", "warning": "12h"}
    return Configuration(
        route=Route(
            receiver=NOBODY,
            group_by=("alertname", "component"),
            group_wait="30s",
            group_interval="5m",
            repeat_interval="12h",
            routes=tuple(
                Route(
                    receiver=severity if receiver else NOBODY,
                    matchers=(f'severity="{severity}"',),
                    repeat_interval=repeat[severity],
                )
                for severity, receiver in receivers.items()
            ),
        ),
        inhibit_rules=(
            # a component that is down is also slow, full and without series: one message is enough
            InhibitRule(
                source_matchers=('severity="critical"',),
                target_matchers=('severity=~"warning|info"',),
                equal=("component",),
            ),
            # a target that is down has no series, and its alert already fires
            InhibitRule(
                source_matchers=('alertname="TargetDown"',),
                target_matchers=('alertname="SeriesAbsent"',),
                equal=("job",),
            ),
        ),
        receivers=(Receiver(name=NOBODY), *(receiver for receiver in receivers.values() if receiver)),
    )
