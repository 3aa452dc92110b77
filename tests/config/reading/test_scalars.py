"""Scalars stay as they were written, and what is no plain YAML is refused in words."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.loader import parse
from tests.declared import declared, resolved


@pytest.mark.parametrize(
    "written", ["16.10", "1.20", "0777", "012345678901", "12e4567", "True", "2026-01-02", "+5", "1.0"]
)
def test_a_text_is_what_was_written(written: str) -> None:
    found = resolved(declared(("LOG_LEVEL: info", f"LOG_LEVEL: info, FLAG: {written}")))
    assert found.configuration.data["FLAG"] == written


def test_a_version_is_never_rounded() -> None:
    assert resolved(declared(('version: "16.4"', "version: 16.10"))).components["db"].version == "16.10"


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [ls]", "!secret x", "!!binary aGk=", "!!set {x}"])
def test_other_tags_are_refused_with_their_line(tag: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(declared(("title: Parcels", f"title: {tag}")), "parcels.yaml")
    [problem] = caught.value.problems
    assert (problem.line, problem.message[:15]) == (2, "not plain YAML:")
