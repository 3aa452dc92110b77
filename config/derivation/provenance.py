"""Provenance: the origin of each value of an environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from config.model.base import Model
from config.model.scaling import Scales
from config.paths import Path, leaves, parse, render
from config.system import Change, Resolved, System

Rule = Literal["same", "scaled", "changed", "identity", "added", "removed"]
BASE = "production"
"""The environment from which all others are derived."""


class Derived(Model):
    """The origin of one value of a derived environment."""

    path: str
    production: Any = None
    value: Any = None
    rule: Rule
    ratio: str | None = None
    """The declared scale, such as ``50%``; only for scaled values."""
    because: str | None = None
    assumed: str | None = None
    """The reason why production's value is an assumption, where it was not stated."""
    source: str
    """File and line that decided the value."""


def _values(resolved: Resolved) -> Iterator[tuple[Path, Any]]:
    dump = resolved.model_dump(by_alias=True, mode="json", exclude_none=True)
    yield from leaves(dump["environment"], ("environment",))
    yield from leaves(dump["configuration"], ("configuration",))
    yield from leaves(dump["secrets"], ("secrets",))
    for name, component in dump["components"].items():
        yield from leaves(component, (name,))


def provenance(
    system: System,
    base: Resolved,
    resolved: Resolved,
    scaled: dict[Path, Scales],
    changes: list[tuple[int, Change]],
) -> dict[str, Derived]:
    name = resolved.environment.name
    before, after = dict(_values(base)), dict(_values(resolved))
    settings = system.environments[name]
    assumed = {path: item.because for item in system.assumed for path in map(parse, item.paths)}
    decided: dict[Path, Any] = {
        parse(path): (("environments", name, "changes", index, "set", path), change.because)
        for index, change in changes
        for path in change.set
    }
    only_in_one: dict[Path, Any] = {
        (component,): (("environments", name, "changes", index), change.because)
        for index, change in changes
        for component in (*change.add, *change.remove)
    }
    result: dict[str, Derived] = {}
    for path in dict.fromkeys((*after, *before)):
        old, new = before.get(path), after.get(path)
        change = _nearest(path, decided) or _nearest(path, only_in_one)
        ratio = because = None
        at: Path
        if path[0] == "environment":
            rule: Rule = "identity" if name != BASE and old != new else "same"
            at, because = (
                ("environments", name, *path[1:]),
                "each environment has its own" if rule == "identity" else None,
            )
        elif change:
            rule = "changed" if path in before and path in after else "added" if path in after else "removed"
            at, because = change
            rule = "same" if old == new else rule
        elif path in scaled and old != new:  # a floor may keep production's value
            scale = settings.scale[scaled[path].kind]
            at, rule, ratio = ("environments", name, "scale", scaled[path].kind), "scaled", str(scale.ratio)
            because = scale.because or f"{scaled[path].kind} at {scale.ratio} of production"
        elif old == new:
            at, rule = declared_at(path), "same"
        else:
            at, rule, because = declared_at(path), "identity", "names the environment"
        line = system.line(at)
        result[render(path)] = Derived(
            path=render(path),
            production=old,
            value=new,
            rule=rule,
            ratio=ratio,
            because=because,
            assumed=_nearest(path, assumed),
            source=f"{system.file}:{line}" if line else f"default ({system.file})",
        )
    return result


def declared_at(path: Path) -> Path:
    """Returns the path at which production's file states the value."""
    return path if path[0] in ("configuration", "secrets") else ("components", *path)


def _nearest(path: Path, table: dict[Path, Any]) -> Any:
    """Returns the table's entry for the path or its nearest ancestor."""
    while path:
        if path in table:
            return table[path]
        path = path[:-1]
    return None
