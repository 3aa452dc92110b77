"""Options of several commands."""

from __future__ import annotations

from typing import Annotated

import typer

StackOption = Annotated[
    str, typer.Option("--stack", "-s", help="The stack, a Pulumi.<stack>.yaml of this project.", envvar="STACK")
]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context", help="Context of your kubeconfig: an existing cluster, not a local one.", envvar="CONTEXT"
    ),
]
