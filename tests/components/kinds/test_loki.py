"""Loki on the graph."""

from __future__ import annotations

import yaml

from tests.components.graphs import inputs, recorded
from tests.systems import WATCHED


def test_logs_live_as_long_as_declared() -> None:
    for environment, kept in (("staging", "7d"), ("production", "14d")):
        nodes = recorded(*WATCHED, environment=environment)
        file = yaml.safe_load(inputs(nodes, "ConfigMap", "loki")["data"]["loki.yml"])
        assert file["limits_config"]["retention_period"] == kept
        assert file["compactor"]["retention_enabled"] is True
        assert file["analytics"]["reporting_enabled"] is False


def test_everything_it_keeps_is_on_its_volume() -> None:
    file = yaml.safe_load(inputs(recorded(*WATCHED), "ConfigMap", "loki")["data"]["loki.yml"])
    pod = inputs(recorded(*WATCHED), "Deployment", "loki")["spec"]["template"]["spec"]
    [mount] = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "data"]
    kept = [
        file["common"]["path_prefix"],
        *file["common"]["storage"]["filesystem"].values(),
        file["compactor"]["working_directory"],
    ]
    assert all(path.startswith(mount["mountPath"]) for path in kept)
    claim = inputs(recorded(*WATCHED), "PersistentVolumeClaim", "data-loki-0")
    assert claim["spec"]["resources"]["requests"]["storage"] == "10Gi"


def test_the_port() -> None:
    assert inputs(recorded(*WATCHED), "Service", "loki")["spec"]["ports"][0]["port"] == 3100
