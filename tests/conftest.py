"""What tests of several folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from config.system import NodePool
from local.control_plane import ControlPlane

# how long an example takes depends on what else the machine does
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")
NODES = NodePool.model_validate({"count": 3, "cpu": 8, "memory": "32G", "storage": "100G"})


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of this test process alone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    control_plane = ControlPlane(f"tests-{worker}", tmp_path_factory.mktemp("home"))
    try:
        control_plane.up(NODES)
        yield control_plane
    finally:
        control_plane.remove()
