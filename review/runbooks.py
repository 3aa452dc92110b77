"""Runbooks: one page for each alert, from the ``runbooks.md`` beside the code of the alerts.

A ``runbooks.md`` has a section ``# <Alert>`` for each alert of its folder. ``python -m review.generated`` writes the pages in
``docs/runbooks``, and their table into ``docs/monitoring.md``. Runbooks of alerts that a system's file declares are written
there by hand.
"""

from __future__ import annotations

import re
from pathlib import Path

from .graph import ROOT

FOLDER = ROOT / "docs" / "runbooks"
"""The folder of the pages; an alert's ``runbook_url`` leads to ``<Alert>.md``."""
OVERVIEW = ROOT / "docs" / "monitoring.md"
_SECTION = re.compile(r"^# (\w+)\n", re.MULTILINE)
_MEANING = re.compile(r"^## Meaning\n\n(.+?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(?<=<!-- alerts: written by make docs -->\n).*?(?=<!-- end of alerts -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Returns the page of each alert of the components; raises ``ValueError`` for an alert with two runbooks."""
    texts: dict[Path, str] = {}
    for source in sorted((ROOT / "components").rglob("runbooks.md")):
        _, *parts = _SECTION.split(source.read_text(encoding="utf-8"))
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            page = FOLDER / f"{name}.md"
            if page in texts:
                raise ValueError(f"{name} has two runbooks, the second in {source}")
            texts[page] = f"# {name}\n{body.rstrip()}\n"
    return texts


def overview() -> str:
    """Returns docs/monitoring.md with the table of all alerts that have a runbook."""
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.md"))} | pages()
    rows = [f"| [{file.stem}](runbooks/{file.stem}.md) | {_meaning(text)} |\n" for file, text in sorted(texts.items())]
    table = "".join(["\n| Alert | Meaning |\n| --- | --- |\n", *rows, "\n"])
    return _TABLE.sub(lambda _: table, OVERVIEW.read_text(encoding="utf-8"))


def _meaning(text: str) -> str:
    match = _MEANING.search(text)
    return " ".join(match[1].split()).replace("|", "\\|") if match else ""
