"""What may be declared of metrics, logs and traces."""

from __future__ import annotations

from typing import Any

import pytest

from config.checks.warnings import warnings
from config.derivation.derive import derive
from config.errors import ConfigError
from config.kinds import Prometheus
from config.loader import load, parse
from config.order import order
from tests.systems import WATCHED, minimal, system

Replacement = tuple[str, str]
ELASTIC = """\
  elastic:
    kind: elasticsearch
    version: 8.11.1
    retention: 10d
    storage: 10Gi
    resources: {requests: {cpu: 1, memory: 2Gi}, limits: {cpu: 1, memory: 2Gi}}
    password: {secret: app, key: token}
    writerPassword: {secret: app, key: db}
    readerPassword: {secret: app, key: internal}
    kibanaPassword: {secret: app, key: grafana}
  pipe: {kind: logstash, version: 8.11.1, resources: {requests: {cpu: 1}, limits: {cpu: 1}}, uses: [elastic]}
configuration:
"""


def answer(*replacements: Replacement) -> str:
    try:
        declared = parse(minimal(*WATCHED, *replacements), "shop.yaml")
        for environment in declared.environments:
            derive(declared, environment)
    except ConfigError as error:
        return str(error)
    return ""


def line(text: str, *replacements: Replacement) -> int:
    """Where that line of the file is."""
    lines = minimal(*WATCHED, *replacements).splitlines()
    return next(index for index, found in enumerate(lines, 1) if text in found)


def test_the_small_system_is_right() -> None:
    assert answer() == ""


@pytest.mark.parametrize(
    ("replacements", "said"),
    [
        ([("uses: [watch, loki]", "uses: [watch, db]")], "uses 'db', of kind postgresql: not a data source"),
        ([("uses: [watch, loki]", "uses: [watch, lokki]")], "did you mean 'loki'?"),
        ([("uses: [tell]", "uses: [db]")], "it sends alerts to Alertmanagers"),
        ([("      nodeCidrs: [10.1.8.0/21]\n", "")], "nodeCidrs is missing"),
        ([("{kind: alloy, version: v1.4.3, uses: [loki]}", "{kind: alloy, version: v1.4.3}")], "uses no loki"),
        (
            [("listens: {http: 8080, metrics: 9090}", "listens: {http: 8080, metrics: 8080}")],
            "port 8080 is both 'http' and",
        ),
        ([("listens: {http: 8080, metrics: 9090}", "listens: {http: 8080}")], "listens has no port 'metrics'"),
        ([('expr: sum(rate(orders_total{job="web"}[5m])) < 0.1', "expr: sum(orders_total")], "not PromQL"),
        ([("      OrdersStopped:", "      orders-stopped:")], "web.alerts"),
        ([("runbooks: https://wiki.example.com/runbooks", "runbooks: wiki")], "runbooks"),
        ([('channel: "#alerts"', "channel: alerts")], "channel"),
        ([("retention: 30d", "retention: thirty")], "retention"),
        (
            [("slack: {given: true, optional: true}", "slack: {length: 20, optional: true}")],
            "optional is about given values",
        ),
        ([("configuration:\n  data", f"{ELASTIC}  data")], "its logs go nowhere: 'pipe' waits for them"),
        (
            [
                ("configuration:\n  data", f"{ELASTIC}  data"),
                ("readerPassword: {secret: app, key: internal}", "readerPassword: {secret: app, key: db}"),
            ],
            "two of its users have the same password",
        ),
        (
            [
                ("configuration:\n  data", f"{ELASTIC}  data"),
                ("limits: {cpu: 1}}, uses: [elastic]}", "limits: {cpu: 1}}}"),
            ],
            "uses no elasticsearch",
        ),
        ([("    storage: 40Gi\n", "    storage: 40Gi\n    uses: [show]\n")], "each waits for the other"),
    ],
)
def test_a_mistake_is_named(replacements: list[Replacement], said: str) -> None:
    found = answer(*replacements)
    assert said in found
    assert "shop.yaml:" in found


def test_a_mistake_has_its_line() -> None:
    mistake = ("uses: [watch, loki]", "uses: [watch, db]")
    assert f"shop.yaml:{line(mistake[1], mistake)}:" in answer(mistake)


def found(*replacements: Replacement, environment: str = "staging") -> list[tuple[str, str]]:
    return list(warnings(derive(system(*WATCHED, *replacements), environment)[0]))


def test_no_warning_without_a_reason() -> None:
    assert found() == []
    assert list(warnings(derive(load("spacetime"), "staging")[0])) == []


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        (
            ("storage: 100Gi", "storage: 20Gi"),
            ("watch", "100000 series every 15s for 15d take about 18G, and the volume has 5Gi"),
        ),
        (("    uses: [tell]\n", ""), ("watch", "uses no alertmanager")),
        (("sum(rate(orders_total", "sum(rate(order_total"), ("web", "alert 'OrdersStopped' reads 'order_total'")),
        (('    slack: {url: {secret: alerting, key: slack}, channel: "#alerts"}\n', ""), ("tell", "has no receiver")),
    ],
)
def test_warnings(replacement: Replacement, expected: tuple[str, str] | None) -> None:
    shown = found(replacement)
    if expected is None:
        assert shown == []
    else:
        [(component, text)] = shown
        assert component == expected[0]
        assert text.startswith(expected[1])


def test_alerts_that_nobody_watches() -> None:
    text = minimal(*WATCHED).replace("kind: prometheus", "kind: loki")
    for field in ("    runbooks: https://wiki.example.com/runbooks\n", "    uses: [tell]\n"):
        text = text.replace(field, "")
    text = text.replace("uses: [watch, loki]", "uses: [loki]")
    resolved = derive(parse(text, "shop.yaml"), "staging")[0]
    assert ("web", "declares alerts, and no prometheus is declared to watch them") in list(warnings(resolved))


@pytest.mark.parametrize(("series", "days", "gigabytes"), [(100_000, 30, 35), (100_000, 15, 18), (1_000, 1, 1)])
def test_what_series_take(series: int, days: int, gigabytes: int) -> None:
    """Series by seconds kept / 15 by 2 bytes: Prometheus' documentation, Operational aspects."""
    prometheus: Any = derive(system(*WATCHED), "production")[0].components["watch"]
    assert isinstance(prometheus, Prometheus)
    changed = prometheus.model_copy(
        update={"series": series, "retention": type(prometheus.retention).parse(f"{days}d")}
    )
    assert str(changed.needed()) == f"{gigabytes}G"


def test_order_is_by_need_and_then_as_declared() -> None:
    names = order(load("spacetime").components)
    for earlier, later in (
        ("alertmanager", "prometheus"),
        ("prometheus", "grafana"),
        ("elasticsearch", "kibana"),
        ("cockroachdb", "game-server"),
    ):
        assert names.index(earlier) < names.index(later)
