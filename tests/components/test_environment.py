"""The root: its inputs, its providers, and that nothing uses a default one."""

from __future__ import annotations

from components.kinds.catalogue import CATALOGUE
from config.kinds import models
from tests.components.graphs import inputs, node, recorded


def test_inputs_carry_the_resolved_environment_and_the_derivation() -> None:
    body = inputs(recorded(), "Environment", "shop")
    assert body["resolved"]["environment"]["namespace"] == "shop-staging"
    assert body["resolved"]["components"]["web"]["resources"]["requests"]["cpu"] == "250m"
    scaled = next(d for d in body["derivation"] if d["path"] == "web.resources.requests.cpu")
    assert (scaled["rule"], scaled["ratio"]) == ("scaled", "50%")


def test_every_resource_has_an_explicit_provider_and_the_environment_above_it() -> None:
    nodes = recorded()
    parents = {n["urn"]: n["parent"] for n in nodes}
    root = node(nodes, "Environment", "shop")["urn"]
    for item in nodes:
        if item["type"].split(":")[0] in ("kubernetes", "random"):
            assert item["provider"], item["urn"]
        if item["urn"] != root:
            above = item["parent"]
            while above != root:
                above = parents[above]


def test_the_provider_belongs_to_the_pinned_cluster() -> None:
    provider = inputs(recorded(), "kubernetes", "cluster")
    assert len(provider["clusterIdentifier"]) == 64
    assert provider["enableConfigMapMutable"] == provider["enableSecretMutable"] == "true"


def test_the_catalogue_has_declared_kinds_only() -> None:
    assert CATALOGUE.keys() <= models().keys()
    assert {"service", "manifests"} <= CATALOGUE.keys()
