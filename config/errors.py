"""Errors that end a command with one message and an exit code, and without a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Problem:
    """One mistake: its place, the value found and expected, and the remedy."""

    file: str
    line: int | None
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.path}:" if self.path else ""
        return f"{where}:{field} {self.message}" + (f"\n    fix: {self.fix}" if self.fix else "")


class UnderstudyError(Exception):
    """Base class of the errors that are shown to the user as a message."""

    exit_code: ClassVar[int] = 1


class ExternalError(UnderstudyError):
    """Something that the program depends on failed: a build, a process, a server, the network or the machine."""


class ConfigError(UnderstudyError):
    """Mistakes of the user in declarations or arguments, all of them at once; nothing was changed."""

    exit_code = 2

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
