"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.derivation.provenance import Derived
from config.system import Resolved
from policies.rule import Rule
from policies.verdict import Verdict
from review.explain import allocation
from review.report import Parity


def print_explanation(resolved: Resolved, derivation: Mapping[str, Derived], listed: list[dict[str, Any]]) -> None:
    """Prints the allocation table, then the requested values."""
    console = Console()
    name = resolved.environment.name
    rows = allocation(resolved, derivation)
    if rows:
        table = Table(
            "Component", "Production", name.capitalize(), "Ratio", title="Resource Allocation", title_justify="left"
        )
        for what, production, value, ratio, assumed in rows:
            table.add_row(what, production + (" *" if assumed else ""), value, ratio)
        console.print(table)
    table = Table(
        "Value", "Production", name.capitalize(), "Rule", "Because", title="Every value", title_justify="left"
    )
    for record in listed:
        mark = " *" if record["assumed"] else ""
        rule = record["rule"] + (f" {record['ratio']}" if record["ratio"] else "")
        table.add_row(
            record["path"], _text(record["production"]) + mark, _text(record["staging"]), rule, record["because"] or ""
        )
    console.print(table)
    assumptions = sorted({record["assumed"] for record in listed if record["assumed"]})
    if assumptions:
        console.print("* assumed, because it was not stated: " + "; ".join(assumptions), style="dim")


def print_verdict(stack: str, verdict: Verdict, rules: Mapping[str, Rule]) -> None:
    """Prints findings, then exempted findings, and the verdict last."""
    console = Console()
    for finding in verdict.findings:
        where = f" {finding.property}" if finding.property else ""
        console.print(
            f"[bold red]✗[/] {finding.rule}  [bold]{finding.urn.rpartition('::')[2]}[/]{where}", highlight=False
        )
        console.print(f"    {finding.message}", markup=False, highlight=False)
        console.print(f"    fix: {rules[finding.rule].remediation}", style="dim", markup=False, highlight=False)
    for finding, exemption in verdict.exempted:
        console.print(
            f"[yellow]○[/] {finding.rule}  {finding.urn.rpartition('::')[2]}: {finding.message}", highlight=False
        )
        text = f"    exempt until {exemption.expires} by {exemption.owner}: {exemption.because}"
        console.print(text, style="dim", markup=False, highlight=False)
    count = len(verdict.findings)
    summary = "every rule holds" if verdict.clean else f"{count} violation{'s' if count != 1 else ''}"
    console.print(f"{stack}: {summary} ({len(rules)} rules, {len(verdict.exempted)} exempted)", highlight=False)


def print_parity(parity: Parity, *, whole: bool = True) -> None:
    """Prints failures, then the differences by class, and the verdict last; or only failures and verdict."""
    console = Console()
    table = Table("Class", "Resource", "Path", "Production", parity.stack.capitalize(), "Because")
    order = {
        kind: number
        for number, kind in enumerate(
            ("unexplained", "missing", "extra", "pending promotion", "changed", "scaled", "identity")
        )
    }
    for difference in sorted(parity.differences if whole else parity.failing, key=lambda d: order[d.kind]):
        style = "bold red" if order[difference.kind] < 3 else ""
        values = [_text(value)[:60] for value in (difference.production, difference.staging)]
        cells = [difference.kind, difference.resource, difference.path, *values, difference.because or ""]
        table.add_row(*(Text(cell) for cell in cells), style=style)
    if table.row_count:
        console.print(table)
    for difference in parity.pending:
        console.print(f"pending promotion: {difference.resource} {difference.path}", markup=False, highlight=False)
    for line in (
        *parity.faults,
        *(f"allowed: {d.resource} {d.path} ({e.owner}, {e.expires})" for d, e in parity.excused),
    ):
        console.print(line, markup=False, highlight=False)
    for sentence in parity.fidelity if whole else ():
        console.print(f"- {sentence}", style="dim", markup=False, highlight=False)
    console.print(parity.verdict(), style="bold green" if parity.faithful else "bold red", highlight=False)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
