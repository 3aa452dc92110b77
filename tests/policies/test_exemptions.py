"""What may be allowed, and how it is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policies.exemptions import FILE, Ledger, Malformed, read
from policies.rules import RULES
from policies.verdict import judge
from tests.policies.fixtures import change, spoiled

TODAY = date(2026, 11, 20)
URN = (
    "urn:pulumi:staging::understudy::understudy:environment:Environment$understudy:service:Service$"
    "kubernetes:apps/v1:Deployment::game-server"
)
ENTRY = f"""\
- rule: workloads-pinned-images
  urn: {URN}
  owner: platform
  because: the vendor publishes no versions
  expires: 2027-01-31
"""
BROKEN = change("Deployment", "game-server", "spec.template.spec.containers.0.image", "r.example.com/a:latest")


def ledger(text: str, folder: Path, today: date = TODAY) -> Ledger:
    file = folder / "exemptions.yaml"
    file.write_text(text)
    return Ledger(read(RULES, file), today)


def test_the_shipped_ledger_is_read() -> None:
    assert read(RULES, FILE) == ()


def test_an_exemption_lets_pass_and_is_shown(tmp_path: Path) -> None:
    verdict = judge(spoiled(BROKEN), RULES.values(), ledger(ENTRY, tmp_path), "staging")
    assert verdict.clean
    [(finding, exemption)] = verdict.exempted
    assert (finding.urn, exemption.owner) == (URN, "platform")


def test_a_star_stands_for_a_part_of_the_name(tmp_path: Path) -> None:
    text = ENTRY.replace("::game-server", "::game-*")
    assert judge(spoiled(BROKEN), RULES.values(), ledger(text, tmp_path), "staging").clean


def test_an_expired_one_fails_twice(tmp_path: Path) -> None:
    verdict = judge(spoiled(BROKEN), RULES.values(), ledger(ENTRY, tmp_path, date(2027, 2, 1)), "staging")
    assert len(verdict.findings) == 2
    assert any("expired on 2027-01-31" in finding.message for finding in verdict.findings)


def test_an_unused_one_fails_in_its_own_stack(tmp_path: Path) -> None:
    found = ledger(ENTRY, tmp_path)
    [finding] = judge(spoiled(), RULES.values(), found, "staging").findings
    assert "allows nothing that is there" in finding.message
    assert judge(spoiled(stack="production"), RULES.values(), found, "production").clean


def test_it_allows_that_rule_and_no_other(tmp_path: Path) -> None:
    text = ENTRY.replace("workloads-pinned-images", "workloads-probes")
    assert len(judge(spoiled(BROKEN), RULES.values(), ledger(text, tmp_path), "staging").findings) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "expected a list"),
        ("[", "exemptions.yaml"),
        ("- rule: x", "each entry has"),
        (ENTRY.replace("workloads-pinned-images", "workloads-pinned"), "there is no rule"),
        (ENTRY.replace("2027-01-31", "soon"), "expires (a date)"),
        (ENTRY.replace("the vendor publishes no versions", "meh"), "eight characters"),
        (ENTRY.replace("owner: platform", "owner: ''"), "each entry has"),
        (ENTRY.replace("::game-server", "::*"), "too broad"),
        (ENTRY.replace("::game-server", "::g*m*"), "too broad"),
        (ENTRY.replace("urn:pulumi:staging", "urn:pulumi:*"), "too broad"),
        (ENTRY.replace(URN, "'*'"), "too broad"),
        (ENTRY.replace("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:*"), "too broad"),
        (ENTRY + "  extra: 1\n", "each entry has"),
    ],
)
def test_malformed(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        ledger(text, tmp_path)
    assert said in str(caught.value)
