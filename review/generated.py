"""``python -m review.generated`` writes the generated files; a test proves that they are current."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

from config.derivation.derive import derive
from config.derivation.provenance import BASE
from config.loader import load
from config.schema import FILE, render
from config.stack import read_stack
from policies.report import as_markdown
from policies.rules import RULES

from . import runbooks
from .dashboards import pages, svg
from .explain import markdown
from .golden import files
from .graph import ROOT, STACKS, Node, graph
from .reachability import Reachability
from .reachability import markdown as markdown_of

POLICIES = ROOT / "docs" / "policies.md"
DASHBOARDS = ROOT / "docs" / "dashboards"
GOLDEN = ROOT / "tests" / "golden"
REACHABILITY = ROOT / "docs" / "reachability.md"
REACHABILITY_HEAD = """\
# Who reaches whom

Computed from the objects of the recorded graphs (`review/reachability.py`): NetworkPolicies, AuthorizationPolicies, Sidecars,
the ways out. A test holds that it is what the declarations say, port by port. `(gateway)` is the mesh's gateway in; of what is
beyond the namespace, a component's own name stands for the services of AWS that it calls. The port of every proxy's own metrics
(15090), which only Prometheus is let to, is left out.
"""
DIFFERENCES = ROOT / "docs" / "differences.md"
DIFFERENCES_HEAD = """\
# SpaceTime's staging: differences from production

Written by `./understudy explain --format markdown` (`make docs`); a test holds that it is fresh.

"""


def differences() -> str:
    """Returns the page of SpaceTime's differences between staging and production."""
    return DIFFERENCES_HEAD + markdown(*derive(load("spacetime"), "staging"))


def golden(stack: str, recorded: Callable[[str], list[Node]] = graph) -> dict[Path, str]:
    """Returns the files of the stack's golden graph, to be reviewed as a diff; ``recorded`` gives the graph of a stack."""
    settings = read_stack(ROOT / f"Pulumi.{stack}.yaml")
    production = None
    if settings.environment != BASE:
        same = (settings.system, settings.layer)
        others = {other: read_stack(ROOT / f"Pulumi.{other}.yaml") for other in STACKS}
        production = next(o for o, s in others.items() if (s.system, s.layer) == same and s.environment == BASE)
    content = files(recorded(stack), recorded(production) if production else None)
    return {GOLDEN / stack / path: text for path, text in content.items()}


def previews() -> dict[Path, str]:
    """Returns file to preview, for each of staging's dashboards."""
    return {DASHBOARDS / f"{name}.svg": svg(page) for name, page in pages(graph("staging")).items()}


def reachability() -> str:
    """Returns the reachability page of the non-production environments of applications."""
    pages = []
    for stack in STACKS:
        settings = read_stack(ROOT / f"Pulumi.{stack}.yaml")
        if settings.environment != BASE and settings.layer != "platform":
            below = str(settings.platform).rpartition("/")[2] if settings.platform else None
            reachable = Reachability(graph(stack), graph(below) if below else ())
            pages.append(markdown_of(f"{settings.system}, {settings.environment}", reachable))
    return "\n".join([REACHABILITY_HEAD, *pages])


def main() -> None:
    """Writes all generated files."""
    FILE.write_text(render(), encoding="utf-8")
    DIFFERENCES.write_text(differences(), encoding="utf-8")
    POLICIES.write_text(as_markdown(RULES), encoding="utf-8")
    for file, text in runbooks.pages().items():
        file.write_text(text, encoding="utf-8")
    runbooks.OVERVIEW.write_text(runbooks.overview(), encoding="utf-8")
    shutil.rmtree(DASHBOARDS, ignore_errors=True)
    DASHBOARDS.mkdir()
    for file, text in previews().items():
        file.write_text(text, encoding="utf-8")
    REACHABILITY.write_text(reachability(), encoding="utf-8")
    shutil.rmtree(GOLDEN, ignore_errors=True)
    recorded = cache(graph)
    for stack in STACKS:
        for file, text in golden(stack, recorded).items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
