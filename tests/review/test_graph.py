"""The recorded graph: complete, stable, and without secrets."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from config.errors import ConfigError
from review.graph import ROOT, graph, manifests


def test_nodes_have_the_promised_keys() -> None:
    keys = {"urn", "type", "name", "parent", "provider", "inputs", "depends_on", "protect", "retain_on_delete"}
    assert all(node.keys() == keys for node in graph("staging"))


def test_wiring_is_symbolic() -> None:
    text = json.dumps(graph("staging"))
    assert (
        "understudy:secrets:Secrets$random:index/randomPassword:RandomPassword::database-credentials-redis-password-1.result}"
        in text
    )
    assert "None" not in text.replace('"clusterIP": "None"', "")  # Kubernetes' word for a headless Service


def test_an_unknown_stack_is_told() -> None:
    with pytest.raises(ConfigError, match=r"there is no stack 'qa'; known: laptop, production, .*staging"):
        graph("qa")


def test_manifests_are_the_kubernetes_objects() -> None:
    found = dict(manifests(graph("staging")))
    assert found["staging-deployment-game-server.yaml"]["kind"] == "Deployment"
    assert "cluster-namespace-staging.yaml" in found
    assert all(body["metadata"]["name"] for body in found.values())


def test_recording_needs_neither_kubeconfig_nor_network(tmp_path: object) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "review.record", str(ROOT), "staging"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == graph("staging")
