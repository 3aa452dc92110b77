"""Every alert has a runbook, and every runbook an alert."""

from __future__ import annotations

import re

from components.kinds.prometheus.rules import BLIND
from config.loader import load
from config.loader import shipped as shipped_systems
from review import runbooks
from tests.components.watching import alerts

RUNBOOKS = runbooks.FOLDER
PARTS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """Alerts of the kinds, by the small system, which declares one of its own; and those that shipped systems declare."""
    shipped = {
        name
        for file in shipped_systems()
        for c in load(str(file)).components.values()
        for name in getattr(c, "alerts", {})
    }
    brought = {alert.name for _, _, alert in alerts()} - {"OrdersStopped"}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == brought | shipped | {BLIND}


def test_every_runbook_says_what_one_needs_at_night() -> None:
    for file in RUNBOOKS.glob("*.md"):
        text = file.read_text()
        assert text.startswith(f"# {file.stem}\n")
        sections = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
        assert sections[1::2] == PARTS, file
        assert all(len(body.split()) >= 8 for body in sections[2::2]), file


def test_they_lead_to_runbooks_that_are_there() -> None:
    for file in RUNBOOKS.glob("*.md"):
        for target in re.findall(r"\]\((\w+\.md)\)", file.read_text()):
            assert (RUNBOOKS / target).exists(), (file, target)


def test_the_pages_are_current() -> None:
    """``make docs`` writes them."""
    assert {file: file.read_text() for file in runbooks.pages()} == runbooks.pages()
    assert runbooks.OVERVIEW.read_text() == runbooks.overview()


def test_the_documentation_lists_every_alert() -> None:
    rows = re.findall(r"^\| \[\w+\]\(runbooks/(\w+)\.md\) \| (.+) \|$", runbooks.overview(), re.MULTILINE)
    assert {name for name, _ in rows} == {path.stem for path in RUNBOOKS.glob("*.md")}
    assert all(len(meaning) > 20 for _, meaning in rows)
