"""``./understudy doctor``: what an environment needs of a cluster, and what the cluster lacks."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.derivation.derive import derive
from config.errors import ConfigError, Problem
from config.kinds import Eks
from config.loader import load
from config.stack import PROJECT, Stack, read_stack
from config.system import Resolved
from doctor.needs import Needs, Pin
from doctor.result import Result

ROOT = Path(__file__).resolve().parent.parent
MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failure": "[bold red]✗[/]", "unknown": "[yellow]?[/]"}


def examined(
    stack: str, context: str | None, *, file: Path | None = None, by_the_run: bool = False
) -> tuple[list[Result], str]:
    """Returns the findings, and the context that was examined; raises ``ConfigError``.

    ``by_the_run`` states that a run pins the stack to the cluster, whatever is declared.
    """
    from doctor.examine import examine
    from doctor.live import LiveCluster
    from review.graph import graph

    settings = read_stack(file or ROOT / f"Pulumi.{stack}.yaml")
    system = load(settings.system)
    resolved, _ = derive(system, settings.environment)
    pin = _pin(stack, settings, resolved, by_the_run=by_the_run)
    # connected before the graph is recorded, so that an unreachable cluster is reported at once
    cluster = LiveCluster(context or settings.context)
    return examine(Needs(resolved, graph(stack, file), system.file, pin), cluster), cluster.context


def _pin(stack: str, settings: Stack, resolved: Resolved, *, by_the_run: bool) -> Pin:
    """Returns the cluster that the stack is pinned to.

    Raises ``ConfigError`` for a stack that creates its own cluster, or that uses no cluster.
    """
    if settings.layer == "platform" or (settings.layer == "all" and makes_cluster(resolved)):
        message = "the stack makes its own cluster: there is none to look at before it"
        fix = "examine the application's stack, once the platform is up"
        raise ConfigError(Problem(f"Pulumi.{stack}.yaml", None, f"{PROJECT}:layer", message, fix))
    if by_the_run:
        return Pin(otherwise="the run pins the stack to this cluster")
    declared, otherwise = resolved.environment.cluster, ""
    if settings.platform is not None or makes_cluster(resolved):
        otherwise = "the platform's stack says which cluster it is; this one is taken on trust"
    return Pin(settings.cluster_ca_sha256 or declared.ca_sha256, declared.kube_system_uid, otherwise)


def makes_cluster(resolved: Resolved) -> bool:
    """Returns whether the environment's cluster is one of its own components."""
    return any(isinstance(component, Eks) for component in resolved.components.values())


def print_results(stack: str, context: str, results: list[Result]) -> None:
    """Prints a table of the findings, then their remedies, and the verdict last."""
    console = Console()
    table = Table("", "Check", "Found", title=f"{stack} on {context}", title_justify="left", box=None, pad_edge=False)
    for result in results:
        table.add_row(Text.from_markup(MARKS[result.status]), result.check, Text(result.said))
    console.print(table)
    remedies = [result for result in results if result.fix and result.status != "ok"]
    for result in remedies:
        console.print(f"\n{MARKS[result.status]} [bold]{result.check}[/]", highlight=False)
        console.print(f"    fix: {result.fix}", markup=False, highlight=False, soft_wrap=True)
    counts = {status: sum(result.status == status for result in results) for status in MARKS}
    numbers = ("failure", "would fail"), ("warning", "warnings"), ("unknown", "not known"), ("ok", "well")
    summary = ", ".join(f"{counts[status]} {words}" for status, words in numbers)
    console.print(f"\n{stack} on {context}: {summary}", highlight=False)
