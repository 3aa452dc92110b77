"""Differences that are allowed without an explanation, with owner, reason and end date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.errors import ConfigError, Problem
from config.model.base import Model, Reason

from .parity import FAILING, Difference

FILE = Path(__file__).parent / "allow.yaml"


class Allowed(Model):
    """One leaf of one resource; an empty path is the whole resource."""

    system: str
    resource: str
    path: str = ""
    owner: str
    because: Reason
    expires: date

    def covers(self, difference: Difference) -> bool:
        return (self.resource, self.path) == (difference.resource, difference.path)


def read(system: str, file: Path = FILE) -> tuple[Allowed, ...]:
    """Returns the entries of a system; raises ``ConfigError`` with entry and problem."""
    try:
        content = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or []
        if not isinstance(content, list):
            raise ConfigError(Problem(file.name, None, "", "expected a list of allowed differences"))
        entries = [Allowed.model_validate(entry) for entry in content]
    except (OSError, YAMLError) as error:
        raise ConfigError(Problem(file.name, None, "", str(error).splitlines()[0])) from None
    except ValidationError as error:
        fix = "each entry has system, resource, path, owner, because and expires (a date)"
        wrong = error.errors(include_url=False)[0]
        where = ".".join(map(str, wrong["loc"]))
        raise ConfigError(Problem(file.name, None, where, wrong["msg"], fix)) from None
    return tuple(entry for entry in entries if entry.system == system)


def settle(
    differences: Iterable[Difference], allowed: Iterable[Allowed], today: date
) -> tuple[list[Difference], list[tuple[Difference, Allowed]], list[str]]:
    """Returns failures, allowed differences, and entries of the list that have expired or match nothing."""
    failing, excused, faults = [], [], []
    entries = list(allowed)
    for difference in differences:
        if difference.kind not in FAILING:
            continue
        entry = next((e for e in entries if e.covers(difference) and e.expires >= today), None)
        if entry:
            excused.append((difference, entry))
        else:
            failing.append(difference)
    used = {id(entry) for _, entry in excused}
    for entry in entries:
        where = f"{entry.resource} {entry.path}".strip()
        if entry.expires < today:
            faults.append(f"allowed until {entry.expires}, by {entry.owner}: {where}")
        elif id(entry) not in used:
            faults.append(f"allowed by {entry.owner} and not there: {where}")
    return failing, excused, faults
