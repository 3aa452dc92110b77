"""The nodes of a local cluster are those that the environment declares."""

from __future__ import annotations

import pytest

from config.system import NodePool
from local.nodes import _node, _same


def pool(**more: object) -> NodePool:
    return NodePool.model_validate({"count": 3, "cpu": 8, "memory": "32G", "storage": "100G", **more})


def test_nodes_stand_in_the_declared_zones() -> None:
    zones = [_node(index, pool(zones=2))["metadata"]["labels"]["topology.kubernetes.io/zone"] for index in range(3)]
    assert zones == ["local-a", "local-b", "local-a"]


def test_nodes_have_no_zone_where_none_is_declared() -> None:
    assert "topology.kubernetes.io/zone" not in _node(0, pool())["metadata"]["labels"]


@pytest.mark.parametrize("more", [{"zones": 3}, {"cpu": 4}])
def test_a_node_of_another_size_or_zone_is_made_anew(more: dict[str, object]) -> None:
    assert _same(_node(0, pool()), _node(0, pool()))
    assert not _same(_node(0, pool(**more)), _node(0, pool()))
