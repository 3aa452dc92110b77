"""Every rule lets the shipped graphs pass, and sees every way to break it; the engine's proxies change nothing."""

from __future__ import annotations

import pytest

from policies.rules import FAMILIES, RULES
from policies.rules.ratios.declaration import size
from tests.policies.cases import FAILS, PASSES
from tests.policies.fixtures import Spoil, change, findings, good, rule, spoiled, through_proxies

FAILING = [pytest.param(id_, spoils, id=f"{id_}: {why}") for id_, cases in FAILS.items() for why, spoils in cases]
PASSING = [pytest.param(id_, spoils, id=f"{id_}: {why}") for id_, cases in PASSES.items() for why, spoils in cases]


def test_every_rule_has_cases() -> None:
    assert FAILS.keys() == RULES.keys()
    assert PASSES.keys() <= RULES.keys()


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_the_shipped_graphs_are_clean(stack: str) -> None:
    assert findings(good(stack), RULES.values()) == []
    assert through_proxies(good(stack), RULES.values()) == []


@pytest.mark.parametrize(
    "text", ["staging.svc.cluster.local", "https://api.staging.spacetime.example.com", "staging_user", "172.21.0.3"]
)
def test_production_is_not_led_to_staging_either(text: str) -> None:
    nodes = spoiled(change("ConfigMap", "configuration", "data.H", text), stack="production")
    assert [finding.property for finding in findings(nodes, [rule("isolation-foreign-names")])] == ["data.H"]


@pytest.mark.parametrize(("id_", "spoils"), PASSING)
def test_passes(id_: str, spoils: list[Spoil]) -> None:
    nodes = spoiled(*spoils)
    assert findings(nodes, [rule(id_)]) == []
    assert through_proxies(nodes, [rule(id_)]) == []


@pytest.mark.parametrize(("id_", "spoils"), FAILING)
def test_fails(id_: str, spoils: list[Spoil]) -> None:
    nodes = spoiled(*spoils)
    found = findings(nodes, [rule(id_)])
    assert found
    assert {finding.rule for finding in found} == {id_}
    shown = through_proxies(nodes, [rule(id_)])
    assert {(finding.urn, finding.property) for finding in shown} == {(f.urn, f.property) for f in found}


@pytest.mark.parametrize("id_", sorted(RULES))
def test_a_rule_says_what_it_is(id_: str) -> None:
    found = rule(id_)
    assert id_.partition("-")[0] in FAMILIES
    assert found.description.endswith(".")
    assert found.remediation
    assert found.references
    assert all(reference.url.startswith("https://") and reference.version for reference in found.references)
    assert found.severity in ("critical", "high", "medium", "low")


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ("250m", "1"),
        ("50G", "100G"),
        ("64Mi", "1Gi"),
        ("15d", "30d"),
        ("100ms", "1s"),
        ("3", "5"),
        ("db.r6g.large", "db.r6g.2xlarge"),
        ("r6g.large.search", "r6g.xlarge.search"),
        ("cache.t4g.micro", "cache.t4g.small"),
    ],
)
def test_sizes_of_every_kind_are_compared(small: str, large: str) -> None:
    path = ("x", "resources", "limits", "cpu") if small.endswith("m") else ("x", "size")
    assert size(small, path) < size(large, path)
    with pytest.raises(ValueError, match="no quantity"):
        size("lots", path)
