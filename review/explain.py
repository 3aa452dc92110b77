"""The differences of an environment from production, as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from config.derivation.provenance import Derived
from config.model.quantity import Bytes, Cpu, Duration, Quantity
from config.paths import parse
from config.system import Resolved

Row = tuple[str, str, str, str, bool]
"""The columns: value, production, staging, ratio, assumed."""


def records(derivation: Mapping[str, Derived], *, only_differences: bool) -> list[dict[str, Any]]:
    """Returns ``{path, production, staging, rule, ratio, because, assumed, source}`` for every value."""
    return [
        {
            "path": derived.path,
            "production": derived.production,
            "staging": derived.value,
            "rule": derived.rule,
            "ratio": derived.ratio,
            "because": derived.because,
            "assumed": derived.assumed,
            "source": derived.source,
        }
        for derived in derivation.values()
        if not only_differences or derived.rule != "same"
    ]


_LEAVES: dict[str, tuple[str, type[Quantity]]] = {
    "cpu": ("CPU", Cpu),
    "memory": ("Memory", Bytes),
    "storage": ("Storage", Bytes),
    "retention": ("Retention", Duration),
}


def allocation(resolved: Resolved, derivation: Mapping[str, Derived]) -> list[Row]:
    """Returns the table "Resource Allocation": requests and limits as a range, storage per node, retention in days."""
    groups: dict[tuple[str, str, str], list[Derived]] = {}
    for derived in derivation.values():
        path = parse(derived.path)
        if derived.rule == "scaled" and path[-1] in _LEAVES:
            prefix = _words(str(path[1])) if len(path) > 2 and path[1] != "resources" else ""
            groups.setdefault((str(path[0]), prefix, str(path[-1])), []).append(derived)
    rows = []
    for (name, prefix, leaf), entries in groups.items():
        component = resolved.components[name]
        noun, quantity = _LEAVES[leaf]
        unit = "/node" if leaf == "storage" and getattr(component, "nodes", 1) > 1 else ""
        title = " ".join(part for part in (component.title or name, prefix, noun) if part)
        before = [quantity.parse(d.production) for d in entries]
        after = [quantity.parse(d.value) for d in entries]
        ratio = Fraction(after[0].value, before[0].value) if before[0].value else Fraction(1)
        shown = f"{float(ratio * 100):.4g}%"
        rows.append((title, _range(before) + unit, _range(after) + unit, shown, any(d.assumed for d in entries)))
    return rows


def _words(camel: str) -> str:
    text = re.sub(r"(?<!^)(?=[A-Z])", " ", camel.removesuffix("Resources"))
    return text[:1].upper() + text[1:].lower()


def _range(quantities: list[Quantity]) -> str:
    """Formats a range as the staging documents do: ``2-4 cores``, ``250-500m``, ``8-16GB``, ``30 days``."""
    texts = [_text(q) for q in sorted(set(quantities), key=lambda q: q.value)]
    first = quantities[0]
    if isinstance(first, Cpu):
        all_numbers = all(text[-1].isdigit() for text in texts)
        return _joined(texts, " cores" if all_numbers else "")
    if isinstance(first, Duration) and all(text.endswith("d") for text in texts):
        return _joined([text[:-1] for text in texts], " days")
    return _joined(texts, "")


def _text(quantity: Quantity) -> str:
    text = str(quantity)
    return f"{text}B" if isinstance(quantity, Bytes) and text[-1] in "kMGTP" else text


def _joined(texts: list[str], unit: str) -> str:
    """Joins the ends of a range; a common unit is written once."""
    if len(texts) == 1:
        return texts[0] + unit
    suffixes = [re.sub(r"^[\d.]+", "", text) for text in texts]
    first = texts[0].removesuffix(suffixes[0]) if suffixes[0] == suffixes[-1] else texts[0]
    return f"{first}-{texts[-1]}{unit}"


def deliberate(derivation: Mapping[str, Derived]) -> dict[str, list[Derived]]:
    """Returns the changes, by reason."""
    reasons: dict[str, list[Derived]] = {}
    for derived in derivation.values():
        if derived.rule in ("changed", "added", "removed"):
            reasons.setdefault(derived.because or "", []).append(derived)
    return reasons


def markdown(resolved: Resolved, derivation: Mapping[str, Derived]) -> str:
    """Returns the section "Differences from Production"."""
    environment = resolved.environment.name.capitalize()
    lines = [
        "### Resource Allocation",
        "",
        *_table(("Component", "Production", environment, "Ratio"), _allocation_rows(resolved, derivation)),
        "",
        "\\* production's value is assumed, because it was not stated (`./understudy explain` gives the reason).",
        "",
        "### Configuration Differences",
        "",
    ]
    for because, paths in deliberate(derivation).items():
        rows = [(f"`{d.path}`", _value(d.production), _value(d.value)) for d in paths]
        lines += [
            f"**{because[:1].upper()}{because[1:]}**",
            "",
            *_table(("Value", "Production", environment), rows),
            "",
        ]
    identities = [d for d in derivation.values() if d.rule == "identity"]
    rows = [(f"`{d.path}`", _value(d.production), _value(d.value)) for d in identities]
    lines += ["### Identity", "", *_table(("Value", "Production", environment), rows)]
    return "\n".join(lines) + "\n"


def _allocation_rows(resolved: Resolved, derivation: Mapping[str, Derived]) -> list[tuple[str, ...]]:
    return [
        (f"**{what}**", production + (" \\*" if assumed else ""), staging, ratio)
        for what, production, staging, ratio, assumed in allocation(resolved, derivation)
    ]


def _value(value: Any) -> str:
    return "" if value is None else f"`{value}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
