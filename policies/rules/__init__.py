"""Every rule, by id. Rules are grouped in folders by family, with one file for each subject."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from ..rule import Rule

FAMILIES = ("isolation", "ratios", "workloads", "data", "aws", "mesh")


def _all() -> Mapping[str, Rule]:
    rules: dict[str, Rule] = {}
    for family in FAMILIES:
        package = importlib.import_module(f"{__name__}.{family}")
        for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
            rule: Rule = importlib.import_module(f"{package.__name__}.{module}").RULE
            assert rule.id == f"{family}-{module.replace('_', '-')}", rule.id
            rules[rule.id] = rule
    return rules


RULES = _all()
