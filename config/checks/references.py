"""References between parts of a declaration."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from graphlib import CycleError

from pydantic import BaseModel

from config.errors import ConfigError, Problem
from config.kinds import Gateway, Service
from config.kinds.aws import Managed
from config.kinds.aws.managed import MANAGED_KEYS
from config.model.base import SecretKey
from config.model.component import Component
from config.order import order
from config.paths import Path, leaves, parse, render
from config.system import RESERVED, Environment, System

from .addresses import addresses
from .mesh import meshing
from .telemetry import Finding, telemetry


def check_references(system: System) -> None:
    """Checks ``uses``, secrets, configuration keys and assumed paths; raises ``ConfigError`` with all dangling references."""
    problems = [
        Problem(system.file, system.line(path), render(path), message, fix) for path, message, fix in _dangling(system)
    ]
    if problems:
        raise ConfigError(*problems)


def _close(word: str, known: Iterable[str]) -> str:
    known = sorted(known)
    match = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {match[0]!r}?" if match else f"known: {', '.join(known)}"


def _dangling(system: System) -> Iterator[Finding]:
    yield from _production(system)
    added = {
        name for environment in system.environments.values() for change in environment.changes for name in change.add
    }
    declared = system.components.keys() | added
    for name, component in system.components.items():
        here: Path = ("components", name)
        yield from _component(here, name, component, declared)
        yield from _secrets(system, here, component)
        yield from telemetry(here, component, system)
        if isinstance(component, Service):
            yield from _service(here, component, system)
    yield from _circle(system)
    yield from _assumed(system)
    for name, environment in system.environments.items():
        yield from _changes(name, environment, declared)
    yield from _namespaces(system)
    yield from addresses(system)
    yield from meshing(system)


def _production(system: System) -> Iterator[Finding]:
    if "production" not in system.environments:
        yield ("environments",), "'production' is missing", "every system declares production"
        return
    for key in ("scale", "changes"):
        if getattr(system.environments["production"], key):
            yield ("environments", "production", key), "production is what the others differ from", f"remove {key!r}"


def _component(here: Path, name: str, component: Component, known: AbstractSet[str]) -> Iterator[Finding]:
    if name in RESERVED:
        yield here, f"{name!r} is a reserved word", "choose another name"
    for used in component.uses:
        if used not in known:
            yield (*here, "uses"), f"uses {used!r}, which is not declared", _close(used, known)
        elif used == name:
            yield (*here, "uses"), "uses itself", "remove it"
    if component.existing and component.existing.cidr is None:
        message = "existing.cidr is missing: NetworkPolicies know networks, not host names"
        yield (*here, "existing"), message, "add 'cidr:', the network it answers from"
    if isinstance(component, Gateway):
        for host, target in component.hosts.items():
            if target not in known:
                yield (*here, "hosts", host), f"leads to {target!r}, which is not declared", _close(target, known)


def _service(here: Path, service: Service, system: System) -> Iterator[Finding]:
    declared = system.configuration.data
    for key in () if service.configuration == "all" else service.configuration:
        if key not in declared:
            yield (*here, "configuration"), f"reads {key!r}, which the configuration lacks", _close(key, declared)
    for part in ("readiness", "liveness", "startup"):
        probe = getattr(service, part)
        if probe and probe.port not in service.listens:
            message = f"probes port {probe.port!r}, which is not listened on"
            yield (*here, part), message, _close(probe.port, service.listens)


def _circle(system: System) -> Iterator[Finding]:
    try:
        order(system.components)
    except CycleError as error:
        names = " uses ".join(map(repr, reversed(error.args[1])))
        yield ("components", error.args[1][0], "uses"), f"{names}: each waits for the other", "remove one of them"


def _assumed(system: System) -> Iterator[Finding]:
    stated = {render(path) for path, _ in leaves(_tree(system))}
    for index, assumption in enumerate(system.assumed):
        for position, written in enumerate(assumption.paths):
            if not any(path == written or path.startswith((f"{written}.", f"{written}[")) for path in stated):
                yield (
                    ("assumed", index, "paths", position),
                    f"no value has the path {written!r}",
                    _close(written, stated),
                )


def _changes(name: str, environment: Environment, known: AbstractSet[str]) -> Iterator[Finding]:
    for index, change in enumerate(environment.changes):
        at: Path = ("environments", name, "changes", index)
        for removed in change.remove:
            if removed not in known:
                yield (*at, "remove"), f"removes {removed!r}, which is not declared", _close(removed, known)
        for path in change.set:
            try:
                parse(path)
            except ValueError as error:
                yield (*at, "set", path), str(error), "write component.field"


def _namespaces(system: System) -> Iterator[Finding]:
    places: dict[tuple[str, str | None], str] = {}
    for name, environment in system.environments.items():
        place = environment.namespace, environment.cluster.ca_sha256
        if place in places:
            message = f"{places[place]!r} has the same namespace {environment.namespace!r}"
            yield ("environments", name, "namespace"), message, "give it its own"
        places.setdefault(place, name)


def _tree(system: System) -> dict[str, object]:
    return {
        **{name: component.model_dump(by_alias=True, mode="json") for name, component in system.components.items()},
        "configuration": system.configuration.model_dump(by_alias=True),
    }


def _secrets(system: System, here: Path, component: object) -> Iterator[tuple[Path, str, str]]:
    """Yields mistakes about each ``SecretKey`` of a component that names no declared key."""
    stores = {c.secret(name) for name, c in system.components.items() if isinstance(c, Managed)}
    for path, key in _secret_keys(component, here):
        if key.secret in stores:
            if key.key not in MANAGED_KEYS:
                yield path, f"secret {key.secret!r} has no key {key.key!r}", _close(key.key, MANAGED_KEYS)
        elif key.secret not in system.secrets:
            yield path, f"secret {key.secret!r} is not declared", _close(key.secret, system.secrets)
        elif key.key not in system.secrets[key.secret].keys:
            yield (
                path,
                f"secret {key.secret!r} has no key {key.key!r}",
                _close(key.key, system.secrets[key.secret].keys),
            )


def _secret_keys(value: object, path: Path) -> Iterator[tuple[Path, SecretKey]]:
    if isinstance(value, SecretKey):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _secret_keys(item, (*path, key))
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _secret_keys(getattr(value, name), (*path, field.alias or name))
