"""Secrets: generated, sealed or external, and never in the clear."""

from __future__ import annotations

import json

from tests.components.graphs import inputs, recorded

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
    assert set(data) == {"token", "db"}
    for value in data.values():
        assert list(value) == ["[secret]"]
        assert value["[secret]"].startswith("${urn:pulumi:test::understudy::")


def test_a_rotation_makes_new_values() -> None:
    first = inputs(recorded(), "RandomPassword", "app-db")
    second = inputs(recorded(rotation=2), "RandomPassword", "app-db")
    assert (first["keepers"], second["keepers"]) == ({"rotation": "1"}, {"rotation": "2"})
    assert first["length"] == 24


def test_sealed_secrets_are_passed_on_as_they_are() -> None:
    nodes = recorded(SEALED)
    assert inputs(nodes, "SealedSecret", "app")["spec"]["encryptedData"] == {"token": "AgBx", "db": "AgBy"}
    assert not [n for n in nodes if n["type"].startswith("random:")]


def test_external_secrets_name_their_place() -> None:
    spec = inputs(recorded(EXTERNAL), "ExternalSecret", "app")["spec"]
    assert spec["secretStoreRef"] == {"name": "vault", "kind": "SecretStore"}
    assert [item["remoteRef"]["key"] for item in spec["data"]] == ["shop/staging/app/token", "shop/staging/app/db"]


def test_pods_roll_when_sealed_values_change() -> None:
    other = (SEALED[0], SEALED[1].replace("AgBy", "AgBz"))
    templates = [inputs(recorded(r), "Deployment", "web")["spec"]["template"]["metadata"] for r in (SEALED, other)]
    assert templates[0] != templates[1]


def test_no_secret_value_is_in_the_graph() -> None:
    text = json.dumps(recorded())
    assert '"bcryptHash"' not in text
    assert text.count("[secret]") == 2
