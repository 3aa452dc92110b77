"""Rule files: the rules of each component, and for each alert one that fires when the alert's series are missing."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from components.core.rendered import Part
from components.monitoring.contribution import Alert, Monitoring
from config.model.promql import Selector, selectors

BLIND = "SeriesAbsent"
"""The companion alert of every alert, by the label ``watched``."""


class Rule(Part):
    """A recording rule, or an alerting one."""

    record: str | None = None
    alert: str | None = None
    expr: str
    for_: str | None = Field(default=None, alias="for")
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class Group(Part):
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Rule, ...]


class Rules(Part):
    """A rule file."""

    groups: tuple[Group, ...]


def rules(component: str, brought: Monitoring, runbooks: str) -> Rules | None:
    """The component's own file; ``None`` when it brings no rules."""
    records = [Rule(record=recording.record, expr=recording.expr) for recording in brought.recordings]
    alerts = [_alert(component, alert, runbooks) for alert in brought.alerts]
    blind = [_blind(component, alert, runbooks) for alert in brought.alerts]
    all_rules = (*records, *alerts, *blind)
    return Rules(groups=(Group(name=component, rules=all_rules),)) if all_rules else None


def _alert(component: str, alert: Alert, runbooks: str) -> Rule:
    annotations = {
        "summary": alert.summary,
        "description": alert.description,
        "derivation": f"The threshold is {alert.derivation}." if alert.derivation else "",
        "runbook_url": f"{runbooks}/{alert.name}.md",
    }
    return Rule(
        alert=alert.name,
        expr=alert.expr,
        for_=alert.for_ if alert.for_ != "0s" else None,
        labels={"severity": alert.severity, "component": component},
        annotations={key: text for key, text in annotations.items() if text},
    )


def _blind(component: str, alert: Alert, runbooks: str) -> Rule:
    """Returns the companion: without its series an alert would never fire."""
    read: Any = alert.absent or [str(Selector(s.metric, s.equal)) for s in selectors(alert.expr)]
    return Rule(
        alert=BLIND,
        expr=" or ".join(f"absent({selector})" for selector in dict.fromkeys(read)),
        for_="10m",
        labels={"severity": "warning", "component": component, "watched": alert.name},
        annotations={
            "summary": f"{alert.name} of {component} is blind: series that it reads are missing",
            "runbook_url": f"{runbooks}/{BLIND}.md",
        },
    )
