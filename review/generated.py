"""``python -m review.generated``: the files that are made from others; a test holds that they are fresh."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from config.derive import derive
from config.loader import load
from config.schema import FILE, render
from policies.report import as_markdown
from policies.rules import RULES

from .dashboards import pages, svg
from .explain import markdown
from .graph import graph

ROOT = Path(__file__).resolve().parent.parent
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
POLICIES = ROOT / "docs" / "policies.md"
DASHBOARDS = ROOT / "docs" / "dashboards"
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
    for stack in STACKS:
        golden_file(stack).parent.mkdir(parents=True, exist_ok=True)
        golden_file(stack).write_text(golden(stack), encoding="utf-8")


if __name__ == "__main__":
    main()
