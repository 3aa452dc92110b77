"""Draws static previews of Grafana's dashboards from their JSON: places, units and thresholds.

They are not pictures of Grafana and show no data; a caption says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from .graph import Node

_COLUMN, _LINE, _GAP, _HEAD = 40, 26, 4, 56
"""Pixels: width of one of Grafana's 24 columns, height of a line, gap between panels, margin above the first."""
_NOTE = "Static preview, generated from the dashboard's JSON: no Grafana drew it, and it shows no data."
_GREY, _INK, _PAPER, _PANEL, _BAD = "#8e8e8e", "#d8d9da", "#111217", "#1f2128", "#f2495c"


def pages(nodes: Iterable[Node]) -> dict[str, Any]:
    """Returns file name without suffix to dashboard, for every dashboard of the stack's Grafana."""
    return {
        file.removesuffix(".json"): json.loads(text)
        for node in nodes
        if node["type"].endswith(":ConfigMap") and "-dashboards-" in node["name"]
        for file, text in node["inputs"]["data"].items()
    }


def svg(page: dict[str, Any]) -> str:
    """Returns the preview as SVG."""
    panels = page["panels"]
    width = 24 * _COLUMN
    height = _HEAD + max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) * _LINE + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
        _text(12, 24, page["title"], 18, _INK),
        _text(12, 44, _NOTE, 12, _GREY),
        *(part for panel in panels for part in _panel(panel)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(panel: dict[str, Any]) -> list[str]:
    place = panel["gridPos"]
    x, y = place["x"] * _COLUMN + _GAP, _HEAD + place["y"] * _LINE
    if panel["type"] == "row":
        return [_text(x + 4, y + 18, f"▾ {panel['title']}", 14, _INK)]
    width, height = place["w"] * _COLUMN - 2 * _GAP, place["h"] * _LINE - _GAP
    defaults = panel["fieldConfig"]["defaults"]
    expressions = [target["expr"] for target in panel["targets"]]
    width_limit = int(width / 6.4)
    parts = [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="{_PANEL}"/>',
        _text(x + 8, y + 18, panel["title"], 13, _INK),
        *(
            _text(x + 8, y + 36 + 14 * i, _short(expr, width_limit), 10, _GREY)
            for i, expr in enumerate(expressions[:4])
        ),
        _text(x + 8, y + height - 8, f"unit: {defaults['unit']}", 10, _GREY),
    ]
    steps = defaults.get("thresholds", {}).get("steps", [])
    if len(steps) > 1:
        parts += _threshold(x, y + height - 22, width, steps)
    return parts


def _threshold(x: int, y: int, width: int, steps: list[dict[str, Any]]) -> list[str]:
    side = "from" if steps[-1]["color"] == "red" else "below"
    text = f"bad {side} {steps[-1]['value']:g}"
    return [
        f'<line x1="{x + 8}" y1="{y}" x2="{x + width - 8}" y2="{y}" stroke="{_BAD}" stroke-dasharray="5 4"/>',
        f'<text x="{x + width - 8}" y="{y + 14}" font-size="10" fill="{_BAD}" text-anchor="end">{text}</text>',
    ]


def _short(text: str, width_limit: int) -> str:
    return text if len(text) <= width_limit else f"{text[: width_limit - 1]}…"


def _text(x: int, y: int, text: str, size: int, colour: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
