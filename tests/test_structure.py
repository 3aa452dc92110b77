"""The house: who may import whom, and how long a file may be."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import get_args

from components.aws.platform import BUILDERS
from components.kinds.catalogue import CATALOGUE
from config.kinds import AnyComponent
from config.loader import shipped
from review.graph import ROOT


def test_imports_go_one_way() -> None:
    command = [str(ROOT / ".venv" / "bin" / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_program_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 40


def test_no_component_names_a_system_or_asks_for_the_environment() -> None:
    systems = [path.stem for path in shipped()]
    for file in (ROOT / "components").rglob("*.py"):
        text = file.read_text()
        assert not any(name in text for name in systems), file
        assert '"staging"' not in text, file
        assert '"production"' not in text, file


def test_nothing_that_is_not_local_knows_local() -> None:
    for folder in ("components", "config", "review"):
        for file in (ROOT / folder).rglob("*.py"):
            assert "import local" not in file.read_text(), file
            assert "from local" not in file.read_text(), file


def test_every_builder_has_tests() -> None:
    tests = {
        path.stem.removeprefix("test_").replace("_", "-")
        for path in Path(__file__).parent.glob("components/kinds/test_*.py")
    }
    assert CATALOGUE.keys() <= tests


def test_every_kind_of_the_platform_has_tests() -> None:
    tests = {
        path.stem.removeprefix("test_").replace("_", "-")
        for path in Path(__file__).parent.glob("components/aws/test_*.py")
    }
    assert BUILDERS.keys() == tests
    kinds = [kind for kind in get_args(get_args(AnyComponent)[0]) if kind.layer == "platform"]
    assert BUILDERS.keys() == {get_args(kind.model_fields["kind"].annotation)[0] for kind in kinds}


def test_every_module_of_the_jobs_is_tested() -> None:
    """By a module of its name, or one that says so here."""
    with_others = {
        "catalog": "planner", "compare": "planner", "definitions": "nasty", "shadow": "refresh", "backup": "refresh",
        "request": "refresh", "preview": "values", "connection": "accidents", "local_workers": "accidents", "worker": "accidents",
        "ranges": "accidents", "fingerprints": "prover", "dialect": "expressions", "errors": "prover", "model": "planner", "snapshots/refresh": "rds",
    }  # fmt: skip
    folder = ROOT / "jobs" / "sanitize"
    modules = {
        "snapshots/refresh" if path.parent.name == "snapshots" and path.stem == "refresh" else path.stem
        for path in folder.rglob("*.py")
    } - {"__init__", "__main__"}
    tests = {path.stem.removeprefix("test_") for path in (Path(__file__).parent / "jobs").rglob("test_*.py")}
    assert modules == (modules & tests) | with_others.keys()
    assert set(with_others.values()) <= tests
