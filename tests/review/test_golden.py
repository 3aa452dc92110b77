"""Golden graphs: fresh, complete, and short enough to be reviewed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from review.generated import GOLDEN, golden
from review.golden import ENVIRONMENT, _changes, _yaml, files
from review.graph import STACKS, Node
from tests.components.graphs import shipped

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=4)
    | st.sampled_from(["a\nb\n", "a\nc\n", "a\n\nb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def nodes(stack: str) -> list[Node]:
    return copy.deepcopy(list(shipped(stack)))


@pytest.mark.parametrize("stack", STACKS)
def test_the_files_are_fresh(stack: str) -> None:
    """``make docs`` writes them anew."""
    expected = golden(stack, nodes)
    present = {file for file in (GOLDEN / stack).rglob("*") if file.is_file()}
    assert sorted(present ^ expected.keys()) == []
    stale = [str(file) for file, text in expected.items() if file.read_text(encoding="utf-8") != text]
    assert stale == []


def test_each_stack_has_a_folder_and_nothing_else_is_there() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == STACKS


def test_no_file_is_longer_than_a_reviewer_reads() -> None:
    longest = max((len(file.read_text().splitlines()), file) for file in GOLDEN.rglob("*.yaml"))
    assert longest[0] <= 1000, longest[1]


def test_production_is_written_whole() -> None:
    graph = nodes("production")
    content = {path: yaml.safe_load(text) for path, text in files(graph).items()}
    redis = content["redis/StatefulSet-redis.yaml"]
    [node] = [n for n in graph if n["type"].endswith("StatefulSet") and n["name"] == "redis"]
    assert redis["inputs"] == node["inputs"]
    assert len(redis["depends_on"]) == len(node["depends_on"])
    resources = [path for path in content if not path.startswith("declared/")]
    assert len(resources) == len(graph)
    [environment] = [n for n in graph if n["type"] == ENVIRONMENT]
    assert content["declared/resolved/redis.yaml"] == environment["inputs"]["resolved"]["components"]["redis"]


def test_staging_is_written_as_what_differs() -> None:
    content = files(nodes("staging"), nodes("production"))
    assert yaml.safe_load(content["redis/StatefulSet-redis.yaml"])["differs"][
        "inputs.spec.template.spec.containers[0].resources.limits.cpu"
    ] == {"production": "1", "here": "500m"}
    index = yaml.safe_load(content["same.yaml"])
    assert "redis/Service-redis.yaml" in index["same"]
    assert "redis/Service-redis.yaml" not in content


@pytest.mark.parametrize("change", ["value", "dependency", "protect", "parent", "provider", "type", "secret"])
def test_every_kind_of_change_is_seen_in_the_file_of_the_resource(change: str) -> None:
    graph, changed = nodes("staging"), nodes("staging")
    node = next(n for n in changed if n["type"].endswith(":StatefulSet") and n["name"] == "redis")
    other = next(n for n in changed if n["name"] == "cockroachdb" and n["type"].endswith(":StatefulSet"))
    if change == "value":
        node["inputs"]["spec"]["replicas"] = 7
    elif change == "dependency":
        node["depends_on"].append(other["urn"])
    elif change == "protect":
        node["protect"] = not node["protect"]
    elif change == "parent":
        node["parent"] = other["parent"]
    elif change == "provider":
        node["provider"] = None
    elif change == "type":
        node["type"] = node["type"].replace("apps/v1", "apps/v2")
    else:
        node["inputs"]["spec"]["serviceName"] = "${secret}"
    before, after = (files(g, nodes("production")) for g in (graph, changed))
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert any(path.endswith("StatefulSet-redis.yaml") for path in touched)
    if change == "parent":
        return  # the file moves to another folder, and those that depend on the resource name that folder
    assert touched <= {p for p in before.keys() | after.keys() if p == "same.yaml" or "/StatefulSet-redis" in p}


@given(VALUES, VALUES, VALUES)
def test_different_values_have_different_differences(production: Any, one: Any, other: Any) -> None:
    def written(value: Any) -> str:
        return _yaml(dict(_changes({"x": production}, {"x": value}, "")))

    assert (written(one) == written(other)) == (_yaml(one) == _yaml(other))
    assert written(production) == _yaml({})
