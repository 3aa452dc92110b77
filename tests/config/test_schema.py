"""The published schema is fresh, and says yes and no where the models do."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from config.kinds import models
from config.loader import shipped
from config.schema import FILE, render
from tests.systems import MINIMAL, minimal

SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))


def validate(text: str) -> None:
    jsonschema.validate(YAML(typ="safe", pure=True).load(text), SCHEMA)


def test_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("file", shipped(), ids=lambda file: file.stem)
def test_every_system_refers_to_it_and_satisfies_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "$schema: ../schema.json" in text
    validate(text)


def test_says_yes_to_the_small_system() -> None:
    validate(MINIMAL)


@pytest.mark.parametrize(
    ("old", "new"),
    [("kind: postgresql", "kind: postgres"), ("replicas: {min", "replica: {min"), ("cpu: 50%", "cpu: half")],
)
def test_says_no_to_mistakes(old: str, new: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(minimal((old, new)))


def test_knows_every_kind() -> None:
    (component,) = SCHEMA["properties"]["components"]["patternProperties"].values()
    mapping = component["discriminator"]["mapping"]
    assert mapping.keys() == models().keys()
