"""A stack's configuration."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.stack import parse_stack


def test_reads_what_it_may_hold() -> None:
    stack = parse_stack(
        {"environment": "staging", "images": {"web": "1.0.0"}, "rotation": {"app": 2}, "context": None}, "s"
    )
    assert (stack.system, stack.environment, stack.images, stack.rotation) == (
        "spacetime",
        "staging",
        {"web": "1.0.0"},
        {"app": 2},
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "understudy:environment"),
        ({"environment": "staging", "image": {}}, "understudy:image"),
        ({"environment": "staging", "images": {"web": "bad tag"}}, "understudy:images.web"),
        ({"environment": "staging", "rotation": {"app": 0}}, "understudy:rotation.app"),
        ({"environment": "staging", "clusterCaSha256": "abc"}, "understudy:clusterCaSha256"),
    ],
)
def test_a_mistake_names_file_key_and_command(values: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=r"Pulumi\.qa\.yaml") as caught:
        parse_stack(values, "qa")
    assert said in str(caught.value)
    assert "pulumi config set understudy:" in str(caught.value)
