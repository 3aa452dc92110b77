"""Every alert fires when it should, is quiet when it should, and says when it is blind: by Prometheus' own tool."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kinds.prometheus.rules import BLIND
from components.monitoring.contribution import Alert
from config.model.promql import selectors, threshold
from tests.components.watching import SYSTEMS, alerts, watched
from tests.servers import require

pytestmark = pytest.mark.servers

Series = Mapping[str, str]
"""Series to values, one a minute."""
Case = Callable[[str, Any], tuple[Series, Series]]
"""Component's name and declaration to what makes an alert fire, and what is just not enough."""
LAST = 30
"""Minutes."""


def _down(metric: str) -> Case:
    def case(name: str, component: Any) -> tuple[Series, Series]:
        quiet = {f'{metric}{{job="{name}", pod="{name}-{index}"}}': "1x30" for index in range(component.nodes)}
        return {**quiet, f'{metric}{{job="{name}", pod="{name}-0"}}': "0x30"}, quiet

    return case


def _one(series: str, firing: str, quiet: str) -> Case:
    def case(name: str, component: Any) -> tuple[Series, Series]:
        return {series.format(name): firing}, {series.format(name): quiet}

    return case


def _cpu(name: str, component: Any) -> tuple[Series, Series]:
    limit = component.resources.limits.cpu.value
    series = f'container_cpu_usage_seconds_total{{pod="{name}-0", container="{name}"}}'
    return {series: f"0+{float(limit * 60 * 81 / 100)}x30"}, {series: f"0+{float(limit * 60 * 79 / 100)}x30"}


def _memory(name: str, component: Any) -> tuple[Series, Series]:
    limit = component.resources.limits.memory.value
    series = f'container_memory_working_set_bytes{{pod="{name}-0", container="{name}"}}'
    return {series: f"{int(limit * 9 / 10) + 1}x30"}, {series: f"{int(limit * 9 / 10)}x30"}


def _disk(name: str, component: Any) -> tuple[Series, Series]:
    claims = sorted(component.volumes(name))
    capacity = {f'kubelet_volume_stats_capacity_bytes{{persistentvolumeclaim="{claim}"}}': "100x30" for claim in claims}
    free = [f'kubelet_volume_stats_available_bytes{{persistentvolumeclaim="{claim}"}}' for claim in claims]
    quiet = {**capacity, **dict.fromkeys(free, "10x30")}
    return {**quiet, free[-1]: "9x30"}, quiet


def _replicas(name: str, component: Any) -> tuple[Series, Series]:
    least = component.disruption_minimum() if component.kind == "service" else 1
    series = f'kube_deployment_status_replicas_available{{deployment="{name}"}}'
    return {series: f"{least - 1}x30"}, {series: f"{least}x30"}


def _sql_latency(name: str, component: Any) -> tuple[Series, Series]:
    nanoseconds = int(component.latency_objective.value * 1_000_000_000)
    bucket = f'sql_service_latency_bucket{{job="{name}", le="%s"}}'
    slow = {bucket % nanoseconds: "0x30", bucket % (2 * nanoseconds): "0+60x30", bucket % "+Inf": "0+60x30"}
    return slow, dict.fromkeys(slow, "0+60x30")


def _redis_latency(name: str, component: Any) -> tuple[Series, Series]:
    labels = f'{{job="{name}", pod="{name}-0", cmd="get"}}'
    commands = {f"redis_commands_total{labels}": "0+600x30"}
    spent = f"redis_commands_duration_seconds_total{labels}"
    objective = float(component.latency_objective.value)
    return {**commands, spent: f"0+{601 * objective}x30"}, {**commands, spent: f"0+{599 * objective}x30"}


def _connections(name: str, component: Any) -> tuple[Series, Series]:
    most = {f'pg_settings_max_connections{{job="{name}", pod="{name}-0"}}': "100x30"}
    used = f'pg_stat_activity_count{{job="{name}", pod="{name}-0", state="%s"}}'
    quiet = {**most, used % "active": "40x30", used % "idle": "40x30"}
    return {**quiet, used % "active": "41x30"}, quiet


def _replicas_of_master(name: str, component: Any) -> tuple[Series, Series]:
    series = f'redis_connected_slaves{{job="{name}", pod="{name}-%s"}}'
    others = {series % 1: "0x30", series % 2: "0x30"}
    return {**others, series % 0: "1x30"}, {**others, series % 0: "2x30"}


def _series(name: str, component: Any) -> tuple[Series, Series]:
    series = f'prometheus_tsdb_head_series{{job="{name}"}}'
    return {series: f"{component.series + 1}x30"}, {series: f"{component.series}x30"}


def _errors(name: str, component: Any) -> tuple[Series, Series]:
    """Of 10 000 requests 101, or 99, are errors."""
    series = 'http_requests_total{{job="backend", status="{}"}}'.format
    return {series(200): "0+9899x30", series(500): "0+101x30"}, {series(200): "0+9901x30", series(500): "0+99x30"}


def _latency(name: str, component: Any) -> tuple[Series, Series]:
    """Of 100 requests 6, or 4, take longer than half a second."""
    bucket = 'http_request_duration_seconds_bucket{{job="backend", le="{}"}}'.format
    return (
        {bucket("0.5"): "0+94x30", bucket("1"): "0+100x30", bucket("+Inf"): "0+100x30"},
        {bucket("0.5"): "0+96x30", bucket("1"): "0+100x30", bucket("+Inf"): "0+100x30"},
    )


def _restarts(name: str, component: Any) -> tuple[Series, Series]:
    series = 'kube_pod_container_status_restarts_total{container="backend", pod="backend-0"}'
    return {series: "0x5 1x5 2x5 3x5 5x10"}, {series: "0x5 1x5 2x20"}


def _failed(name: str, component: Any) -> tuple[Series, Series]:
    known, failed = {f'kube_job_info{{job_name="{name}-1"}}': "1x30"}, f'kube_job_status_failed{{job_name="{name}-1"}}'
    return {**known, failed: "1x30"}, {**known, failed: "0x30"}


def _stale(name: str, component: Any) -> tuple[Series, Series]:
    """The test's clock begins in 1970: the last success was long before it, or is now."""
    series = f'kube_cronjob_status_last_successful_time{{cronjob="{name}"}}'
    age = int(component.maximum_age.value)
    return {series: f"{-age}x30"}, {series: f"{LAST * 60 - age}x30"}


def _blocked(name: str, component: Any) -> tuple[Series, Series]:
    alarm = f'rabbitmq_alarms_%s_watermark{{job="{name}", pod="{name}-0"}}'
    quiet = {alarm % "memory_used": "0x30", alarm % "free_disk_space": "0x30"}
    return {**quiet, alarm % "free_disk_space": "1x30"}, quiet


def _unconsumed(name: str, component: Any) -> tuple[Series, Series]:
    series = f'rabbitmq_queue_%s{{job="{name}", pod="{name}-0"}}'
    ready = {series % "messages_ready": "5x30"}
    return {**ready, series % "consumers": "0x30"}, {**ready, series % "consumers": "1x30"}


def _of_a_store(name: str, component: Any) -> tuple[Series, Series]:
    raise AssertionError("made from the alert itself: its limit is its store's")


def _store(alert: Alert) -> tuple[Series, Series]:
    """Just beyond the limit, and just at it."""
    found = threshold(alert.expr)
    assert found is not None
    [selector] = selectors(alert.expr)
    step = -1 if found[0].startswith("<") else 1
    return {str(selector): f"{found[1] + step:g}x30"}, {str(selector): f"{found[1]:g}x30"}


_OF_STORES = (
    "StoreCPUHigh",
    "ReplicaLagHigh",
    "CacheMemoryHigh",
    "PartitionsUnderReplicated",
    "BrokerDiskFull",
    "SearchClusterRed",
    "SearchStorageLow",
)


CASES: Mapping[str, Mapping[str, Case]] = {
    "DatabaseNodeDown": {"cockroachdb": _down("up"), "postgresql": _down("pg_up")},
    "DatabaseRangesUnavailable": {"cockroachdb": _one('ranges_unavailable{{job="{}"}}', "1x30", "0x30")},
    "DatabaseLatencyHigh": {"cockroachdb": _sql_latency},
    "DatabaseConnectionsHigh": {"postgresql": _connections},
    "RedisInstanceDown": {"redis": _down("redis_up")},
    "RedisReplicasMissing": {"redis": _replicas_of_master},
    "RedisLatencyHigh": {"redis": _redis_latency},
    "BrokerNodeDown": {"rabbitmq": _down("up")},
    "BrokerPublishersBlocked": {"rabbitmq": _blocked},
    "QueueWithoutConsumers": {"rabbitmq": _unconsumed},
    "HighCPUUsage": {"": _cpu},
    "HighMemoryUsage": {"": _memory},
    "DiskSpaceLow": {"": _disk},
    "ReplicasUnavailable": {"": _replicas},
    "TargetDown": {"": _one('up{{job="anything"}}', "0x30", "1x30")},
    "SeriesAboveDeclared": {"": _series},
    "NotificationsFailing": {
        "": _one('alertmanager_notifications_failed_total{{job="{}", integration="slack"}}', "0+1x30", "3x30")
    },
    "LowFPS": {"": _one('game_server_fps{{job="{}"}}', "59x30", "60x30")},
    "HighErrorRate": {"": _errors},
    "HighLatency": {"": _latency},
    "PodRestarting": {"": _restarts},
    "JobFailed": {"": _failed},
    "DataStale": {"": _stale},
    **{alert: {"": _of_a_store} for alert in _OF_STORES},
    "OrdersStopped": {"": _one('orders_total{{job="{}"}}', "0+5x30", "0+7x30")},
}
"""Alert, and kind where that makes a difference, to its case."""


def _count(alert: str, labels: str, minute: int, expected: bool) -> Any:
    expr = f'count(ALERTS{{alertname="{alert}", {labels}, alertstate="firing"}}) > bool 0'
    return {
        "expr": expr,
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": "{}", "value": 1}] if expected else [],
    }


def _tests(component: str, alert: Alert, firing: Series, quiet: Series) -> list[Any]:
    own = f'component="{component}"'
    blind = f'{own}, watched="{alert.name}"'

    def test(what: str, series: Series, *expected: Any) -> Any:
        found = [{"series": name, "values": values} for name, values in series.items()]
        name = f"{component} {alert.name} {what}"
        return {"name": name, "interval": "1m", "input_series": found, "promql_expr_test": list(expected)}

    return [
        test("fires", firing, _count(alert.name, own, LAST, expected=True), _count(BLIND, blind, LAST, expected=False)),
        test(
            "is quiet", quiet, _count(alert.name, own, LAST, expected=False), _count(BLIND, blind, LAST, expected=False)
        ),
        test("is blind", {}, _count(alert.name, own, LAST, expected=False), _count(BLIND, blind, LAST, expected=True)),
    ]


def _case(name: str, component: str, alert: Alert) -> tuple[Series, Series]:
    if alert.name in _OF_STORES:
        return _store(alert)
    declared = watched(name).declared(component)
    cases = CASES[alert.name]
    return cases[declared.kind if declared.kind in cases else ""](component, declared)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_rules_are_rules(system: str, environment: str, tmp_path: Path) -> None:
    require("promtool")
    watched(system, environment).write(tmp_path / "config")
    files = sorted((tmp_path / "config" / "rules").iterdir())
    result = subprocess.run(
        ["promtool", "check", "rules", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("SUCCESS") == len(files)


@pytest.mark.parametrize(("system", "component"), sorted({(name, component) for name, component, _ in alerts()}))
def test_fires_is_quiet_and_is_blind(system: str, component: str, tmp_path: Path) -> None:
    brought = [alert for name, own, alert in alerts() if (name, own) == (system, component)]
    tests = [test for alert in brought for test in _tests(component, alert, *_case(system, component, alert))]
    _passes(tests, system, component, tmp_path)


def _passes(tests: list[Any], system: str, component: str, folder: Path, interval: str = "1m") -> None:
    """By the component's rules, beside those that record."""
    require("promtool")
    watched(system).write(folder / "config")
    files = [str(folder / "config" / "rules" / f"{name}.yml") for name in {component, watched(system).name}]
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": files, "evaluation_interval": interval, "tests": tests}))
    result = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_it_waits_as_long_as_it_says(tmp_path: Path) -> None:
    """``for``: two minutes of few frames are told, one is not."""
    series = [{"series": 'game_server_fps{job="game-server"}', "values": "59x30"}]
    own = 'component="game-server"'
    expected = [_count("LowFPS", own, 1, expected=False), _count("LowFPS", own, 3, expected=True)]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": expected}
    _passes([test], "spacetime", "game-server", tmp_path, "15s")


def test_every_alert_has_a_case() -> None:
    assert CASES.keys() == {alert.name for _, _, alert in alerts()}


def test_what_the_seed_asks_for_is_there() -> None:
    """Seed ``spacetime``, Prometheus Alerts: condition, time and severity."""
    found = {(c, a.name): a for s, c, a in alerts() if s == "spacetime"}
    expected = {
        ("cockroachdb", "DatabaseNodeDown"): ("critical", "1m", "< 3"),
        ("redis", "RedisInstanceDown"): ("critical", "1m", "< 3"),
        ("cockroachdb", "HighCPUUsage"): ("warning", "5m", "> 0.8 * 2"),
        ("game-server", "HighCPUUsage"): ("warning", "5m", "> 0.8 * 1"),
        ("redis", "HighMemoryUsage"): ("warning", "5m", "> 0.9 * 2000000000"),
        ("game-server", "LowFPS"): ("warning", "2m", "< 60"),
        ("redis", "DiskSpaceLow"): ("warning", "5m", "< 0.1"),
    }
    for key, (severity, lasting, end) in expected.items():
        assert (found[key].severity, found[key].for_) == (severity, lasting)
        assert found[key].expr.endswith(end)


def test_what_quikapps_seed_asks_for_is_there() -> None:
    """Seed ``quikapp``, ``prometheus/staging-alerts.yaml``: exactly as given."""
    shown = {
        r["alert"]: r
        for r in yaml.safe_load(watched("quikapp").rules()["prometheus"])["groups"][0]["rules"]
        if "alert" in r
    }
    expected = {
        "HighErrorRate": (
            'sum(rate(http_requests_total{status=~"5.."}[5m])) /\nsum(rate(http_requests_total[5m])) > 0.01',
            "5m",
            "High error rate in staging",
        ),
        "HighLatency": (
            "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) > 0.5",
            "5m",
            "High latency in staging",
        ),
        "PodRestarting": (
            "increase(kube_pod_container_status_restarts_total[1h]) > 3",
            None,
            "Pod restarting frequently",
        ),
    }
    for name, (expr, lasting, summary) in expected.items():
        rule = shown[name]
        assert (rule["expr"], rule.get("for"), rule["labels"]["severity"]) == (expr, lasting, "warning")
        assert rule["annotations"]["summary"] == summary


def test_thresholds_say_where_they_come_from() -> None:
    shown = yaml.safe_load(watched("spacetime").rules()["cockroachdb"])["groups"][0]["rules"]
    [cpu] = [rule for rule in shown if rule.get("alert") == "HighCPUUsage"]
    assert cpu["annotations"]["derivation"] == (
        "The threshold is 80 % of cockroachdb.resources.limits.cpu, 2 (unscaled: 4)."
    )


def test_every_alert_names_its_runbook_and_reads_something() -> None:
    for name in SYSTEMS:
        for text in watched(name).rules().values():
            for rule in yaml.safe_load(text)["groups"][0]["rules"]:
                assert selectors(rule["expr"])
                if "alert" in rule:
                    assert rule["annotations"]["runbook_url"].endswith(f"/{rule['alert']}.md")
                    assert rule["labels"].keys() >= {"severity", "component"}
