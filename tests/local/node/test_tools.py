"""The programs of the real node."""

from __future__ import annotations

from local.tools import KUBERNETES, NODE


def test_kubelet_and_control_plane_have_one_version() -> None:
    assert NODE.version == KUBERNETES.version
