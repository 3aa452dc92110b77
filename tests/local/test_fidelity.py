"""The stand-in for the random plugin does what the official one did.

``fidelity/random.json`` was recorded on 2026-11-20 with engine 3.256.0, Python SDK 3.272.0 and the official random plugin
(source of 2026-08-14, reporting 4.21.4). Secrets, random values and identities are placeholders.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.control_plane import ControlPlane
from tests.local.harness import CASES, Runner, comparable, mismatches

pytestmark = [pytest.mark.engine]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_case(file: Path, plane: ControlPlane, tmp_path: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))
    runner = Runner(plane, tmp_path)
    try:
        for number, step in enumerate(case["steps"]):
            expected, seen = comparable(step, runner.play(number, step))
            found = list(mismatches(expected, seen, f"step {number}"))
            assert not found, "\n".join(found)
        assert runner.destroy() == case["destroy_exit"]
    finally:
        runner.destroy()
