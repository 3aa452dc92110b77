"""Resolutions: production, environment, provenance and identities, each derived once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from config.derivation import derive as derivation
from config.derivation.derive import derive
from config.derivation.identity import identities, unlisted
from config.derivation.resolution import resolve
from config.loader import _loaded, load, parse
from config.reading.files import SYSTEMS
from config.system import Resolved, System
from review.graph import ROOT


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str]]:
    """How often each environment of each system has been computed since the test began."""
    counts: Counter[tuple[str, str]] = Counter()
    compute = derivation._resolve

    def counting(system: System, name: str, *arguments: Any) -> Resolved:
        counts[system.file, name] += 1
        return compute(system, name, *arguments)

    monkeypatch.setattr(derivation, "_resolve", counting)
    _loaded.cache_clear()
    return counts


def test_production_environment_provenance_and_identities_belong_together() -> None:
    system = load("spacetime")
    resolution = resolve(system, "staging")
    assert (resolution.resolved, resolution.provenance) == derive(system, "staging")
    assert resolution.production == derive(system, "production")[0]
    assert list(resolution.identities) == identities(system, "staging")


def test_production_is_its_own_production() -> None:
    resolution = resolve(load("spacetime"), "production")
    assert resolution.resolved is resolution.production


def test_each_environment_is_computed_once(counted: Counter[tuple[str, str]]) -> None:
    system = load("spacetime")
    for environment in system.environments:
        assert resolve(system, environment).identities
    list(unlisted(system))
    assert counted == {(system.file, environment): 1 for environment in system.environments}


COUNTING = """
import collections, sys
from config.derivation import derive
counts, compute = collections.Counter(), derive._resolve
def counting(system, name, *arguments):
    counts[system.file, name] += 1
    return compute(system, name, *arguments)
derive._resolve = counting
from cli.__main__ import app
sys.argv = ["understudy", *sys.argv[1:]]
try:
    app()
finally:
    print(*counts.values(), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [["explain", "--stack", "staging"], ["check"]],
    ids=lambda words: words[0],
)
def test_a_command_computes_each_environment_once(arguments: list[str]) -> None:
    command = [sys.executable, "-P", "-W", "ignore", "-c", COUNTING, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert set(result.stderr.split("\n")[-2].split()) == {"1"}


def test_a_changed_system_is_derived_anew() -> None:
    text = (SYSTEMS / "spacetime.yaml").read_text()
    first, second = parse(text, "a.yaml"), parse(text.replace("cpu: 50%", "cpu: 25%"), "b.yaml")
    copied = first.model_copy(update={"environments": second.environments})

    def cpu(resolved: Resolved) -> str:
        return str(resolved.components["redis"].resources.requests.cpu)

    assert cpu(derive(first, "staging")[0]) != cpu(derive(copied, "staging")[0]) == cpu(derive(second, "staging")[0])


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "system.yaml"
    file.write_text((SYSTEMS / "spacetime.yaml").read_text())
    before = load(str(file))
    assert load(str(file)) is before
    file.write_text(file.read_text().replace("title:", "title: Other "))
    assert load(str(file)).title != before.title
