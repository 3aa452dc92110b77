"""Every rule lets the shipped graphs pass, and sees every way to break it; the engine's proxies change nothing."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet

from policies.rules import FAMILIES, RULES
from policies.rules.ratios.declaration import size
from review.graph import STACKS
from tests.policies.aws_cases import AWS_FAILS, AWS_PASSES, Cases
from tests.policies.cases import FAILS, PASSES
from tests.policies.fixtures import Spoil, change, findings, good, rule, spoiled, through_proxies
from tests.policies.mesh_cases import CHARTS_FAILS, MESH_FAILS, MESH_PASSES

PLATFORM, APPLICATION = "quikapp-staging-platform", "quikapp-staging"


def params(*tables: tuple[str, Cases]) -> list[ParameterSet]:
    return [
        pytest.param(stack, id_, spoils, id=f"{id_}: {why}")
        for stack, table in tables
        for id_, cases in table.items()
        for why, spoils in cases
    ]


FAILING = params(("staging", FAILS), (PLATFORM, AWS_FAILS), (APPLICATION, MESH_FAILS), (PLATFORM, CHARTS_FAILS))
PASSING = params(("staging", PASSES), (PLATFORM, AWS_PASSES), (APPLICATION, MESH_PASSES))


def test_every_rule_has_cases() -> None:
    assert FAILS.keys() | AWS_FAILS.keys() | MESH_FAILS.keys() | CHARTS_FAILS.keys() == RULES.keys()
    assert PASSES.keys() | AWS_PASSES.keys() <= RULES.keys()


@pytest.mark.parametrize("stack", STACKS)
def test_the_shipped_graphs_are_clean(stack: str) -> None:
    assert findings(good(stack), RULES.values()) == []
    assert through_proxies(good(stack), RULES.values()) == []


@pytest.mark.parametrize(
    "text", ["staging.svc.cluster.local", "https://api.staging.spacetime.example.com", "staging_user", "172.21.0.3"]
)
def test_production_is_not_led_to_staging_either(text: str) -> None:
    nodes = spoiled(change("ConfigMap", "configuration", "data.H", text), stack="production")
    assert [finding.property for finding in findings(nodes, [rule("isolation-foreign-names")])] == ["data.H"]


@pytest.mark.parametrize(("stack", "id_", "spoils"), PASSING)
def test_passes(stack: str, id_: str, spoils: list[Spoil]) -> None:
    nodes = spoiled(*spoils, stack=stack)
    assert findings(nodes, [rule(id_)]) == []
    assert through_proxies(nodes, [rule(id_)]) == []


@pytest.mark.parametrize(("stack", "id_", "spoils"), FAILING)
def test_fails(stack: str, id_: str, spoils: list[Spoil]) -> None:
    nodes = spoiled(*spoils, stack=stack)
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
