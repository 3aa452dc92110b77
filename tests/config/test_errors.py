"""Errors that are shown to users as a message with an exit code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cli.__main__ as command_line
from config.errors import ConfigError, ExternalError, Problem, UnderstudyError
from review.graph import ROOT

FOLDERS = ("cli", "config", "components", "doctor", "jobs", "local", "review")


def sources() -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]


def test_a_problem_says_where_what_and_how_to_fix() -> None:
    problem = Problem("shop.yaml", 7, "redis.storage", "found 1, expected a size such as 8G", "write 1G")
    assert str(problem) == "shop.yaml:7: redis.storage: found 1, expected a size such as 8G\n    fix: write 1G"
    assert str(Problem("shop.yaml", None, "", "no such file")) == "shop.yaml: no such file"


TWO = ConfigError(Problem("a.yaml", 1, "x", "wrong"), Problem("a.yaml", 2, "y", "wrong"))


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (TWO, 2, "a.yaml:1: x: wrong\na.yaml:2: y: wrong\n"),
        (ExternalError("the registry does not answer"), 1, "understudy: the registry does not answer\n"),
        (UnderstudyError("stop"), 1, "understudy: stop\n"),
    ],
)
def test_the_command_line_shows_the_message_and_exits_with_the_code(
    error: UnderstudyError,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(command_line, "app", fail)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == message


def test_no_exception_is_recognised_by_the_name_of_its_class() -> None:
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                names = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
                assert not names & {"__mro__", "__class__", "__qualname__"}, f"{file}:{node.lineno}"
