"""The stand-in plugins do what the official ones did.

``fidelity/*.json`` was recorded on 2026-11-20 with engine 3.256.0, Python SDK 3.272.0, the official kubernetes plugin
(source of 2026-07-01, reporting 4.34.2) and random plugin (source of 2026-08-14, reporting 4.21.4) against kube-apiserver
v1.36.3 with KWOK 0.8.0. Secrets, random values, generated names, identities and times are placeholders.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.control_plane import ControlPlane, kubectl
from tests.local.harness import CASES, Runner, comparable, mismatches

pytestmark = [pytest.mark.engine]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_case(file: Path, plane: ControlPlane, tmp_path: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))
    runner = Runner(plane, tmp_path)
    recorded_class = '{"allowVolumeExpansion": false}'  # of the cluster that the cases were recorded on
    kubectl("patch", "storageclass", "standard", "-p", recorded_class, plane=plane)
    try:
        for number, step in enumerate(case["steps"]):
            expected, seen = comparable(step, runner.play(number, step))
            found = list(mismatches(expected, seen, f"step {number}"))
            assert not found, "\n".join(found)
        assert runner.destroy() == case["destroy_exit"]
    finally:
        runner.destroy()
        kubectl("delete", "configmap", "cfg", "--ignore-not-found", "-n", "default", plane=plane)
