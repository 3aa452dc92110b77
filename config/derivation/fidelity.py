"""The differences from production that limit what tests in an environment can show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from config.kinds import Eks, External, Istio
from config.system import Resolved

from .provenance import Derived


def statement(resolved: Resolved, derivation: Mapping[str, Derived], deployed_kinds: Collection[str]) -> list[str]:
    """Returns sentences, most important first; empty for production with every component deployed."""
    sentences = []
    missing = [
        name
        for name, component in resolved.components.items()
        if component.kind not in deployed_kinds and component.existing is None and not isinstance(component, External)
    ]
    if missing:
        sentences.append(f"Declared and not deployed, because their components do not exist yet: {', '.join(missing)}.")
    elsewhere = [name for name, c in resolved.components.items() if c.existing or isinstance(c, External)]
    if elsewhere:
        sentences.append(f"Run by somebody else, so nothing here proves them: {', '.join(elsewhere)}.")
    charts = [name for name, component in resolved.components.items() if isinstance(component, Istio | Eks)]
    if charts:
        sentences.append(
            f"Made by Helm charts, of which only the version and the values are judged: what runs for {', '.join(charts)}."
        )
    scaled = list(dict.fromkeys(d.because for d in derivation.values() if d.rule == "scaled" and d.because))
    if scaled:
        sentences.append(f"Capacity and latency under load are not production's: {'; '.join(scaled)}.")
    one_sided = {
        path.partition(".")[0] for path, d in derivation.items() if d.rule != "same" and path.endswith(".kind")
    }
    reasons: dict[str, list[str]] = defaultdict(list)
    for path, derived in derivation.items():
        if derived.rule in ("changed", "added", "removed") and derived.because:
            component = path.partition(".")[0]
            # for a component that was added or removed, its name is enough
            reasons[derived.because].append(component if component in one_sided else path)
    sentences += [
        f"Differs on purpose ({reason}): {', '.join(dict.fromkeys(paths))}." for reason, paths in reasons.items()
    ]
    return sentences
