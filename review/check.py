"""Whether a system's file is right, in every environment it declares."""

from __future__ import annotations

from pathlib import Path

from config.capacity import unfit
from config.derive import derive
from config.errors import ConfigError, Problem
from config.loader import SYSTEMS, load
from config.stack import PROJECT, read_stack


def shipped(project: Path) -> list[Path]:
    """Every system's file and every stack's file."""
    return [*sorted(SYSTEMS.glob("*.yaml")), *sorted(project.glob("Pulumi.*.yaml"))]


def check(file: Path) -> str:
    """What was found to be right; raises ``ConfigError``."""
    return _stack(file) if file.name.startswith("Pulumi.") else _system(str(file))


def _system(file: str) -> str:
    system = load(file)
    problems = []
    for name in system.environments:
        resolved, _ = derive(system, name)
        at = ("environments", name, "cluster", "nodes")
        problems += [
            Problem(system.file, system.line(at), ".".join(at), message, "more or larger nodes, or a smaller scale")
            for message in unfit(resolved)
        ]
    if problems:
        raise ConfigError(*problems)
    return f"{len(system.components)} components, environments {', '.join(system.environments)}"


def _stack(file: Path) -> str:
    stack = read_stack(file)
    resolved, _ = derive(load(stack.system), stack.environment)
    services = {key for key, component in resolved.components.items() if component.kind == "service"}
    for field, names, known in (
        ("images", stack.images, services),
        ("rotation", stack.rotation, resolved.secrets),
    ):
        for name in sorted(set(names) - set(known)):
            fix = f"known: {', '.join(sorted(known))}"
            raise ConfigError(Problem(file.name, None, f"{PROJECT}:{field}", f"{name!r} is not declared", fix))
    return f"environment {stack.environment} of {stack.system}"
