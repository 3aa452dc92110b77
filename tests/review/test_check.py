"""Files that are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from review.check import check, shipped
from review.generated import ROOT
from tests.systems import write


@pytest.mark.parametrize("file", shipped(ROOT), ids=lambda file: file.name)
def test_all_shipped_files_are_right(file: Path) -> None:
    assert check(file)


def test_requests_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shop.yaml:\d+: environments.staging.cluster.nodes: .* find no room"):
        check(write(tmp_path, ("count: 3, cpu: 4", "count: 1, cpu: 1")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('config: {"understudy:environment": staging, "understudy:images": {web: x}}', "'web' is not declared"),
        ('config: {"understudy:environment": staging, "understudy:rotation": {web: 1}}', "'web' is not declared"),
        ('config: {"understudy:environment": qa}', "'qa' is not declared"),
        ('config: {"understudy:environmnt": staging}', "understudy:environmnt"),
        ("config: [", "Pulumi.x.yaml"),
    ],
)
def test_mistakes_in_a_stack(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        check(file)
    assert said in str(caught.value)
