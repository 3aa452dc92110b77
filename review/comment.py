"""Formats the reviewer's comment: the verdict first, then changes that cannot be undone, then the rest, folded."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from policies.verdict import Verdict

from .changes import Leaf, Operation, StackChange, Step, folded
from .report import Parity

MARKER = "<!-- understudy: review -->"
"""An invisible marker by which the comment is found again."""
LIMIT = 65_536
"""Limit of a comment's characters in GitHub, which refuses longer ones."""
_OPERATIONS: tuple[Operation, ...] = ("replace", "delete", "update", "create")
_VERBS: dict[Operation, str] = {"replace": "replaced", "delete": "deleted", "update": "updated", "create": "created"}
_SIGNS: dict[Operation, str] = {"replace": "±", "delete": "-", "update": "~", "create": "+"}


@dataclass(frozen=True)
class Review:
    """The content of a review comment."""

    base: str
    head: str
    stacks: Sequence[StackChange]
    verdicts: dict[str, Verdict]
    """Stack to the policies' verdict at head."""
    parities: Sequence[Parity]

    @property
    def destructive(self) -> list[tuple[StackChange, Step]]:
        return [(change, step) for change in self.stacks for step in change.steps if step.destructive]

    @property
    def violations(self) -> int:
        return sum(len(verdict.findings) for verdict in self.verdicts.values())

    @property
    def changes_nothing(self) -> bool:
        return not any(change.steps for change in self.stacks)

    @property
    def blocked(self) -> bool:
        """Whether the change must not be merged."""
        return self.violations > 0 or not all(parity.faithful for parity in self.parities)


def render(review: Review) -> tuple[str, str | None]:
    """Returns the comment, below the limit; and the complete text for an artifact, when something was left out."""
    full_text = _assemble(review, details=2)
    if len(full_text) <= LIMIT:
        return full_text, None
    for details in (1, 0):
        shorter = _assemble(review, details=details)
        if len(shorter) <= LIMIT:
            return shorter, full_text
    note = "\n\n*The rest did not fit; it is in the artifact of this run.*\n"
    return shorter[: LIMIT - len(note)].rpartition("\n")[0] + note, full_text


def _assemble(review: Review, *, details: int) -> str:
    lines = [MARKER, *_verdict(review), ""]
    if not (review.changes_nothing and not review.blocked):
        for change in review.stacks:
            if change.steps:
                lines += [*_stack(change, details), ""]
        lines += [*_policies(review), "", *_parity(review), ""]
    if details < 2:
        lines += ["*What did not fit is in the artifact of this run.*", ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _verdict(review: Review) -> Iterator[str]:
    if review.changes_nothing and not review.blocked:
        yield f"✅ Nothing deployable changed between `{review.base[:12]}` and `{review.head[:12]}`; every rule holds."
        return
    parts = []
    if review.violations:
        parts.append(f"{review.violations} policy violation{'s' if review.violations != 1 else ''}")
    parts += [
        f"{parity.stack} would differ from production without a declaration"
        for parity in review.parities
        if not parity.faithful
    ]
    if majors := [decision for change in review.stacks for decision in change.majors]:
        parts.append(f"{len(majors)} engine major version{'s' if len(majors) != 1 else ''}")
    if review.destructive:
        parts.append(f"{len(review.destructive)} destructive change{'s' if len(review.destructive) != 1 else ''}")
    mark = "🛑" if review.blocked else "⚠️" if review.destructive or majors else "✅"
    yield f"## {mark} {'; '.join(parts) or 'Every rule holds, and nothing is destroyed'}"
    counts = [f"`{change.stack}`: {', '.join(_count(change))}" for change in review.stacks if change.steps]
    yield ""
    yield f"{review.base[:12]} → {review.head[:12]} · " + (" · ".join(counts) or "no resource changes")


def _count(change: StackChange) -> Iterator[str]:
    for operation in _OPERATIONS:
        if steps := change.of(operation):
            yield f"{len(steps)} {_VERBS[operation]}"


def _stack(change: StackChange, details: int) -> Iterator[str]:
    yield f"### {change.stack}"
    yield ""
    destructive = [step for step in change.steps if step.destructive]
    if destructive or change.majors:
        yield "> [!CAUTION]"
        yield "> These cannot be undone:"
        for step in destructive[:50]:
            why = f", because of {_code(', '.join(step.reasons))}" if step.reasons else ""
            yield f"> - **{_VERBS[step.operation]}**: {step.kind} {_code(step.name)}{why}"
        if len(destructive) > 50:
            yield f"> - … and {len(destructive) - 50} more"
        for decision in change.majors:
            sides = f"{_code(_shown(decision.before))} → {_code(_shown(decision.after))}"
            yield f"> - **engine major version**: {_code(decision.path)}: {sides}; data does not come back to the earlier one"
        yield ""
    if change.decisions:
        yield "Declared values:"
        for decision in change.decisions[: 100 if details else 20]:
            because = f" because {_plain(decision.because)}" if decision.because else ""
            yield f"- {_code(decision.path)}: {_code(_shown(decision.before))} → {_code(_shown(decision.after))}{because}"
        yield ""
    if details >= 1:
        yield from _components(change, with_diffs=True)
    if details >= 2:
        yield f"<details><summary>All {len(change.steps)} steps ({change.source})</summary>"
        yield ""
        yield from _fenced("\n".join(f"{_SIGNS[s.operation]} {s.type} {s.name}" for s in change.steps), "diff")
        yield ""
        yield "</details>"


def _components(change: StackChange, *, with_diffs: bool) -> Iterator[str]:
    by_component: dict[str, list[Step]] = {}
    for step in change.steps:
        by_component.setdefault(change.component(step), []).append(step)
    for name, steps in sorted(by_component.items()):
        yield f"<details><summary><b>{_plain(name)}</b>: {len(steps)} resource(s)</summary>"
        yield ""
        for step in sorted(steps, key=lambda step: _OPERATIONS.index(step.operation)):
            text = "\n".join(line for leaf in step.leaves if not folded(leaf) for line in _leaf(leaf))
            hidden = sum(folded(leaf) for leaf in step.leaves)
            digests = f" ({hidden} checksum{'s' if hidden != 1 else ''})" if hidden else ""
            yield f"{_VERBS[step.operation]}: {step.kind} {_code(step.name)}{digests}"
            if text and with_diffs:
                yield ""
                yield from _fenced(text, "diff")
            yield ""
        yield "</details>"
        yield ""


def _leaf(leaf: Leaf) -> Iterator[str]:
    before, after = _shown(leaf.before), _shown(leaf.after)
    if "\n" in before or "\n" in after:
        yield f"@@ {leaf.path} @@"
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
        yield from (line for line in lines if not line.startswith(("---", "+++", "@@")))
        return
    if leaf.before is not None:
        yield f"- {leaf.path}: {before}"
    if leaf.after is not None:
        yield f"+ {leaf.path}: {after}"


def _policies(review: Review) -> Iterator[str]:
    yield "### Policies"
    yield ""
    for stack, verdict in review.verdicts.items():
        yield f"- `{stack}`: " + ("every rule holds" if verdict.clean else f"**{len(verdict.findings)} violation(s)**")
        for finding in verdict.findings[:40]:
            where = f" {_code(finding.property)}" if finding.property else ""
            yield f"  - {_code(finding.rule)} {_code(finding.urn.rpartition('::')[2])}{where}: {_plain(finding.message)}"
        if len(verdict.findings) > 40:
            yield f"  - … and {len(verdict.findings) - 40} more"
        for finding, exemption in verdict.exempted:
            until = f"exempt until {exemption.expires} by {_plain(exemption.owner)} ({_plain(exemption.because)})"
            yield f"  - {until}: {finding.rule} {_code(finding.urn.rpartition('::')[2])}"


def _parity(review: Review) -> Iterator[str]:
    yield "### Parity"
    yield ""
    for parity in review.parities:
        yield f"- {_plain(parity.verdict())}"
        for difference in parity.failing[:40]:
            sides = f"{_code(_shown(difference.production))} in production, {_code(_shown(difference.staging))} here"
            yield f"  - **{difference.kind}**: {_code(difference.resource)} {_code(difference.path)}: {sides}"
        yield from (f"  - {_plain(fault)}" for fault in parity.faults)
        for difference, entry in parity.excused:
            until = f"allowed until {entry.expires} by {_plain(entry.owner)} ({_plain(entry.because)})"
            yield f"  - {until}: {_code(difference.resource)} {_code(difference.path)}"


def _shown(value: Any) -> str:
    """Formats a value; secrets are hidden and long values cut."""
    if value is None:
        return "nothing"
    if isinstance(value, dict) and "[secret]" in value:
        return "(secret)"
    text = str(value)
    text = "(secret)" if text.startswith("[secret]") else text
    return text if len(text) <= 2000 or "\n" in text else f"{text[:2000]}…"


def _plain(text: str | None) -> str:
    """Escapes text for Markdown, HTML and mentions."""
    escaped = re.sub(r"([\\`*_\[\]|<>#])", r"\\\1", str(text or "").replace("\n", " "))
    return escaped.replace("@", "@\u200b")


def _code(text: object) -> str:
    """Formats inline code with any content."""
    flat = str(text).replace("\n", " ")[:300]
    fence = "`" * (max((len(run) for run in re.findall(r"`+", flat)), default=0) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"`{flat}`"


def _fenced(text: str, language: str) -> Iterator[str]:
    """Formats a block of code whose content cannot end it."""
    fence = "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    yield f"{fence}{language}"
    yield text
    yield fence
