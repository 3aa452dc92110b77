"""Collects the content of the reviewer's comment: both commits are rendered, neither is deployed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from config.derivation.provenance import BASE
from config.errors import ConfigError, Problem
from config.stack import read_stack
from policies import exemptions
from policies.rules import RULES
from policies.verdict import Verdict
from policies.verdict import judge as judge_policies

from .changes import StackChange, between, planned
from .comment import Review
from .commits import project_at
from .graph import ROOT, Node, graph
from .parity_runner import judged, production_of
from .plain import plain
from .report import Parity


def ledger() -> exemptions.Ledger:
    """Returns today's exemptions; raises ``ConfigError`` when they cannot be read."""
    try:
        return exemptions.Ledger(exemptions.read(RULES), datetime.now(UTC).date())
    except exemptions.Malformed as error:
        raise ConfigError(Problem("policies/exemptions.yaml", None, "", str(error))) from None


def verdict_of(stack: str, nodes: list[Node] | None = None) -> Verdict:
    """Returns the policies' verdict on a stack's graph; default: the graph of the checked-out files."""
    return judge_policies(graph(stack) if nodes is None else nodes, RULES.values(), ledger(), stack)


def compose(base: str, head: str, previews: dict[str, Path], project: Path = ROOT) -> Review:
    """Returns the review; raises ``ConfigError`` for an unknown commit, a failing program or a preview that cannot be read."""
    with project_at(base, project) as before, project_at(head, project) as after:
        earlier, later = _graphs(before), _graphs(after)
        settings = {name: read_stack(after / f"Pulumi.{name}.yaml") for name in later}
        without = {name: plain(name, after) for name, setting in settings.items() if setting.environment != BASE}
    for stack in previews:
        if stack not in later:
            names = ", ".join(sorted(later))
            raise ConfigError(Problem("--preview-json", None, "", f"there is no stack {stack!r}; known: {names}"))
    stacks = [
        _change(name, earlier.get(name, []), later.get(name, []), previews) for name in sorted({*earlier, *later})
    ]
    parities: list[Parity] = []
    for name, setting in settings.items():
        siblings = {n: s for n, s in settings.items() if s.system == setting.system}
        if setting.environment != BASE and BASE in {s.environment for s in siblings.values()}:
            production = later[production_of(siblings, setting.layer)]
            parities.append(judged(setting.system, name, production, later[name], [], without[name]))
    verdicts = {name: verdict_of(name, nodes) for name, nodes in later.items()}
    return Review(base, head, stacks, verdicts, parities)


def _graphs(project: Path) -> dict[str, list[Node]]:
    names = sorted(path.name.split(".")[1] for path in project.glob("Pulumi.*.yaml"))
    return {name: graph(name, project=project) for name in names}


def _change(name: str, before: list[Node], after: list[Node], previews: dict[str, Path]) -> StackChange:
    change = between(name, before, after)
    return planned(name, previews[name], change) if name in previews else change
