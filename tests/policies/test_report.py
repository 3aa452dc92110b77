"""Reports: the published page is fresh, SARIF is SARIF, and nothing is lost on the way."""

from __future__ import annotations

import json

from policies.report import as_json, as_markdown, as_sarif
from policies.rules import RULES
from policies.verdict import judge
from review.generated import POLICIES
from tests.policies.fixtures import LEDGER, change, spoiled

BROKEN = change("Deployment", "game-server", "spec.template.spec.containers.0.image", "r.example.com/a:latest")


def test_the_page_is_fresh_and_lists_every_rule() -> None:
    page = POLICIES.read_text(encoding="utf-8")
    assert page == as_markdown(RULES)
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == list(RULES)


def test_json_and_sarif_say_the_same() -> None:
    verdict = judge(spoiled(BROKEN), RULES.values(), LEDGER, "staging")
    plain, sarif = json.loads(as_json("staging", verdict, RULES)), json.loads(as_sarif("staging", verdict, RULES))
    [finding], [result] = plain["findings"], sarif["runs"][0]["results"]
    assert finding["rule"] == result["ruleId"] == "workloads-pinned-images"
    assert "game-server" in result["message"]["text"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "Pulumi.staging.yaml"
    assert len(sarif["runs"][0]["tool"]["driver"]["rules"]) == plain["rules"] == len(RULES)
    assert sarif["version"] == "2.1.0"
