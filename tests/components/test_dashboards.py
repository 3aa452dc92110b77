"""Every expression, of alerts and dashboards, is PromQL and names metrics that somebody exposes."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kinds.grafana.pages import rendered
from components.monitoring.contribution import Dashboard, dashboards
from config.kinds import Service
from config.model.promql import selectors
from tests.components.watching import SYSTEMS, watched
from tests.servers import require

EXPORTERS = Path(__file__).parent / "exporters"
NAMED = ("Staging Overview", "Database Performance", "Redis Performance", "Application Metrics", "System Resources")
"""Seed ``spacetime``, Grafana Dashboards."""


@cache
def exposed() -> frozenset[str]:
    """By the exporters, as their lists say, and by the services, as their declarations do."""
    found = {metric for file in EXPORTERS.glob("*.yaml") for metric in yaml.safe_load(file.read_text())["metrics"]}
    for name in SYSTEMS:
        for component in watched(name).resolved.components.values():
            if isinstance(component, Service):
                found |= {
                    series for metric, declared in component.metrics.items() for series in declared.series(metric)
                }
    return frozenset(found)


def recorded(system: str) -> set[str]:
    """Series that rules make."""
    return {recording.record for found in watched(system).brought.values() for recording in found.recordings}


def pages(system: str) -> list[Dashboard]:
    return [page for found in dashboards(watched(system).brought).values() for page in found]


def shown(page: Dashboard) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rendered(page, "prometheus"))
    return found


def expressions(page: Dashboard) -> list[str]:
    """As they are asked, with the variables' defaults in their places."""
    found = [target["expr"] for panel in shown(page)["panels"] for target in panel.get("targets", [])]
    return [expr.replace("$__rate_interval", "1m").replace("$pod", ".*") for expr in found]


def test_every_list_says_whose_it_is() -> None:
    for file in EXPORTERS.glob("*.yaml"):
        content = yaml.safe_load(file.read_text())
        assert content.keys() == {"exporter", "version", "source", "metrics"}
        assert content["source"]
        assert content["metrics"] == sorted(set(content["metrics"]))


@pytest.mark.parametrize("system", SYSTEMS)
def test_expressions_name_what_is_exposed(system: str) -> None:
    known = exposed() | recorded(system)
    read = [(page.title, expr) for page in pages(system) for expr in expressions(page)]
    read += [(a.name, a.expr) for found in watched(system).brought.values() for a in found.alerts]
    read += [(r.record, r.expr) for found in watched(system).brought.values() for r in found.recordings]
    assert len(read) > 50
    unknown = {(place, s.metric) for place, expr in read for s in selectors(expr) if s.metric not in known}
    assert unknown == set()


@pytest.mark.servers
@pytest.mark.parametrize("system", SYSTEMS)
def test_prometheus_parses_them(system: str, tmp_path: Path) -> None:
    require("promtool")
    rules = [
        {"record": f"expression:{index}", "expr": expr}
        for index, expr in enumerate(expr for page in pages(system) for expr in expressions(page))
    ]
    file = tmp_path / "expressions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    result = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"{len(rules)} rules found" in result.stdout


def test_the_five_of_the_seed_are_there() -> None:
    assert {page.title for page in pages("spacetime")} == set(NAMED)


def test_production_has_its_own_overview() -> None:
    found = dashboards(watched("spacetime", "production").brought)["prometheus"]
    assert found[0].title == "Production Overview"


@pytest.mark.parametrize("system", SYSTEMS)
def test_panels_have_units_places_and_a_source(system: str) -> None:
    for page in pages(system):
        found = shown(page)
        ids = [panel["id"] for panel in found["panels"]]
        assert len(ids) == len(set(ids))
        assert found["uid"] == page.uid
        drawn = [panel for panel in found["panels"] if panel["type"] != "row"]
        assert len(drawn) >= 3
        for panel in drawn:
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
            assert panel["title"]
        assert _apart([panel["gridPos"] for panel in found["panels"]])


def _apart(places: list[dict[str, int]]) -> bool:
    """No two panels on one spot."""
    spots = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    return len(spots) == len(set(spots)) and all(p["x"] + p["w"] <= 24 for p in places)


def test_the_objectives_are_the_dashboards_lines() -> None:
    """Database latency 100 ms, Redis 10 ms, 60 frames: seed ``spacetime``, Performance SLAs and alerts."""
    lines = {
        panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        for page in pages("spacetime")
        for panel in shown(page)["panels"]
        if "thresholds" in panel.get("fieldConfig", {}).get("defaults", {})
    }
    bad = {title: (steps[-1]["value"], steps[-1]["color"]) for title, steps in lines.items()}
    assert bad["Latency of statements"] == (0.1, "red")
    assert bad["Mean latency"] == (0.01, "red")
    assert bad["Frames per second that players see"] == (60, "green")


def test_a_page_of_pods_lets_one_choose_them() -> None:
    page = next(page for page in pages("spacetime") if page.title == "Redis Performance")
    [variable] = shown(page)["templating"]["list"]
    assert (variable["name"], variable["query"]) == ("pod", 'label_values(up{job="redis"}, pod)')
    assert all(
        re.search(r"\$pod|job=\"redis\"", expr)
        for expr in [t["expr"] for p in shown(page)["panels"] for t in p.get("targets", [])]
    )


def test_two_of_a_kind_are_told_apart() -> None:
    brought = watched("spacetime").brought
    twice = {**brought, "other": brought["redis"]}
    assert {page.title for page in dashboards(twice)["other"]} == {"Redis Performance (other)"}
    assert {page.title for page in dashboards(twice)["redis"]} == {"Redis Performance (redis)"}
