"""Which software runs for which image."""

from __future__ import annotations

from collections import Counter

import pytest

from config.kinds.workload import Workload
from config.loader import load
from local.builds import MODULES as FOLDER
from local.images.maker import _why_missing
from local.images.programs import MODULES
from local.images.table import TABLE, full, table, tagged
from local.stack import LocalStack
from review.graph import STACKS
from tests.components.graphs import shipped


def _images(value: object) -> set[str]:
    if isinstance(value, list | tuple):
        return set().union(*map(_images, value))
    if not isinstance(value, dict):
        return set()
    own = {value["image"]} if isinstance(value.get("image"), str) and "name" in value else set()
    return own.union(*map(_images, value.values()))


@pytest.mark.parametrize(
    ("written", "repository", "name"),
    [
        ("redis:7.2.6", "docker.io/library/redis", "docker.io/library/redis:7.2.6"),
        ("redis", "docker.io/library/redis", "docker.io/library/redis:latest"),
        ("prom/prometheus:v2.53.3", "docker.io/prom/prometheus", "docker.io/prom/prometheus:v2.53.3"),
        ("quay.io/a/b:1", "quay.io/a/b", "quay.io/a/b:1"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b", "localhost:5000/a/b:1"),
        ("localhost/a", "localhost/a", "localhost/a:latest"),
        ("registry.test/a:1@sha256:00", "registry.test/a", "registry.test/a:1"),
    ],
)
def test_a_reference_in_full(written: str, repository: str, name: str) -> None:
    assert full(written) == repository
    assert tagged(written) == name


def test_a_repository_is_in_the_table_once_and_in_full() -> None:
    known = [name for recipe in table().images.values() for name in recipe.repositories]
    known += [name for missing in table().missing for name in missing.repositories]
    assert [name for name, count in Counter(known).items() if count > 1] == []
    assert [name for name in known if full(f"{name}:1") != name] == []


def test_a_recipe_is_of_packages_or_of_a_module_and_every_file_is_there() -> None:
    for name, recipe in table().images.items():
        assert bool(recipe.packages) != bool(recipe.module), name
        if recipe.module:
            assert set(recipe.programs.values()) <= MODULES[recipe.module].programs.keys(), name
        assert all((TABLE.parent / file).exists() for file in recipe.files.values())
    assert {recipe.module for recipe in table().images.values() if recipe.module} == MODULES.keys()
    assert all((FOLDER / name / "go.sum").exists() for name in MODULES)


@pytest.mark.parametrize("stack", STACKS)
def test_every_image_that_a_stack_asks_for_is_accounted_for(stack: str) -> None:
    resolved = LocalStack(stack).resolved()
    own = {component.image for component in resolved.components.values() if isinstance(component, Workload)}
    for image in _images(shipped(stack)):
        mine = image.rpartition(":")[0] in own
        assert bool(table().recipe(image)) + bool(table().why_missing(image)) + mine == 1, image
        assert bool(_why_missing(image, resolved)) == bool(table().why_missing(image)), image


def test_an_image_of_others_that_the_table_lacks_is_missing_and_one_by_digest_too() -> None:
    resolved = LocalStack("staging").resolved()
    assert "does not know it" in str(_why_missing("mysql:8.4", resolved))
    assert _why_missing("mysql:8.4", None) is None  # nothing says whose it is
    assert "digest" in str(_why_missing(f"redis@sha256:{64 * '0'}", resolved))
    assert "digest" in str(_why_missing(f"redis:7.2.6@sha256:{64 * '0'}", None))


def test_the_licences_that_keep_software_out_are_kept() -> None:
    for image in ("grafana/grafana:1", "grafana/loki:1", "grafana/k6:1"):
        assert "AGPL" in str(table().why_missing(image))
    assert load("spacetime").components["cockroachdb"].kind == "cockroachdb"
    assert table().why_missing("cockroachdb/cockroach:v23.1.13")
