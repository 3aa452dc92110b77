"""``./understudy local``: the embedded default on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from local.mode import Nodes

from .options import StackOption

local = typer.Typer(
    help="The embedded default: engine, control plane and plugins on this machine.", no_args_is_help=True
)


@local.command()
def up(
    stack: StackOption = "staging",
    dry_run: Annotated[bool, typer.Option(help="Show what would change, change nothing.", envvar="DRY_RUN")] = False,
    skip_tests: Annotated[
        bool, typer.Option(help="Do not run the smoke tests afterwards (none exist yet).", envvar="SKIP_TESTS")
    ] = False,
    load_seed_data: Annotated[
        bool, typer.Option(help="Load seed data afterwards (no data job exists yet).", envvar="LOAD_SEED_DATA")
    ] = True,
    nodes: Annotated[
        Nodes | None,
        typer.Option(
            help="real: pods whose images can be made run in containers, others are simulated (root on Linux). "
            "Default: as the cluster was last; simulated at first.",
            envvar="NODES",
        ),
    ] = None,
) -> None:
    """Bring the environment up: policies, cluster, engine, stack, resources. Quick when repeated."""
    from local.commands import up as run
    from local.console import phase
    from review.compose import verdict_of
    from review.graph import graph, manifests

    if nodes is Nodes.REAL:
        from local.node.requirements import check

        check()
    with phase("judging what would be made by every rule"):  # before the engine makes the first of it
        verdict = verdict_of(stack)
    if not verdict.clean:
        from policies.rules import RULES

        from .tables import print_verdict

        print_verdict(stack, verdict, RULES)
        raise typer.Exit(1)

    code = run(
        stack,
        dry_run=dry_run,
        skip_tests=skip_tests,
        load_seed_data=load_seed_data,
        nodes=nodes,
        objects=lambda name: [body for _, body in manifests(graph(name))],
    )
    raise typer.Exit(code)


@local.command()
def preview(
    stack: StackOption = "staging",
    expect_no_changes: Annotated[bool, typer.Option(help="Fail when something would change.")] = False,
) -> None:
    """Show what `up` would change, and what policies and parity say of it."""
    from local.commands import preview as run
    from policies.rules import RULES
    from review.compose import verdict_of
    from review.faithful import of_stack

    from .tables import print_parity, print_verdict

    code = run(stack, *(["--expect-no-changes"] if expect_no_changes else []))
    verdict, parity = verdict_of(stack), of_stack(stack)
    print_verdict(stack, verdict, RULES)
    if parity is not None:
        print_parity(parity, whole=False)
    raise typer.Exit(code or (0 if verdict.clean and (parity is None or parity.faithful) else 1))


@local.command()
def refresh(stack: StackOption = "staging") -> None:
    """Read the cluster's objects into the stack's state, so that the next `up` repairs manual edits."""
    from local.commands import operate

    raise typer.Exit(operate(stack, "refresh", "--yes", "--skip-preview"))


@local.command()
def destroy(stack: StackOption = "staging") -> None:
    """Delete the environment's resources; the cluster stays. A protected environment is left alone."""
    from local.commands import destroy as run

    raise typer.Exit(run(stack))


@local.command()
def vpn(stack: StackOption = "quikapp-staging-platform") -> None:
    """Write the VPN's file of a local stack; nothing answers it, there is no network behind an offline AWS."""
    from local.stack import LocalStack

    from .openvpn import read, write

    found = LocalStack(stack)
    settings = found.resolved()
    file = Path(f"{settings.system}-{settings.environment.name}.ovpn")
    write(read(found.secret_output("vpn"), stack), file)
    typer.echo(f"{file}: openvpn --config {file}")


@local.command()
def status(stack: StackOption = "staging") -> None:
    """Show the processes of the stack's cluster."""
    from local.commands import status as run

    raise typer.Exit(run(stack))


@local.command()
def down(stack: StackOption = "staging") -> None:
    """Stop the stack's cluster; its data and the stack's state stay."""
    from local.commands import down as run

    run(stack)
