"""``python -m local.plugins.aws.page`` writes docs/offline-aws.md, the list of types and their handling."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from .table import Row, table

FILE = Path(__file__).resolve().parents[3] / "docs" / "offline-aws.md"
BEGIN, END = "<!-- types:begin -->\n", "<!-- types:end -->\n"
Level = Literal["real", "validated", "recorded"]


def level(row: Row) -> Level:
    """Returns how a resource of this type is handled where moto's server runs."""
    if row.create is None:
        return "recorded"
    return "real" if row.real and row.create.real else "validated"


def types() -> str:
    """Returns the table of types, in Markdown."""
    lines = ["| Type | Level | Call |", "| --- | --- | --- |"]
    for name, row in sorted(table().items()):
        call = f"`{row.service}:{row.create.operation}`" if row.create else ""
        lines.append(f"| `{name}` | {level(row)} | {call} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Returns the page with the present table."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{types()}{END}{after}"


if __name__ == "__main__":
    FILE.write_text(page(FILE.read_text(encoding="utf-8")), encoding="utf-8")
