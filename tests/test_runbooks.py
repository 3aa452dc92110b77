"""An alert without a runbook wakes somebody for nothing; a runbook without an alert is never read."""

from __future__ import annotations

import re

from components.kinds.prometheus.rules import BLIND
from config.loader import load
from config.loader import shipped as shipped_systems
from review.graph import ROOT
from tests.components.watching import alerts

RUNBOOKS = ROOT / "docs" / "runbooks"
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


def test_the_documentation_lists_every_alert() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text()
    assert set(re.findall(r"\(runbooks/(\w+)\.md\)", text)) == {path.stem for path in RUNBOOKS.glob("*.md")}
