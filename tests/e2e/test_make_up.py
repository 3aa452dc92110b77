"""What ``make up`` runs, as a person types it, with everything local in a folder of the test's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.control_plane import ORDER
from local.paths import TOOLS
from review.graph import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("make-up")]


class Clone:
    """A clone's commands; two of them have nothing in common but the built programs."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "UNDERSTUDY_HOME": str(self.home), "UNDERSTUDY_TOOLS": str(TOOLS), **variables}
        environment.pop("STACK", None)
        command = [str(ROOT / "understudy"), "local", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def server(self) -> str:
        kubeconfig = json.loads((self.home / "clusters" / "staging" / "kubeconfig").read_text())
        return str(kubeconfig["clusters"][0]["cluster"]["server"])


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clone, Clone]]:
    pair = Clone(tmp_path_factory.mktemp("first")), Clone(tmp_path_factory.mktemp("second"))
    yield pair
    for clone in pair:
        clone.run("down")


def test_a_dry_run_changes_nothing(clones: tuple[Clone, Clone]) -> None:
    result = clones[0].run("up", DRY_RUN="true")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    assert "165 to create" in result.stdout
    assert "is up" not in result.stderr


def test_up_says_what_there_is_and_what_it_is_not(clones: tuple[Clone, Clone]) -> None:
    result = clones[0].run("up")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    assert "165 created" in result.stdout
    assert "Scheduled, not run" in result.stderr
    assert "cannot tell about production" in result.stderr
    line = next(line for line in result.stdout.splitlines() if "kubectl" in line)
    shown = subprocess.run(line, shell=True, capture_output=True, text=True, check=True).stdout
    assert "deployment.apps/game-server" in shown


def test_up_again_changes_nothing(clones: tuple[Clone, Clone]) -> None:
    result = clones[0].run("up")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    assert "165 unchanged" in result.stdout
    assert clones[0].run("preview", "--expect-no-changes").returncode == 0


def test_a_second_clone_does_not_collide(clones: tuple[Clone, Clone]) -> None:
    result = clones[1].run("up")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    assert clones[0].server() != clones[1].server()
    for clone in clones:
        assert clone.run("status").returncode == 0


def test_down_stops_and_up_goes_on(clones: tuple[Clone, Clone]) -> None:
    assert clones[0].run("down").returncode == 0
    stopped = clones[0].run("status")
    assert stopped.returncode == 1
    assert stopped.stderr.count("stopped") == len(ORDER)
    assert clones[1].run("status").returncode == 0
    result = clones[0].run("up")
    assert result.returncode == 0, result.stdout
    assert "165 unchanged" in result.stdout


def test_destroy(clones: tuple[Clone, Clone]) -> None:
    result = clones[1].run("destroy")
    assert result.returncode == 0, result.stdout
    assert "165 deleted" in result.stdout
