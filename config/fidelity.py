"""What an environment cannot tell about production."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from .provenance import Derived
from .system import Resolved


def statement(resolved: Resolved, derivation: Mapping[str, Derived], deployed_kinds: Collection[str]) -> list[str]:
    """Sentences, most important first; empty for production with every component deployed."""
    sentences = []
    missing = [
        name
        for name, component in resolved.components.items()
        if component.kind not in deployed_kinds and component.existing is None
    ]
    if missing:
        sentences.append(f"Declared and not deployed, because their components do not exist yet: {', '.join(missing)}.")
    elsewhere = [name for name, component in resolved.components.items() if component.existing]
    if elsewhere:
        sentences.append(f"Run by somebody else, so nothing here proves them: {', '.join(elsewhere)}.")
    scaled = list(dict.fromkeys(d.because for d in derivation.values() if d.rule == "scaled" and d.because))
    if scaled:
        sentences.append(f"Capacity and latency under load are not production's: {'; '.join(scaled)}.")
    reasons: dict[str, list[str]] = defaultdict(list)
    for path, derived in derivation.items():
        if derived.rule in ("changed", "added", "removed") and derived.because:
            reasons[derived.because].append(path)
    sentences += [f"Differs on purpose ({reason}): {', '.join(paths)}." for reason, paths in reasons.items()]
    return sentences
