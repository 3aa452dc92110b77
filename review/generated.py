"""``python -m review.generated``: the files that are made from others; a test holds that they are fresh."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from config.derivation.derive import derive
from config.derivation.provenance import BASE
from config.loader import load
from config.schema import FILE, render
from config.stack import read_stack
from policies.report import as_markdown
from policies.rules import RULES

from .dashboards import pages, svg
from .explain import markdown
from .graph import graph
from .reachability import Reachability
from .reachability import markdown as markdown_of

ROOT = Path(__file__).resolve().parent.parent
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
POLICIES = ROOT / "docs" / "policies.md"
DASHBOARDS = ROOT / "docs" / "dashboards"
REACHABILITY = ROOT / "docs" / "reachability.md"
REACHABILITY_HEAD = """\
# Who reaches whom

Computed from the objects of the recorded graphs (`review/reachability.py`): NetworkPolicies, AuthorizationPolicies, Sidecars,
the ways out. A test holds that it is what the declarations say, port by port. `(gateway)` is the mesh's gateway in; of what is
beyond the namespace, a component's own name stands for the services of AWS that it calls. The port of every proxy's own metrics
(15090), which only Prometheus is let to, is left out.
"""
BEGIN, END = "<!-- differences:begin -->\n", "<!-- differences:end -->\n"


def readme(text: str) -> str:
    """The README with SpaceTime's differences as they are."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{markdown(*derive(load('spacetime'), 'staging'))}{END}{after}"


def golden(stack: str) -> str:
    """The stack's resource graph."""
    return json.dumps(graph(stack), indent=1) + "\n"


def golden_file(stack: str) -> Path:
    """Where it is kept, to be reviewed as a diff."""
    return ROOT / "tests" / "golden" / f"{stack}.json"


def previews() -> dict[Path, str]:
    """File to preview, of each of staging's dashboards."""
    return {DASHBOARDS / f"{name}.svg": svg(page) for name, page in pages(graph("staging")).items()}


def reachability() -> str:
    """Who reaches whom, of each application's staging."""
    pages = []
    for stack in STACKS:
        settings = read_stack(ROOT / f"Pulumi.{stack}.yaml")
        if settings.environment != BASE and settings.layer != "platform":
            below = str(settings.platform).rpartition("/")[2] if settings.platform else None
            found = Reachability(graph(stack), graph(below) if below else ())
            pages.append(markdown_of(f"{settings.system}, {settings.environment}", found))
    return "\n".join([REACHABILITY_HEAD, *pages])


def main() -> None:
    """Writes all of them."""
    FILE.write_text(render(), encoding="utf-8")
    page = ROOT / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")
    POLICIES.write_text(as_markdown(RULES), encoding="utf-8")
    shutil.rmtree(DASHBOARDS, ignore_errors=True)
    DASHBOARDS.mkdir()
    for file, text in previews().items():
        file.write_text(text, encoding="utf-8")
    REACHABILITY.write_text(reachability(), encoding="utf-8")
    for stack in STACKS:
        golden_file(stack).parent.mkdir(parents=True, exist_ok=True)
        golden_file(stack).write_text(golden(stack), encoding="utf-8")


if __name__ == "__main__":
    main()
