"""Converts the components' dashboards to Grafana's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.builders.common import GraphThresholdsStyleConfig, ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
    VariableSort,
)

from components.monitoring.contribution import Dashboard, Panel

_COLUMNS = 24
_SIZES = {"timeseries": (12, 8), "stat": (6, 4)}
"""Columns and lines of a panel."""


def rendered(dashboard: Dashboard, source: str) -> str:
    """Returns the JSON that Grafana imports; ``source`` is the uid of the metrics' data source."""
    prometheus_ = DataSourceRef(type_val="prometheus", uid=source)
    page = (
        grafana.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .tags(["understudy"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("utc")
    )
    if dashboard.pods_of is not None:
        series = (
            f'up{{job="{dashboard.pods_of}"}}' if dashboard.pods_of else 'container_cpu_usage_seconds_total{pod!=""}'
        )
        page = page.with_variable(
            grafana.QueryVariable("pod")
            .label("Pod")
            .datasource(prometheus_)
            .query(f"label_values({series}, pod)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(VariableSort.ALPHABETICAL_ASC)
            .multi(True)
            .include_all(True)
            .all_value(".*")
        )
    ids, y = count(1), 0
    for row in dashboard.rows:
        page = page.with_row(grafana.Row(row.title).id(next(ids)).grid_pos(GridPos(h=1, w=_COLUMNS, x=0, y=y)))
        places, y = _places(row.panels, y + 1)
        for panel, place in zip(row.panels, places, strict=True):
            page = page.with_panel(_panel(panel, prometheus_).id(next(ids)).grid_pos(place))
    return JSONEncoder(sort_keys=True, indent=1).encode(page.build()) + "\n"


def _places(panels: Sequence[Panel], y: int) -> tuple[list[GridPos], int]:
    """Places panels from left to right, line by line; returns also the line of the next row."""
    places: list[GridPos] = []
    x = tallest = 0
    for panel in panels:
        width, height = _SIZES[panel.kind]
        if x + width > _COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        places.append(GridPos(h=height, w=width, x=x, y=y))
        x, tallest = x + width, max(tallest, height)
    return places, y + tallest


def _panel(panel: Panel, source: DataSourceRef) -> Any:
    builder: Any
    if panel.kind == "stat":
        builder = (
            stat.Panel().color_mode(BigValueColorMode.VALUE).reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        )
    else:
        legend = VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
        builder = timeseries.Panel().legend(legend.show_legend(True)).fill_opacity(10)
        if panel.warn is not None:
            builder = builder.thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    builder = builder.title(panel.title).unit(panel.unit).datasource(source)
    builder = builder.description(panel.description) if panel.description else builder
    if panel.warn is not None:
        builder = builder.thresholds(grafana.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(_steps(panel)))
    for index, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expr).ref_id(chr(ord("A") + index)).datasource(source)
        builder = builder.with_target(target.legend_format(query.legend) if query.legend else target)
    return builder


def _steps(panel: Panel) -> list[Threshold]:
    below, above = ("green", "red") if panel.bad == "above" else ("red", "green")
    return [Threshold(value=None, color=below), Threshold(value=panel.warn, color=above)]
