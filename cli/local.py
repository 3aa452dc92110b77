"""``./understudy local``: the embedded default on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from local.mode import Nodes

from .options import ContextOption, StackOption

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
    context: ContextOption = None,
    unchecked: Annotated[
        bool, typer.Option(help="On your cluster: go on although something would fail.", envvar="UNCHECKED")
    ] = False,
) -> None:
    """Bring the environment up: policies, cluster, engine, stack, resources. Repeated runs are quick."""
    from local.commands import up as run
    from local.console import phase
    from review.compose import verdict_of
    from review.graph import graph, manifests

    if nodes is Nodes.REAL:
        from local.node.requirements import check

        check()
    if context:
        from local.target import chosen

        chosen(stack, context)  # a stack that must not run here is refused first
    with phase("checking the planned resources against all policies"):  # before the engine makes the first of it
        verdict = verdict_of(stack)
    if not verdict.clean:
        from policies.rules import RULES

        from .tables import print_verdict

        print_verdict(stack, verdict, RULES)
        raise typer.Exit(1)

    if context:
        _examine(stack, context, unchecked=unchecked)
    code = run(
        stack,
        dry_run=dry_run,
        skip_tests=skip_tests,
        load_seed_data=load_seed_data,
        nodes=nodes,
        objects=lambda name: [body for _, body in manifests(graph(name))],
        context=context,
    )
    raise typer.Exit(code)


def _examine(stack: str, context: str, *, unchecked: bool) -> None:
    """Examines the cluster, and stops when something would fail."""
    from doctor.examine import would_fail
    from local.console import phase

    from .doctor import examined, print_results

    with phase(f"examining the cluster of {context}"):
        results, where = examined(stack, context, by_the_run=True)
    lacking = [result for result in results if result.status != "ok"]
    if lacking:
        print_results(stack, where, lacking)
    if would_fail(results) and not unchecked:
        typer.echo("nothing was changed; to go on all the same: --unchecked, or UNCHECKED=true", err=True)
        raise typer.Exit(1)


@local.command()
def preview(
    stack: StackOption = "staging",
    expect_no_changes: Annotated[bool, typer.Option(help="Fail when something would change.")] = False,
    context: ContextOption = None,
) -> None:
    """Show what `up` would change, and the results of policies and parity."""
    from local.commands import preview as run
    from policies.rules import RULES
    from review.compose import verdict_of
    from review.parity_runner import of_stack

    from .tables import print_parity, print_verdict

    code = run(stack, *(["--expect-no-changes"] if expect_no_changes else []), context=context)
    verdict, parity = verdict_of(stack), of_stack(stack)
    print_verdict(stack, verdict, RULES)
    if parity is not None:
        print_parity(parity, whole=False)
    raise typer.Exit(code or (0 if verdict.clean and (parity is None or parity.faithful) else 1))


@local.command()
def refresh(stack: StackOption = "staging", context: ContextOption = None) -> None:
    """Read the cluster's objects into the stack's state, so that the next `up` repairs manual edits."""
    from local.commands import operate

    raise typer.Exit(operate(stack, "refresh", "--yes", "--skip-preview", context=context))


@local.command()
def destroy(stack: StackOption = "staging", context: ContextOption = None) -> None:
    """Delete the environment's resources; the cluster stays. A protected environment is refused."""
    from local.commands import destroy as run

    raise typer.Exit(run(stack, context))


@local.command()
def vpn(stack: StackOption = "quikapp-staging-platform") -> None:
    """Write the VPN profile of a local stack; it cannot connect, because an offline AWS has no network."""
    from local.stack import LocalStack

    from .openvpn import read, write

    local_stack = LocalStack(stack)
    settings = local_stack.resolved()
    file = Path(f"{settings.system}-{settings.environment.name}.ovpn")
    write(read(local_stack.secret_output("vpn"), stack), file)
    typer.echo(f"{file}: openvpn --config {file}")


@local.command()
def status(stack: StackOption = "staging", context: ContextOption = None) -> None:
    """Show the processes of the stack's cluster, or which cluster of yours it is."""
    from local.commands import status as run

    raise typer.Exit(run(stack, context))


@local.command()
def down(stack: StackOption = "staging", context: ContextOption = None) -> None:
    """Stop the stack's local cluster; its data and the stack's state stay. A cluster of yours is not stopped."""
    from local.commands import down as run

    if context:
        typer.echo(
            f"{context} is yours: nothing is stopped; make destroy CONTEXT={context} deletes what was made there"
        )
    else:
        run(stack)


@local.command()
def forget(
    context: Annotated[str, typer.Option(help="Of a cluster that is gone.", envvar="CONTEXT")],
) -> None:
    """Forget the state of stacks on a cluster of yours that is gone for good."""
    from local.target import forget as run

    typer.echo(run(context))
