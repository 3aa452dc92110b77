"""What is missing on a machine is said at once, with the command that installs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.node import requirements
from local.node.requirements import NETWORK_PLUGINS, PROGRAMS, UnmetRequirement, check, missing
from local.paths import ROOT


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """One that has everything: ``bin`` with the programs and ``cni`` with the network plugins."""
    for folder, names in (("bin", PROGRAMS), ("cni", NETWORK_PLUGINS)):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).touch(mode=0o755)
    return tmp_path


def test_a_machine_with_everything_lacks_nothing(machine: Path) -> None:
    assert missing(str(machine / "bin"), machine / "cni") == []


@pytest.mark.parametrize(("program", "package"), sorted(PROGRAMS.items()))
def test_each_program_is_missed(machine: Path, program: str, package: str) -> None:
    (machine / "bin" / program).unlink()
    assert missing(str(machine / "bin"), machine / "cni") == [package]


@pytest.mark.parametrize("plugin", NETWORK_PLUGINS)
def test_each_network_plugin_is_missed(machine: Path, plugin: str) -> None:
    (machine / "cni" / plugin).unlink()
    assert missing(str(machine / "bin"), machine / "cni") == ["containernetworking-plugins"]


def test_all_that_is_missing_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(requirements, "missing", lambda: ["containerd", "runc"])
    with pytest.raises(UnmetRequirement) as raised:
        check()
    assert raised.value.exit_code == 2
    assert "run as root (found user id 1000)" in str(raised.value)
    assert "apt-get install containerd runc" in str(raised.value)


def test_the_command_says_so_at_once() -> None:
    command = [sys.executable, "-P", "-m", "cli", "local", "up", "--nodes", "real"]
    environment = {**os.environ, "PATH": "/nowhere", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "apt-get install containerd" in result.stderr
    assert "Traceback" not in result.stderr


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(UnmetRequirement, match="needs Linux"):
        check()
