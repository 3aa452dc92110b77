"""Reports of ``check``: all files in one pass, as JSON and as SARIF."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from config.errors import Problem
from review.findings import Finding, Report, as_json, as_sarif, examine
from tests.systems import MINIMAL

SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {"driver": {"type": "object", "required": ["name"]}},
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "level", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"type": "object", "required": ["text"]},
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "region": {
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}}
                                                    }
                                                },
                                            }
                                        }
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""The part of https://docs.oasis-open.org/sarif/sarif/v2.1.0/ (3.13 to 3.30) that is used."""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files with mistakes and a valid one between them."""
    texts = {
        "a.yaml": MINIMAL.replace("kind: service", "kind: serivce", 1),
        "b.yaml": MINIMAL,
        "c.yaml": "system: [",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return [tmp_path / name for name in texts]


def test_a_mistake_in_one_file_hides_none_in_another(files: list[Path]) -> None:
    report = examine(files, "HEAD")
    assert set(report.valid) == {"b.yaml"}
    assert {Path(problem.file).name for problem in report.errors} == {"a.yaml", "c.yaml"}


def test_json_has_the_promised_keys(files: list[Path]) -> None:
    document = json.loads(as_json(examine(files, "HEAD")))
    assert document.keys() == {"version", "valid", "findings"}
    assert document["version"] == 1
    keys = {"severity", "file", "line", "path", "message", "fix"}
    assert all(finding.keys() == keys for finding in document["findings"])
    [first, *_] = document["findings"]
    assert (first["severity"], first["message"]) == ("error", "unknown kind 'serivce'")
    assert isinstance(first["line"], int)
    assert "service" in first["fix"]


def test_sarif_says_the_same_as_json(files: list[Path]) -> None:
    report = examine(files, "HEAD")
    document, plain = json.loads(as_sarif(report)), json.loads(as_json(report))
    jsonschema.validate(document, SARIF)
    results = document["runs"][0]["results"]
    assert [r["level"] for r in results] == [f["severity"] for f in plain["findings"]]
    for result, finding in zip(results, plain["findings"], strict=True):
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == finding["file"]
        assert place["region"]["startLine"] == (finding["line"] or 1)
        assert finding["message"] in result["message"]["text"]
    known = {rule["id"] for rule in document["runs"][0]["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in results} <= known


def test_warnings_are_no_errors() -> None:
    report = Report({"b.yaml": "1 component"}, (Finding("warning", Problem("b.yaml", None, "", "odd")),))
    assert report.errors == ()
    [result] = json.loads(as_sarif(report))["runs"][0]["results"]
    assert (result["level"], result["ruleId"]) == ("warning", "declaration-warning")


def test_the_schema_above_refuses_what_sarif_refuses() -> None:
    for wrong in (
        {"version": "2.0.0", "runs": []},
        {"version": "2.1.0"},
        {"version": "2.1.0", "runs": [{"results": []}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SARIF)
