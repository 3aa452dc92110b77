"""Compares the stacks of a system with its production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from config.derivation.provenance import BASE
from config.errors import ConfigError, Problem
from config.stack import Stack, read_stack

from .alignment import ENVIRONMENT
from .allow import read, settle
from .commits import project_at
from .graph import ROOT, Node, graph
from .parity import Difference, compare
from .plain import plain
from .report import Parity
from .state import exported


def stacks_of(system: str, project: Path = ROOT) -> dict[str, Stack]:
    """Returns stack name to settings, of every stack of the system; raises ``ConfigError`` when there is no production."""
    stacks = {path.name.split(".")[1]: read_stack(path) for path in sorted(project.glob("Pulumi.*.yaml"))}
    of_system = {name: settings for name, settings in stacks.items() if settings.system == system}
    if BASE not in {settings.environment for settings in of_system.values()}:
        systems = ", ".join(sorted({settings.system for settings in stacks.values()}))
        fix = f"systems with stacks: {systems}"
        raise ConfigError(Problem("Pulumi.*.yaml", None, "", f"{system!r} has no stack of its production", fix))
    return of_system


def production_of(stacks: Mapping[str, Stack], layer: str) -> str:
    """Returns the production stack of a layer of one system; raises ``ConfigError`` when there is none."""
    for name, settings in stacks.items():
        if settings.environment == BASE and settings.layer == layer:
            return name
    problem = f"the system has no stack of production's layer {layer!r}"
    raise ConfigError(Problem("Pulumi.*.yaml", None, "", problem, "add one: its environment is production"))


def judge(system: str, production_ref: str | None = None, project: Path = ROOT) -> list[Parity]:
    """Compares every stack of the system with its production, both at the commit that is checked out."""
    stacks = stacks_of(system, project)
    results: list[Parity] = []
    for layer in dict.fromkeys(settings.layer for settings in stacks.values()):
        base = production_of(stacks, layer)
        others = [name for name, settings in stacks.items() if settings.environment != BASE and settings.layer == layer]
        production, graphs = _recorded(base, others, project)
        pending: list[Difference] = []
        if production_ref is not None:
            with project_at(production_ref, project) as earlier:
                promoted = graph(base, project=earlier)
            pending = [_pending(difference) for difference in compare(promoted, production)]
        results += [judged(system, name, production, own, pending, without) for name, (own, without) in graphs.items()]
    return results


def of_stack(stack: str, project: Path = ROOT) -> Parity | None:
    """Compares one stack with its production; ``None`` for a production, and where there is none."""
    setting = read_stack(project / f"Pulumi.{stack}.yaml")
    if setting.environment == BASE:
        return None
    base = production_of(stacks_of(setting.system, project), setting.layer)
    production, graphs = _recorded(base, [stack], project)
    own, without = graphs[stack]
    return judged(setting.system, stack, production, own, [], without)


def _recorded(
    production: str, stacks: Sequence[str], project: Path
) -> tuple[list[Node], dict[str, tuple[list[Node], list[Node] | None]]]:
    """Records side by side: the graph of production, and of each stack its own and the one without scale and changes."""
    with ThreadPoolExecutor() as pool:
        base = pool.submit(graph, production, project=project)
        own = [pool.submit(graph, stack, project=project) for stack in stacks]
        without = [pool.submit(plain, stack, project) for stack in stacks]
        both = [(first.result(), second.result()) for first, second in zip(own, without, strict=True)]
        return base.result(), dict(zip(stacks, both, strict=True))


def judge_live(system: str, production: Path, other: Path) -> Parity:
    """Compares two deployed stacks by their exported states."""
    return judged(system, other.stem, exported(production), exported(other), [])


def _pending(difference: Difference) -> Difference:
    return Difference(
        "pending promotion", difference.resource, difference.path, difference.production, difference.staging
    )


def judged(
    system: str,
    stack: str,
    production: list[Node],
    staging: list[Node],
    pending: list[Difference],
    without: list[Node] | None = None,
) -> Parity:
    """Returns the parity of a stack; ``without`` is its graph without scale and changes, for rendered stacks."""
    try:
        differences = compare(production, staging, without)
    except ValueError as error:
        raise ConfigError(Problem(stack, None, "", str(error))) from None
    failing, excused, faults = settle(differences, read(system), datetime.now(UTC).date())
    fidelity = next(node["inputs"].get("fidelity", []) for node in staging if node["type"] == ENVIRONMENT)
    return Parity(system, stack, differences, failing, excused, faults, pending, fidelity)
