"""The names of what a refresh makes: apart for two schemas, and never too long."""

from __future__ import annotations

import pytest

from jobs.sanitize import names


@pytest.mark.parametrize("name", [names.shadow, names.old, names.work, names.application])
def test_two_schemas_never_share_a_name(name: object) -> None:
    assert callable(name)
    schemas = ["a", "b", "x" * 60 + "1", "x" * 60 + "2", "ä" * 31 + "1", "ä" * 31 + "2"]
    made = [name(schema) for schema in schemas]
    assert len(set(made)) == len(schemas)
    assert max(len(text.encode()) for text in made) <= names.LONGEST
