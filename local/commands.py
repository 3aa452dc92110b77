"""The commands of ``./understudy local …`` and of the Makefile."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from config.errors import ExternalError

from .builds import ensure
from .charts import origins
from .console import console, phase
from .images import build, statement
from .mode import Nodes
from .node.asked import images
from .node.report import table
from .node.requirements import check
from .paths import ROOT
from .stack import LocalStack
from .target import chosen, refuse_foreign_namespace
from .webhooks import disregarded

GATED = ("--policy-pack", str(ROOT / "policies"))
"""The policies run before the engine creates the first resource."""


def up(
    name: str,
    *,
    dry_run: bool,
    skip_tests: bool,
    load_seed_data: bool,
    nodes: Nodes | None = None,
    objects: Callable[[str], list[dict[str, Any]]] = lambda _: [],
    context: str | None = None,
) -> int:
    """Brings the stack up; returns the engine's exit code.

    ``nodes`` is the behaviour of the nodes, default as before; ``objects`` returns the Kubernetes objects of a stack;
    ``context`` selects a cluster of the user's kubeconfig instead of a local one.
    """
    if nodes and context:
        raise ExternalError(
            "NODES is about the local cluster, and CONTEXT chooses another one\n    fix: give one of the two"
        )
    stack = chosen(name, context)
    return bring_up(
        stack, dry_run=dry_run, skip_tests=skip_tests, load_seed_data=load_seed_data, nodes=nodes, objects=objects
    )


def bring_up(
    stack: LocalStack,
    *,
    dry_run: bool,
    skip_tests: bool,
    load_seed_data: bool,
    nodes: Nodes | None = None,
    objects: Callable[[str], list[dict[str, Any]]] = lambda _: [],
) -> int:
    """Brings this stack up; returns the engine's exit code. ``nodes`` and ``objects`` are as in ``up``."""
    start = time.monotonic()
    name = stack.name
    if (nodes or stack.plane.nodes) is Nodes.REAL:
        check()
    # in one call, so that a program compiles while another is linked, which uses one core
    ensure(*stack.engine.modules(), *stack.plane.modules(nodes))
    console.print(f"[dim]engine: {stack.engine.program}[/]")
    below = stack.platform
    if below and not below.is_up():
        console.print(f"{name} runs on {below.name}, which is not up: that one first")
        if code := up(
            below.name,
            dry_run=False,
            skip_tests=skip_tests,
            load_seed_data=load_seed_data,
            nodes=nodes,
            objects=objects,
        ):
            return code
    stack.start(nodes)
    refuse_foreign_namespace(stack)
    if stack.plane.nodes is Nodes.REAL:
        with phase("making the images of pods that run"):
            pods = objects(name)
            built = build(images(pods), pods, stack.resolved())
        with phase("giving the real node its images"):
            stack.plane.publish(built, pods)
    if dry_run:
        return stack.pulumi("preview", "--diff", *GATED).returncode
    # for protected stores the preview runs first, because a replacement would stop the update halfway
    first = () if stack.account else ("--skip-preview",)
    code = stack.pulumi("up", "--yes", *first, "--suppress-outputs", *GATED).returncode
    if code:
        return code
    _look_around(stack, time.monotonic() - start)
    if not skip_tests or load_seed_data:
        console.print("[dim]Smoke tests and seed data are not part of Understudy yet.[/]")
    return 0


def _look_around(stack: LocalStack, seconds: float) -> None:
    outputs = stack.outputs()
    console.print(f"\n[bold green]{stack.name} is up[/] in {seconds:.0f} s")
    for component, endpoint in sorted(_endpoints(outputs).items()):
        console.print(f"  {component}  {endpoint}", soft_wrap=True)
    if names := outputs.get("secretNames"):
        console.print(f"  secrets  {', '.join(names)}")
    lines = []
    if stack.plane.nodes is Nodes.REAL:
        with phase("waiting for pods that run"):
            lines = stack.plane.pods()
        console.print(table(lines))
    console.print(f"\n{stack.plane.statement()}", soft_wrap=True)
    if stack.account and (levels := stack.levels()):
        summary = ", ".join(f"{levels.get(level, 0)} {level}" for level in ("real", "validated", "recorded"))
        console.print(
            f"[bold yellow]An offline AWS:[/] {summary}. Real ones are in moto's server at {stack.account.endpoint}; the "
            "calls of validated ones were checked and not made; recorded ones have none (docs/offline-aws.md).",
            soft_wrap=True,
        )
    if wanted := stack.charts():
        _say_charts(stack, wanted)
    console.print("What this environment cannot tell about production:")
    for sentence in (*statement(lines), *outputs["fidelity"]):
        console.print(f"  - {sentence}", soft_wrap=True)
    console.print("\nLook around:")
    kubectl = stack.plane.kubectl()
    if namespace := outputs.get("namespace"):
        print(f"  {kubectl} -n {namespace} get all,networkpolicies,resourcequotas")
    else:
        print(f"  {kubectl} get storageclasses")


def _say_charts(stack: LocalStack, wanted: Mapping[str, str]) -> None:
    """Prints the origins of Helm charts, and the admission webhooks that are disabled."""
    console.print("[bold yellow]Helm charts[/] of a mirror of this machine:")
    for origin, packaged in origins(wanted).items():
        console.print(f"  - {', '.join(packaged)}: {origin}", soft_wrap=True)
    with stack.plane.client() as client:
        if names := disregarded(client):
            console.print(f"Webhooks that are not asked, as their pods do not run: {', '.join(names)}", soft_wrap=True)


def _endpoints(outputs: dict[str, Any]) -> dict[str, str]:
    """Returns component to ``host:port``, of the application and of the platform."""
    endpoints = dict(outputs.get("endpoints", {}))
    for component, endpoint in outputs.get("platform", {}).get("endpoints", {}).items():
        endpoints[component] = endpoint["host"] if ":" in endpoint["host"] else f"{endpoint['host']}:{endpoint['port']}"
    return endpoints


def preview(name: str, *arguments: str, context: str | None = None) -> int:
    """Shows the changes of an update with the policies' findings; returns the engine's exit code."""
    return operate(name, "preview", "--diff", *GATED, *arguments, context=context)


def operate(name: str, *arguments: str, context: str | None = None) -> int:
    """Runs an operation of the engine on the stack; returns its exit code."""
    stack = chosen(name, context)
    stack.start()
    return stack.pulumi(*arguments).returncode


def destroy(name: str, context: str | None = None) -> int:
    """Deletes the stack's resources; returns the engine's exit code. Raises ``ExternalError`` for a protected environment."""
    return chosen(name, context).destroy()


def status(name: str, context: str | None = None) -> int:
    """Prints each process, or the user's cluster; returns 0 when it answers."""
    plane = chosen(name, context).plane
    for process, state in plane.status().items():
        console.print(f"{process:26} {state}")
    return 0 if plane.running() else 1


def down(name: str) -> None:
    """Stops the stack's cluster, and its AWS account where it has one."""
    with phase(f"stopping the control plane of {name!r}"):
        LocalStack(name).stop()
