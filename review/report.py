"""The parity of a stack with production, for people and programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from .allow import Allowed
from .parity import Class, Difference


@dataclass(frozen=True)
class Parity:
    """The comparison of one stack with production."""

    system: str
    stack: str
    differences: Sequence[Difference]
    failing: Sequence[Difference]
    excused: Sequence[tuple[Difference, Allowed]]
    faults: Sequence[str]
    pending: Sequence[Difference]
    fidelity: Sequence[str]

    @property
    def faithful(self) -> bool:
        return not self.failing and not self.faults

    def counts(self) -> dict[str, int]:
        numbers = Counter(difference.kind for difference in self.differences)
        numbers["pending promotion"] += len(self.pending)
        return {kind: numbers[kind] for kind in get_args(Class)}

    def verdict(self) -> str:
        """Returns the verdict in one line."""
        counts = ", ".join(f"{count} {kind}" for kind, count in self.counts().items() if count)
        summary = "equals production but for declared differences" if self.faithful else "is NOT production"
        return f"{self.stack} {summary}: {counts or 'no differences'}"


def as_json(parity: Parity) -> str:
    """Returns ``{system, stack, faithful, counts, differences, allowed, faults, pending, fidelity}``."""
    content: dict[str, Any] = {
        "system": parity.system,
        "stack": parity.stack,
        "faithful": parity.faithful,
        "counts": parity.counts(),
        "differences": [asdict(difference) for difference in parity.differences],
        "allowed": [{**asdict(d), "owner": e.owner, "until": e.expires.isoformat()} for d, e in parity.excused],
        "faults": list(parity.faults),
        "pending": [asdict(difference) for difference in parity.pending],
        "fidelity": list(parity.fidelity),
    }
    return json.dumps(content, indent=1, default=str)


def as_markdown(parity: Parity) -> str:
    """Returns the verdict, then the failures, the number of explained differences, and the limits of the environment."""
    lines = [f"**{parity.verdict()}**", ""]
    if parity.failing:
        lines += ["| | Resource | Path | Production | Here |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| {d.kind} | {d.resource} | {_code(d.path)} | {_code(d.production)} | {_code(d.staging)} |"
            for d in parity.failing
        ]
        lines.append("")
    lines += [f"- {fault}" for fault in parity.faults]
    lines += [
        f"- allowed until {e.expires} by {e.owner}: {d.resource} {d.path} ({e.because})" for d, e in parity.excused
    ]
    if parity.pending:
        lines += ["", f"<details><summary>{len(parity.pending)} pending promotion</summary>", ""]
        lines += [f"- {d.resource} {_code(d.path)}: {_code(d.production)} → {_code(d.staging)}" for d in parity.pending]
        lines += ["", "</details>"]
    if parity.fidelity:
        lines += ["", "What this environment cannot tell about production:", ""]
        lines += [f"- {sentence}" for sentence in parity.fidelity]
    return "\n".join(lines).strip() + "\n"


def _code(value: object) -> str:
    text = str(value).replace("|", "\\|").replace("`", "'").replace("\n", " ")
    return f"`{text[:117]}…`" if len(text) > 120 else f"`{text}`" if text else ""
