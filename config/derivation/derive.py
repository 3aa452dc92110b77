"""Derives staging from production, with a reason for every value.

The order is fixed: production's declaration, scaled field by field as its type states; then the deliberate changes, which
take precedence; then the environment's identity in place of ``{environment}``, ``{namespace}`` and ``{domain}``. The
result is validated like a file that a person writes, so a derivation cannot produce what a declaration could not state.
"""

from __future__ import annotations

import difflib
import weakref
from collections.abc import Callable
from fractions import Fraction
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from config.checks.addresses import hosts, whose
from config.checks.own_objects import object_flaws
from config.errors import ConfigError, Problem
from config.kinds import AnyComponent
from config.kinds.manifests import Manifest
from config.model.scaling import ScaleKind, Scales
from config.paths import Path, leaves, parse, render
from config.system import Change, Configuration, Environment, Resolved, Site, System

from .provenance import BASE, Derived, declared_at, provenance

_COMPONENT: TypeAdapter[Any] = TypeAdapter(AnyComponent)
_DERIVED: dict[int, dict[str, tuple[Resolved, dict[str, Derived]]]] = {}
"""Keyed by identity, because a model with dictionaries cannot be hashed."""


def derive(system: System, environment: str) -> tuple[Resolved, dict[str, Derived]]:
    """Returns the system as it is in ``environment``, and the provenance of each of its values by path.

    The result is computed once for each system object and environment. Raises ``ConfigError`` when the environment is not
    declared, a change names a path that does not exist, or its result would not be valid.
    """
    derived = _derivations(system)
    if environment not in derived:
        derived[environment] = _derive(system, environment)
    return derived[environment]


def _derivations(system: System) -> dict[str, tuple[Resolved, dict[str, Derived]]]:
    """Returns the derivations of this system object so far, by environment; they are deleted with the object."""
    if id(system) not in _DERIVED:
        _DERIVED[id(system)] = {}
        weakref.finalize(system, _DERIVED.pop, id(system))
    return _DERIVED[id(system)]


def _derive(system: System, environment: str) -> tuple[Resolved, dict[str, Derived]]:
    settings = _environment(system, environment)
    if environment == BASE:
        production = _resolve(system, BASE, settings, {}, [])
        return production, provenance(system, production, production, {}, [])
    production, _ = derive(system, BASE)
    scaled: dict[Path, Scales] = {}
    changed: list[tuple[int, Change]] = list(enumerate(settings.changes))
    resolved = _resolve(system, environment, settings, scaled, changed)
    return resolved, provenance(system, production, resolved, scaled, changed)


def _environment(system: System, name: str) -> Environment:
    if name not in system.environments:
        declared = ", ".join(system.environments)
        at = system.line(("environments",))
        raise ConfigError(Problem(system.file, at, "environments", f"{name!r} is not declared; declared: {declared}"))
    return system.environments[name]


def _resolve(
    system: System, name: str, settings: Environment, scaled: dict[Path, Scales], changes: list[tuple[int, Change]]
) -> Resolved:
    ratios = {kind: ratio.ratio.value for kind, ratio in settings.scale.items()}
    tree: dict[str, Any] = {
        key: _dump(_scale(component, ratios, (key,), scaled)) for key, component in system.components.items()
    }
    tree["configuration"] = _dump(system.configuration)
    for index, change in changes:
        _apply(system, name, index, change, tree)
    words = {"environment": name, "namespace": settings.namespace, "domain": settings.domain, "system": system.system}
    tree = _substitute(tree, words)
    configuration = _checked(system, name, "configuration", tree.pop("configuration"), Configuration.model_validate)
    components = {key: _checked(system, name, key, dump, _COMPONENT.validate_python) for key, dump in tree.items()}
    _check_removed(system, name, components)
    _check_hosts(system, name, components)
    _check_elsewhere(system, name, components)
    _check_objects(system, name, components, configuration)
    return Resolved(
        system=system.system,
        title=system.title,
        environment=Site(
            name=name,
            **{key: getattr(settings, key) for key in Site.model_fields if key != "name"},
        ),
        configuration=configuration,
        secrets=system.secrets,
        components=components,
    )


def _dump(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(by_alias=True, exclude_none=True)


def _scale_manifest(
    manifest: Manifest, ratios: dict[ScaleKind, Fraction], path: Path, scaled: dict[Path, Scales]
) -> Manifest:
    """Returns a user's object, scaled as its field ``scale`` states."""
    result = manifest.scaled(ratios)
    before = dict(leaves(_dump(manifest), path))
    for leaf, value in leaves(_dump(result), path):
        if before[leaf] != value:  # the last part of the path names the quantity; other numbers are replicas
            kind: Any = leaf[-1] if leaf[-1] in ("cpu", "memory", "storage") else "replicas"
            scaled[leaf] = Scales(kind)
    return result


def _scale(model: Any, ratios: dict[ScaleKind, Fraction], path: Path, scaled: dict[Path, Scales]) -> Any:
    """Returns a copy of ``model`` with every annotated field scaled; adds their paths to ``scaled``."""
    if isinstance(model, Manifest):
        return _scale_manifest(model, ratios, path, scaled)
    if isinstance(model, tuple):
        return tuple(_scale(item, ratios, (*path, index), scaled) for index, item in enumerate(model))
    if isinstance(model, dict):
        return {key: _scale(item, ratios, (*path, key), scaled) for key, item in model.items()}
    if not isinstance(model, BaseModel):
        return model
    update: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value, here = getattr(model, name), (*path, field.alias or name)
        scales = _annotation(field)
        if scales is None:
            new = _scale(value, ratios, here, scaled)
        elif scales.kind in ratios and ratios[scales.kind] != 1 and value is not None:
            new = scales.apply(value, ratios[scales.kind])
            scaled[here] = scales
        else:
            new = value
        if new is not value:
            update[name] = new
    return model.model_copy(update=update) if update else model


def _annotation(field: FieldInfo) -> Scales | None:
    return next((item for item in field.metadata if isinstance(item, Scales)), None)


def _apply(system: System, environment: str, index: int, change: Change, tree: dict[str, Any]) -> None:
    at: Path = ("environments", environment, "changes", index)
    for name, component in change.add.items():
        if name in tree:
            raise _error(system, (*at, "add", name), "production declares it already", "use set, or another name")
        tree[name] = _dump(component)
    for name in change.remove:
        if name not in tree:
            raise _error(system, (*at, "remove"), f"{name!r} is not there to remove", "")
        del tree[name]
    for written, value in change.set.items():
        path = parse(written)
        node: Any = tree
        for depth, part in enumerate(path[:-1]):
            node = _child(system, (*at, "set", written), node, part, path[:depth])
        _child(system, (*at, "set", written), node, path[-1], path[:-1])
        node[path[-1]] = value


def _child(system: System, at: Path, node: Any, part: str | int, parent: Path) -> Any:
    if isinstance(node, dict) and part in node:
        return node[part]
    if isinstance(node, list | tuple) and isinstance(part, int) and part < len(node):
        return node[part]
    children = sorted(map(str, node)) if isinstance(node, dict) else []
    optional = _optional_keys(parent, node)
    if part in optional:
        node[part] = None
        return None
    match = difflib.get_close_matches(str(part), [*children, *optional], n=1, cutoff=0.5)
    where = f" in {render(parent)}" if parent else ""
    fix = f"did you mean {match[0]!r}?" if match else f"known{where}: {', '.join([*children, *optional])}"
    raise _error(system, at, f"unknown path: there is no {part!r}{where}", fix)


def _optional_keys(parent: Path, node: Any) -> list[str]:
    """Returns fields of a component that production leaves unset."""
    if len(parent) != 1 or not isinstance(node, dict) or "kind" not in node:
        return []
    union = get_args(get_args(AnyComponent)[0])
    model = next(m for m in union if node["kind"] in get_args(m.model_fields["kind"].annotation))
    return [field.alias or name for name, field in model.model_fields.items() if (field.alias or name) not in node]


def _error(system: System, path: Path, message: str, fix: str) -> ConfigError:
    return ConfigError(Problem(system.file, system.line(path), render(path), message, fix))


def _substitute(node: Any, words: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _substitute(value, words) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return type(node)(_substitute(value, words) for value in node)
    if type(node) is str and "{" in node:
        for word, value in words.items():
            node = node.replace(f"{{{word}}}", value)
    return node


def _checked(system: System, environment: str, name: str, dump: dict[str, Any], validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(dump)
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False):
            path: Path = (name, *[part for part in item["loc"] if part != dump.get("kind")])
            at = _deciding_change(system, environment, path) or declared_at(path)
            why = str(item.get("ctx", {}).get("error", item["msg"]))
            value = "nothing" if item["input"] is None else f"{item['input']!s:.60}"
            text = f"in {environment}, {render(path)} would be {value}: {why}"
            problems.append(Problem(system.file, system.line(at), render(at), text, "change the value or the scale"))
        raise ConfigError(*problems) from None


def _deciding_change(system: System, environment: str, path: Path) -> Path | None:
    for index, change in enumerate(system.environments[environment].changes):
        for written in change.set:
            changed = parse(written)
            if path[: len(changed)] == changed or changed[: len(path)] == path:
                return ("environments", environment, "changes", index, "set", written)
    return None


def _check_objects(system: System, name: str, components: dict[str, Any], configuration: Configuration) -> None:
    """Checks the objects of ``kind: manifests`` in this environment; reports all mistakes."""
    problems = []
    for path, message, fix in object_flaws(system, components, configuration):
        at = _deciding_change(system, name, path) or declared_at(path)
        problems.append(Problem(system.file, system.line(at), render(at), f"in {name}: {message}", fix))
    if problems:
        raise ConfigError(*problems)


def _check_removed(system: System, environment: str, components: dict[str, Any]) -> None:
    for name, component in components.items():
        for used in component.uses:
            if used not in components:
                raise _error(
                    system,
                    ("environments", environment, "changes"),
                    f"{environment} has no {used!r}, which {name!r} uses",
                    f"set {name}.uses in the same change",
                )


def _check_hosts(system: System, environment: str, components: dict[str, Any]) -> None:
    domain = system.environments[environment].domain
    for name, component in components.items():
        for field, host in hosts(component):
            if host != domain and not host.endswith(f".{domain}"):
                at = _deciding_change(system, environment, (name, *field)) or ("components", name, *field)
                raise _error(
                    system, at, f"in {environment}, {host!r} is not inside {domain!r}", "write a name below {domain}"
                )


def _check_elsewhere(system: System, environment: str, components: dict[str, Any]) -> None:
    """Raises ``ConfigError`` when a component of one environment refers to a store of another environment."""
    for name, component in components.items():
        other = (
            whose(system, environment, component.existing.host, component.existing.cidr) if component.existing else None
        )
        if other:
            at = _deciding_change(system, environment, (name, "existing")) or ("components", name, "existing")
            message = f"in {environment}, {name!r} is {other}'s: {component.existing.host}, {component.existing.cidr}"
            raise _error(system, at, message, "an environment uses its own stores alone; it gets data sanitised")
