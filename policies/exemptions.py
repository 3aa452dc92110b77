"""Exemptions from rules, with owner, reason and end date. Reports always list them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from .rule import Finding

FILE = Path(__file__).parent / "exemptions.yaml"
_KEYS = {"rule", "urn", "owner", "because", "expires"}
_FIX = "each entry has rule, urn, owner, because (eight characters at least) and expires (a date)"


class Malformed(ValueError):
    """The file cannot be read as exemptions: there are then no exemptions, and the check fails."""


@dataclass(frozen=True)
class Exemption:
    """An exemption from one rule for resources whose URN matches; ``*`` matches within one part of the URN."""

    rule: str
    urn: str
    owner: str
    because: str
    expires: date

    def covers(self, finding: Finding) -> bool:
        return finding.rule == self.rule and _pattern(self.urn).fullmatch(finding.urn) is not None


def _pattern(urn: str) -> re.Pattern[str]:
    return re.compile(r"[^:$]*".join(re.escape(part) for part in urn.split("*")))


def read(rules: Iterable[str], file: Path = FILE) -> tuple[Exemption, ...]:
    """Reads the exemptions; raises ``Malformed`` with file, entry and remedy."""
    rule_ids = set(rules)
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    except (OSError, yaml.YAMLError) as error:
        raise Malformed(f"{file.name}: {str(error).splitlines()[0]}") from None
    if not isinstance(content, list):
        raise Malformed(f"{file.name}: expected a list of exemptions")
    return tuple(
        _entry(f"{file.name}: entry {number}", entry, rule_ids) for number, entry in enumerate(content, start=1)
    )


def _entry(where: str, entry: Any, known: set[str]) -> Exemption:
    if not isinstance(entry, Mapping) or set(entry) != _KEYS:
        raise Malformed(f"{where}: found {sorted(entry) if isinstance(entry, Mapping) else entry!r}; {_FIX}")
    if entry["rule"] not in known:
        raise Malformed(f"{where}: there is no rule {entry['rule']!r}; known: {', '.join(sorted(known))}")
    if not isinstance(entry["expires"], date) or len(str(entry["because"]).strip()) < 8 or not entry["owner"]:
        raise Malformed(f"{where}: {_FIX}")
    urn = str(entry["urn"])
    above, _, name = urn.rpartition("::")
    if not urn.startswith("urn:pulumi:") or "*" in above or name.count("*") > 1 or name == "*":
        raise Malformed(f"{where}: {urn!r} is too broad: name stack and resource, with one * in its name at most")
    return Exemption(str(entry["rule"]), urn, str(entry["owner"]), str(entry["because"]).strip(), entry["expires"])


@dataclass(frozen=True)
class Ledger:
    """The exemptions that are in force on a day."""

    entries: tuple[Exemption, ...]
    today: date

    def exempt(self, finding: Finding) -> Exemption | None:
        """Returns the exemption of a finding; expired exemptions do not count."""
        return next((e for e in self.entries if e.covers(finding) and e.expires >= self.today), None)

    def faults(self, findings: Iterable[Finding], stack: str | None = None) -> Iterator[Finding]:
        """Yields findings for exemptions that have expired or match no finding; with ``stack`` only those of that stack."""
        all_findings = list(findings)
        for entry in self.entries:
            if stack is not None and not entry.urn.startswith(f"urn:pulumi:{stack}::"):
                continue
            if entry.expires < self.today:
                text = f"the exemption of {entry.owner} expired on {entry.expires}: {entry.because}"
                yield Finding(entry.rule, entry.urn, "exemption", text)
            elif not any(entry.covers(finding) for finding in all_findings):
                yield Finding(
                    entry.rule, entry.urn, "exemption", f"the exemption of {entry.owner} allows nothing that is there"
                )
