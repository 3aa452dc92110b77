"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

StackOption = Annotated[
    str, typer.Option("--stack", "-s", help="The stack, a Pulumi.<stack>.yaml of this project.", envvar="STACK")
]
