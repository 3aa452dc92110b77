"""Mistakes and warnings of declarations in one report, for terminals, programs, and code scanning."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from config.errors import ConfigError, Problem

from .check import check, doubts

Severity = Literal["error", "warning"]
_RULES: dict[Severity, tuple[str, str]] = {
    "error": ("declaration-mistake", "The declaration is not valid; nothing is deployed from it."),
    "warning": ("declaration-warning", "The declaration is valid, and probably not what was intended."),
}


@dataclass(frozen=True)
class Finding:
    """A mistake or a warning."""

    severity: Severity
    problem: Problem


@dataclass(frozen=True)
class Report:
    """The result of a check of several files."""

    valid: dict[str, str]
    """File name to a summary of what it declares; files with mistakes are absent."""
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The mistakes of all files."""
        return tuple(finding.problem for finding in self.findings if finding.severity == "error")


def examine(files: Iterable[Path], since: str) -> Report:
    """Returns the mistakes and warnings of all files; a mistake in one file does not hide those of another.

    ``since`` is the git revision against which volumes must not shrink.
    """
    valid: dict[str, str] = {}
    findings: list[Finding] = []
    for file in files:
        try:
            summary = check(file, since)
            findings += [Finding("warning", problem) for problem in doubts(file)]
            valid[file.name] = summary
        except ConfigError as error:
            findings += [Finding("error", problem) for problem in error.problems]
    return Report(valid, tuple(dict.fromkeys(findings)))


def as_json(report: Report) -> str:
    """Returns ``{version, valid, findings}``; a finding has severity, file, line, path, message and fix.

    ``line`` is null where a finding is about a file as a whole.
    """
    entries = [
        {
            "severity": finding.severity,
            "file": finding.problem.file,
            "line": finding.problem.line,
            "path": finding.problem.path,
            "message": finding.problem.message,
            "fix": finding.problem.fix,
        }
        for finding in report.findings
    ]
    return json.dumps({"version": 1, "valid": report.valid, "findings": entries}, indent=1, ensure_ascii=False)


def as_sarif(report: Report) -> str:
    """Returns SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), with a result for each finding."""
    rules = [
        {"id": rule, "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}}
        for level, (rule, text) in _RULES.items()
    ]
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "understudy", "rules": rules}},
                "results": [_result(finding) for finding in report.findings],
            }
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def _result(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    field = f"{problem.path}: " if problem.path else ""
    fix = f"\nfix: {problem.fix}" if problem.fix else ""
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": problem.file},
            "region": {"startLine": problem.line or 1},
        }
    }
    if problem.path:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.path}]
    return {
        "ruleId": _RULES[finding.severity][0],
        "level": finding.severity,
        "message": {"text": f"{field}{problem.message}{fix}"},
        "locations": [location],
    }
