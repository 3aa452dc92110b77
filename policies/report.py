"""Formats a verdict for terminals, for programs, and for code scanning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .rule import Finding, Rule
from .verdict import Verdict

_SARIF_LEVEL = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORE = {"critical": "9.0", "high": "7.0", "medium": "5.0", "low": "3.0"}
"""SARIF's ``security-severity`` of each severity."""


def _entry(finding: Finding) -> dict[str, str]:
    return {"rule": finding.rule, "urn": finding.urn, "property": finding.property, "message": finding.message}


def as_json(stack: str, verdict: Verdict, rules: Mapping[str, Rule]) -> str:
    """Returns ``{stack, rules, findings, exempted}`` as JSON."""
    exempted = [
        {**_entry(finding), "owner": e.owner, "because": e.because, "expires": e.expires.isoformat()}
        for finding, e in verdict.exempted
    ]
    findings = [_entry(finding) for finding in verdict.findings]
    return json.dumps({"stack": stack, "rules": len(rules), "findings": findings, "exempted": exempted}, indent=1)


def as_sarif(stack: str, verdict: Verdict, rules: Mapping[str, Rule]) -> str:
    """Returns SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/); each result is located in the stack's file."""
    descriptors = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.description},
            "help": {"text": rule.remediation},
            "defaultConfiguration": {"level": _SARIF_LEVEL[rule.severity]},
            "properties": {"security-severity": _SCORE[rule.severity]},
        }
        for rule in rules.values()
    ]
    results = [_result(stack, finding, rules[finding.rule]) for finding in verdict.findings]
    for finding, exemption in verdict.exempted:
        result = _result(stack, finding, rules[finding.rule])
        result["suppressions"] = [{"kind": "external", "justification": f"{exemption.owner}: {exemption.because}"}]
        results.append(result)
    driver = {"name": "understudy", "rules": descriptors}
    document: dict[str, Any] = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, indent=1)


def _result(stack: str, finding: Finding, rule: Rule) -> dict[str, Any]:
    where = f"{finding.property}: " if finding.property else ""
    return {
        "ruleId": rule.id,
        "level": _SARIF_LEVEL[rule.severity],
        "message": {"text": f"{finding.urn.rpartition('::')[2]}: {where}{finding.message}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": f"Pulumi.{stack}.yaml"}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": f"{finding.urn}#{finding.property}"}],
            }
        ],
    }


def as_markdown(rules: Mapping[str, Rule]) -> str:
    """Returns the description of all rules for docs/policies.md."""
    lines = [
        "# Policies",
        "",
        "Written by `make docs` from the rules themselves. All are mandatory; exemptions stand in `policies/exemptions.yaml`.",
        "",
    ]
    for rule in rules.values():
        references = "; ".join(
            f"[{r.framework} {r.version}: {_titled(r.id, r.title)}]({r.url})" for r in rule.references
        )
        lines += [
            f"## {rule.id}",
            "",
            rule.description,
            "",
            f"*{rule.severity}* · {references}",
            "",
            f"To mend it: {rule.remediation}",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _titled(id_: str, title: str) -> str:
    return title if id_ == title else f"{id_} {title}"
