"""A user's mistake, said once and clearly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake: where it is, what was found, what was expected, how to mend it."""

    file: str
    line: int | None
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.path}:" if self.path else ""
        return f"{where}:{field} {self.message}" + (f"\n    fix: {self.fix}" if self.fix else "")


class ConfigError(Exception):
    """What a declaration gets wrong, all of it at once; nothing was changed. The command line answers with exit code 2."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
