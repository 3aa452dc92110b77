"""Staging from production: values, reasons, and what cannot go wrong silently."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.derivation.derive import derive
from config.errors import ConfigError
from config.loader import load
from config.paths import leaves, render
from tests.systems import MINIMAL, system


def everything(resolved: Any) -> set[str]:
    dump = resolved.model_dump(by_alias=True, mode="json", exclude_none=True)
    flat = {
        **dump["components"],
        **{key: dump[key] for key in ("configuration", "environment", "secrets")},
    }
    return {render(path) for path, _ in leaves(flat)}


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_every_value_has_a_provenance(environment: str) -> None:
    resolved, derivation = derive(load("spacetime"), environment)
    assert everything(resolved) <= derivation.keys()
    assert all(d.source for d in derivation.values())
    assert all(d.because for d in derivation.values() if d.rule != "same")


def test_production_is_what_is_declared() -> None:
    _, derivation = derive(load("spacetime"), "production")
    assert {d.rule for d in derivation.values()} == {"same"}


@pytest.mark.parametrize(
    ("path", "production", "staging"),
    [
        ("cockroachdb.storage", "100G", "50G"),
        ("cockroachdb.resources.requests.cpu", "2", "1"),
        ("cockroachdb.resources.limits.cpu", "4", "2"),
        ("cockroachdb.resources.requests.memory", "8G", "4G"),
        ("cockroachdb.resources.limits.memory", "16G", "8G"),
        ("cockroachdb.slowQueryThreshold", "500ms", "100ms"),
        ("redis.storage", "20G", "10G"),
        ("redis.resources.requests.cpu", "500m", "250m"),
        ("redis.resources.limits.cpu", "1", "500m"),
        ("redis.resources.requests.memory", "2G", "1G"),
        ("redis.resources.limits.memory", "4G", "2G"),
        ("prometheus.retention", "30d", "15d"),
        ("prometheus.storage", "100G", "50G"),
        ("prometheus.resources.requests.cpu", "1", "500m"),
        ("prometheus.resources.limits.memory", "8G", "4G"),
        ("grafana.storage", "10G", "5G"),
        ("grafana.resources.requests.memory", "1024M", "512M"),
        ("configuration.data.RATE_LIMIT_REQUESTS_PER_MINUTE", "300", "1000"),
    ],
)
def test_the_figures_of_the_staging_document(path: str, production: str, staging: str) -> None:
    _, derivation = derive(load("spacetime"), "staging")
    assert (derivation[path].production, derivation[path].value) == (production, staging)


def test_every_key_of_the_staging_documents_configuration() -> None:
    resolved, _ = derive(load("spacetime"), "staging")
    assert resolved.configuration.name == "staging-config"
    assert resolved.configuration.data == {
        "ENVIRONMENT": "staging",
        "DEBUG_MODE": "true",
        "VERBOSE_LOGGING": "true",
        "PERFORMANCE_PROFILING": "true",
        "ENABLE_METRICS": "true",
        "LOG_LEVEL": "debug",
        "ENABLE_EXPERIMENTAL_FEATURES": "true",
        "MOCK_EXTERNAL_SERVICES": "true",
        "MAX_PLAYERS_PER_SERVER": "50",
        "PHYSICS_TICK_RATE": "90",
        "RATE_LIMIT_ENABLED": "true",
        "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000",
        "SESSION_TIMEOUT_MINUTES": "60",
        "ENABLE_TEST_ENDPOINTS": "true",
        "ALLOW_TEST_ACCOUNTS": "true",
        "SKIP_EXTERNAL_VALIDATIONS": "true",
    }


def test_topology_does_not_change_silently() -> None:
    _, derivation = derive(load("spacetime"), "staging")
    assert derivation["cockroachdb.nodes"].rule == "same"
    assert derivation["redis.nodes"].value == 3


def test_a_changed_topology_has_a_reason() -> None:
    scaled = system(
        ("kind: postgresql", "kind: redis"),
        ('version: "16.4"', "version: 7.2.6"),
        ("    database: shop_{environment}\n", "    nodes: 5\n"),
        ("storage: 25%}", "storage: 25%, members: {ratio: 50%, because: five are not needed here}}"),
    )
    resolved, derivation = derive(scaled, "staging")
    assert resolved.components["db"].nodes == 3
    assert derivation["db.nodes"].because == "five are not needed here"


def test_assumed_values_are_marked_with_their_reason() -> None:
    _, derivation = derive(load("spacetime"), "staging")
    assert "staging / 50 %" in (derivation["prometheus.storage"].assumed or "")
    assert derivation["cockroachdb.storage"].assumed is None


def test_the_source_is_the_deciding_line() -> None:
    declared = system()
    _, derivation = derive(declared, "staging")
    number = int(derivation["configuration.data.LOG_LEVEL"].source.rpartition(":")[2])
    assert MINIMAL.splitlines()[number - 1].strip() == "configuration.data.LOG_LEVEL: debug"


def test_a_change_adds_and_removes_components() -> None:
    declared = system(
        (
            "        set:\n          configuration.data.LOG_LEVEL: debug\n",
            "        set: {web.uses: []}\n        remove: [db]\n        add:\n          cache:\n            kind: external\n"
            "            hosts: [cache.example.com]\n            cidr: 192.0.2.0/24\n",
        )
    )
    resolved, derivation = derive(declared, "staging")
    assert "db" not in resolved.components
    assert derivation["db.storage"].rule == "removed"
    assert derivation["cache.cidr"].rule == "added"
    assert derivation["cache.cidr"].because == "find mistakes before users do"


def test_removing_what_others_use_is_refused() -> None:
    declared = system(("        set:\n          configuration.data.LOG_LEVEL: debug\n", "        remove: [db]\n"))
    with pytest.raises(ConfigError, match="staging has no 'db', which 'web' uses"):
        derive(declared, "staging")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("web.replica.min", "did you mean 'replicas'"),
        ("webb.replicas.min", "did you mean 'web'"),
        ("configuration.data.LOGLEVEL", "did you mean 'LOG_LEVEL'"),
        ("web.resources.requests.xyz", "known in web.resources.requests: cpu, memory"),
    ],
)
def test_an_unknown_path_is_answered_with_the_nearest(path: str, said: str) -> None:
    declared = system(("configuration.data.LOG_LEVEL: debug", f"{path}: 1"))
    with pytest.raises(ConfigError, match=said) as caught:
        derive(declared, "staging")
    assert caught.value.problems[0].line is not None


def test_a_change_that_makes_nonsense_is_refused_at_its_line() -> None:
    declared = system(("configuration.data.LOG_LEVEL: debug", "web.resources.limits.cpu: 100m"))
    with pytest.raises(ConfigError, match="request 250m is above the limit 100m"):
        derive(declared, "staging")


def test_an_optional_field_can_be_set_by_a_change() -> None:
    declared = system(("configuration.data.LOG_LEVEL: debug", "web.minAvailable: 1"))
    resolved, derivation = derive(declared, "staging")
    assert resolved.components["web"].min_available == 1
    assert derivation["web.minAvailable"].rule == "added"


def test_manifests_scale_where_they_say_so() -> None:
    objects = """\
  extra:
    kind: manifests
    objects:
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: extra}
        scale: [cpu, replicas]
        spec:
          replicas: 4
          template:
            spec:
              containers:
                - {name: c, resources: {requests: {cpu: 1, memory: 1Gi}}}
configuration:
"""
    declared = system(("configuration:\n  data", f"{objects}  data"), ("storage: 25%}", "storage: 25%, replicas: 50%}"))
    resolved, derivation = derive(declared, "staging")
    spec = resolved.components["extra"].objects[0].spec
    assert spec["replicas"] == 2
    assert spec["template"]["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert derivation["extra.objects[0].spec.replicas"].rule == "scaled"


@settings(max_examples=30)
@given(st.integers(1, 100), st.integers(1, 100))
def test_smaller_scales_never_give_more(first: int, second: int) -> None:
    low, high = sorted((first, second))

    def cpu(percent: int) -> Fraction:
        resolved, _ = derive(system(("cpu: 50%", f"cpu: {percent}%")), "staging")
        return Fraction(resolved.components["web"].resources.requests.cpu.value)

    assert cpu(low) <= cpu(high) <= Fraction(1, 2)


def test_full_scale_is_production() -> None:
    declared = system(("scale: {cpu: 50%, memory: 50%, storage: 25%}", "scale: {cpu: 100%, memory: 100%}"))
    resolved, _ = derive(declared, "staging")
    base, _ = derive(declared, "production")
    assert resolved.components["web"] == base.components["web"]


def test_deriving_twice_gives_the_same() -> None:
    assert derive(load("spacetime"), "staging") == derive(load("spacetime"), "staging")


def test_an_undeclared_environment_is_refused() -> None:
    with pytest.raises(ConfigError, match="'qa' is not declared; declared: production, staging"):
        derive(system(), "qa")


def test_a_value_that_its_floor_keeps_is_no_difference() -> None:
    _, derivation = derive(system(("requests: {cpu: 100m", "requests: {cpu: 10m")), "staging")
    assert derivation["worker.resources.requests.cpu"].rule == "same"
    assert derivation["worker.resources.limits.cpu"].rule == "scaled"
