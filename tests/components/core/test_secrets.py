"""Secrets: generated, sealed or external, and never in the clear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from review.graph import graph
from tests.components.graphs import STACK, inputs, recorded
from tests.systems import write

SEALED = (
    "    domain: staging.shop.example.com\n",
    "    domain: staging.shop.example.com\n"
    "    secrets: {mode: sealed-secrets, sealed: {app: {token: AgBx, db: AgBy}}}\n",
)
EXTERNAL = (
    "    domain: staging.shop.example.com\n",
    "    domain: staging.shop.example.com\n    secrets: {mode: external-secrets, store: vault, prefix: shop/staging}\n",
)


def test_generated_values_are_secret_in_the_graph() -> None:
    data = inputs(recorded(), "Secret", "app")["stringData"]
    assert set(data) == {"token", "db", "internal"}
    for value in data.values():
        assert list(value) == ["[secret]"]
        assert value["[secret]"].startswith("${urn:pulumi:test::understudy::")


def test_a_rotation_makes_new_values_and_keeps_the_ones_before() -> None:
    assert inputs(recorded(), "RandomPassword", "app-db-1")["length"] == 24
    nodes = recorded(rotation=3)
    made = {n["name"] for n in nodes if n["type"].startswith("random:") and n["name"].startswith("app-db")}
    assert made == {"app-db-2", "app-db-3"}
    data = inputs(nodes, "Secret", "app")["stringData"]
    assert data["db"]["[secret]"].endswith("::app-db-3.result}")
    assert data["db-previous"]["[secret]"].endswith("::app-db-2.result}")
    assert inputs(recorded(rotation=2), "RandomPassword", "app-db-2") == inputs(nodes, "RandomPassword", "app-db-2")


GIVEN = (("      db: {length: 24}\n", "      db: {length: 24}\n      partner: {given: true}\n"),)


def test_a_given_value_comes_from_the_stack_and_is_secret(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    given = "  understudy:given: {app: {partner: s3cret-of-a-partner}}\n"
    file.write_text(STACK.format(system=write(tmp_path, *GIVEN), environment="staging", rotation=1) + given)
    nodes = graph("test", file)
    assert inputs(tuple(nodes), "Secret", "app")["stringData"]["partner"] == {"[secret]": True}
    assert "s3cret-of-a-partner" not in json.dumps(nodes)


def test_a_given_value_that_is_missing_is_missed_where_something_runs(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    text = STACK.format(system=write(tmp_path, *GIVEN), environment="staging", rotation=1)
    file.write_text(text + "  understudy:placeholders: false\n")
    with pytest.raises(ConfigError, match=r"no value for 'partner' of secret 'app'\n.*pulumi config set --secret"):
        graph("test", file)
    file.write_text(text)
    assert inputs(tuple(graph("test", file)), "Secret", "app")["stringData"]["partner"] == {"[secret]": True}


def test_sealed_secrets_are_passed_on_as_they_are() -> None:
    nodes = recorded(SEALED)
    assert inputs(nodes, "SealedSecret", "app")["spec"]["encryptedData"] == {"token": "AgBx", "db": "AgBy"}
    assert not [n for n in nodes if n["type"].startswith("random:")]


def test_external_secrets_name_their_place() -> None:
    spec = inputs(recorded(EXTERNAL), "ExternalSecret", "app")["spec"]
    assert spec["secretStoreRef"] == {"name": "vault", "kind": "SecretStore"}
    assert [item["remoteRef"]["key"] for item in spec["data"]] == [
        "shop/staging/app/token",
        "shop/staging/app/db",
        "shop/staging/app/internal",
    ]


def test_pods_roll_when_sealed_values_change() -> None:
    other = (SEALED[0], SEALED[1].replace("AgBy", "AgBz"))
    templates = [inputs(recorded(r), "Deployment", "web")["spec"]["template"]["metadata"] for r in (SEALED, other)]
    assert templates[0] != templates[1]


def test_no_secret_value_is_in_the_graph() -> None:
    text = json.dumps(recorded())
    assert '"bcryptHash"' not in text
    assert "PRIVATE KEY" not in text
    hidden = {path for node in recorded() for path in secret_paths(node["inputs"])}
    assert hidden == {"token", "db", "internal", "ca.crt", "tls.crt", "tls.key", "authority_key", "__provider"}


def secret_paths(value: Any, key: str = "") -> Iterator[str]:
    """The last keys of everything that is secret."""
    if isinstance(value, dict):
        if "[secret]" in value:
            yield key
        for name, item in value.items():
            yield from secret_paths(item, name)
