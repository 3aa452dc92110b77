"""The placeholder's own tests, and what Go's analyser says of it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from local.builds import MODULES
from local.images.programs import PLACEHOLDER


@pytest.mark.servers
@pytest.mark.parametrize("command", [("vet", "."), ("test", "-count=1", ".")], ids=lambda command: command[0])
def test_go_says_it_is_well(command: tuple[str, ...]) -> None:
    if shutil.which("go") is None and not os.environ.get("CI"):
        pytest.skip("not installed: go")
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    folder = MODULES / PLACEHOLDER.name
    result = subprocess.run(["go", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "no test files" not in result.stdout
