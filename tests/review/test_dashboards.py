"""The previews of the dashboards in the documentation."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from review.dashboards import pages, svg
from review.generated import DASHBOARDS, previews
from review.graph import graph


def test_they_are_fresh() -> None:
    assert {file: file.read_text() for file in DASHBOARDS.iterdir()} == previews()


def test_they_show_every_panel_and_say_what_they_are() -> None:
    found = pages(graph("staging"))
    assert len(found) == 5
    for page in found.values():
        root = ET.fromstring(svg(page))
        texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
        assert texts[0] == page["title"]
        assert texts[1].startswith("Static preview")
        for panel in page["panels"]:
            assert any(text.endswith(panel["title"]) for text in texts)


def test_thresholds_are_drawn() -> None:
    page = next(page for page in pages(graph("staging")).values() if page["title"] == "Application Metrics")
    assert "bad below 60" in svg(page)
