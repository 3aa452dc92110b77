"""Checks a system's file in every environment that it declares."""

from __future__ import annotations

import subprocess
from pathlib import Path

from config.checks.growth import shrunk
from config.checks.warnings import warnings
from config.derivation.capacity import unfit
from config.derivation.derive import derive
from config.derivation.identity import unlisted
from config.errors import ConfigError, Problem
from config.kinds import Service
from config.kinds.workload import Workload
from config.loader import load, parse
from config.loader import shipped as shipped_systems
from config.model.contract import contracts
from config.model.contract import load as load_contract
from config.paths import render
from config.stack import PROJECT, Stack, read_stack
from config.system import Resolved


def shipped(project: Path) -> list[Path]:
    """Returns every system's file, every data contract and every stack's file."""
    return [*shipped_systems(), *contracts(), *sorted(project.glob("Pulumi.*.yaml"))]


def check(file: Path, since: str = "HEAD") -> str:
    """Returns a summary of the valid file; raises ``ConfigError``.

    A system's file is compared with git's version at ``since``: volumes must not shrink.
    """
    if file.name.startswith("Pulumi."):
        return _stack(file)
    return _contract(file) if file.name.endswith(".data.yaml") else _system(file, since)


def _contract(file: Path) -> str:
    databases = load_contract(str(file)).databases.values()
    tables = [table for database in databases for table in database.tables.values()]
    return f"{len(tables)} tables, {sum(len(table.columns) for table in tables)} columns"


def _system(file: Path, since: str) -> str:
    system = load(str(file))
    before = _earlier(file, since)
    problems = []
    for name in system.environments:
        resolved, _ = derive(system, name)
        if name in before:
            fix = "a volume only grows: keep the size, or declare a new component and move the data"
            for component, message in shrunk(before[name], resolved):
                here = ("components", component, "storage")
                text = f"{message} in {name}"
                problems.append(Problem(system.file, system.line(here), f"components.{component}", text, fix))
        at = ("environments", name, "cluster", "nodes")
        problems += [
            Problem(system.file, system.line(at), ".".join(at), message, "more or larger nodes, or a smaller scale")
            for message in unfit(resolved)
        ]
    for path, message in unlisted(system):
        fix = "give each its own, or list it under 'shared' with the reason"
        problems.append(Problem(system.file, system.line(path), render(path), message, fix))
    if problems:
        raise ConfigError(*problems)
    return f"{len(system.components)} components, environments {', '.join(system.environments)}"


def doubts(file: Path) -> list[Problem]:
    """Returns warnings about a system's file; none for a stack's file or a data contract."""
    if file.name.startswith("Pulumi.") or file.name.endswith(".data.yaml"):
        return []
    system = load(str(file))
    lines = {
        (component, text): name for name in system.environments for component, text in warnings(derive(system, name)[0])
    }
    return [
        Problem(system.file, system.line(("components", component)), f"components.{component}", f"in {name}: {text}")
        for (component, text), name in lines.items()
    ]


def _earlier(file: Path, since: str) -> dict[str, Resolved]:
    """Returns the environments of the file in git at ``since``; none where git has no valid file."""
    command = ["git", "-C", str(file.resolve().parent), "show", f"{since}:./{file.name}"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return {}
    if result.returncode:
        if since != "HEAD" and "exists on disk" not in result.stderr and "does not exist" not in result.stderr:
            raise ConfigError(Problem("--since", None, "", f"git knows no {since!r}", "name a branch, tag or commit"))
        return {}
    try:
        system = parse(result.stdout, f"{since}:{file.name}")
        return {name: derive(system, name)[0] for name in system.environments}
    except ConfigError:
        return {}


def _platform(file: Path, stack: Stack, named: str) -> None:
    """Checks that the platform of an application's stack belongs to the same environment."""
    other = file.parent / f"Pulumi.{named.rpartition('/')[2]}.yaml"
    if not other.exists():
        return  # another project's platform, which cannot be checked here
    platform = read_stack(other)
    if (platform.system, platform.environment) != (stack.system, stack.environment):
        message = f"{named} is the platform of {platform.environment} of {platform.system}"
        fix = f"name the platform of {stack.environment}; an application never runs on another environment's"
        raise ConfigError(Problem(file.name, None, f"{PROJECT}:platform", message, fix))


def _stack(file: Path) -> str:
    stack = read_stack(file)
    resolved, _ = derive(load(stack.system), stack.environment)
    if isinstance(stack.platform, str):
        _platform(file, stack, stack.platform)
    services = {key for key, component in resolved.components.items() if isinstance(component, Workload)}
    services |= {f"{k}-canary" for k, c in resolved.components.items() if isinstance(c, Service) and c.canary}
    for field, names, known in (
        ("images", stack.images, services),
        ("rotation", stack.rotation, resolved.secrets),
        (
            "unprotected",
            {*stack.unprotected} - {"*"},
            {k for k, c in resolved.components.items() if c.layer == "platform"},
        ),
    ):
        for name in sorted(set(names) - set(known)):
            fix = f"known: {', '.join(sorted(known))}"
            raise ConfigError(Problem(file.name, None, f"{PROJECT}:{field}", f"{name!r} is not declared", fix))
    given_keys = {
        f"{name}.{key}" for name, secret in resolved.secrets.items() for key, v in secret.keys.items() if v.given
    }
    for name in sorted({f"{name}.{key}" for name, values in stack.given.items() for key in values} - given_keys):
        fix = f"known: {', '.join(sorted(given_keys))}" if given_keys else "the system's file marks no value as given"
        raise ConfigError(Problem(file.name, None, f"{PROJECT}:given", f"{name!r} is not declared", fix))
    return f"environment {stack.environment} of {stack.system}"
