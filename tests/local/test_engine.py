"""The engine that is used, and what it is given."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from local.engine import PROVIDERS, Engine
from local.tools import PULUMI


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a CLI."""
    program = tmp_path / "installed" / "pulumi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    return program


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without one."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("local.engine.ensure", lambda *_: None)


def test_an_installed_cli_is_used(installed: Path, tmp_path: Path) -> None:
    assert Engine(home=tmp_path / "home").program == str(installed)


def test_an_installed_cli_keeps_its_home_and_finds_the_stand_ins_it_lacks(installed: Path, tmp_path: Path) -> None:
    environment = Engine(home=tmp_path / "home").environment(tmp_path / "kubeconfig")
    assert environment["PULUMI_HOME"] == str(tmp_path / "pulumi")
    folders = environment["PATH"].split(os.pathsep)
    for name in PROVIDERS:
        assert any(Path(folder, f"pulumi-resource-{name}").exists() for folder in folders)
    assert not any(Path(folder, "pulumi-language-python").exists() for folder in folders[:2])


def test_an_official_plugin_is_preferred(installed: Path, tmp_path: Path) -> None:
    engine = Engine(home=tmp_path / "home")
    engine.environment(tmp_path / "kubeconfig")
    (stand_in,) = (tmp_path / "home").glob("pulumi/plugins/resource-random-*/pulumi-resource-random")
    (tmp_path / "pulumi" / "plugins" / stand_in.parent.name).mkdir(parents=True)
    engine.environment(tmp_path / "kubeconfig")
    assert not stand_in.exists()


def test_without_one_it_is_built(bare: None, tmp_path: Path) -> None:
    assert Engine(home=tmp_path).program == str(PULUMI.program("pulumi"))


def test_the_passphrase_is_made_once_and_private(bare: None, tmp_path: Path) -> None:
    engine = Engine(home=tmp_path)
    path = Path(engine.environment(tmp_path / "kubeconfig")["PULUMI_CONFIG_PASSPHRASE_FILE"])
    first = path.read_text()
    assert len(first) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    engine.environment(tmp_path / "kubeconfig")
    assert path.read_text() == first


def test_a_persons_own_credentials_are_not_passed_on(
    bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-secret")
    environment = Engine(home=tmp_path).environment(tmp_path / "kubeconfig")
    assert "PULUMI_ACCESS_TOKEN" not in environment
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path / 'state'}?metadata=skip"
