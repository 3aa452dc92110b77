"""``python -m bench``: ratios against a baseline of the same run, as a table for the README."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.commands import GATED
from local.console import phase
from local.engine import Engine
from local.stack import LocalStack
from review.graph import ROOT, graph

from .bare import write
from .generate import system

RUNS = 5
SIZES = (10, 100, 500)


@dataclass(frozen=True)
class Cost:
    """Wall seconds, and the largest sum of resident memory (MiB) of a process and its descendants."""

    seconds: float
    mebibytes: float


def measure(command: list[str], folder: Path, environment: dict[str, str]) -> Cost:
    """Runs the command; fails with its output when the command fails."""
    start, peak = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output) as process:
            while process.poll() is None:
                peak = max(peak, _resident(process.pid))
                time.sleep(0.05)
        seconds = time.monotonic() - start
        if process.returncode:
            output.seek(0)
            raise SystemExit(output.read()[-3000:])
    return Cost(seconds, peak / 2**20)


def _resident(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
    except psutil.Error:
        pass
    return total


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(c.seconds for c in costs), statistics.median(c.mebibytes for c in costs))


def previews(folder: Path) -> list[str]:
    """Paired previews of the stack and of the bare program, in turns, each from an empty stack."""
    write(folder / "bare", graph("staging"))
    stack = LocalStack("staging", Engine(home=folder / "home"))
    stack.start()
    try:
        environment = stack.engine.environment(stack.plane.kubeconfig)
        bare = Engine(home=folder / "home", project=folder / "bare")
        bare.run(["stack", "init", "bare", "--no-select"], stack.plane.kubeconfig, folder=folder / "bare", capture=True)
        ours_command = [stack.engine.program, "preview", "--stack", "staging", "--config-file", str(stack.file)]
        bare_command = [stack.engine.program, "preview", "--stack", "bare"]
        gated_command = [*ours_command, *GATED]
        costs: dict[str, list[Cost]] = {"ours": [], "bare": [], "gated": []}
        for turn in range(RUNS + 1):
            pair = {
                "ours": measure(ours_command, ROOT, environment),
                "bare": measure(bare_command, folder / "bare", environment),
                "gated": measure(gated_command, ROOT, environment),
            }
            for name, cost in pair.items() if turn else ():  # the first pair warms the caches
                costs[name].append(cost)
        ours, bare_cost, gated = (_median(costs[name]) for name in ("ours", "bare", "gated"))
        figures = f"{gated.seconds:.2f} s | {ours.seconds:.2f} s | {gated.seconds / ours.seconds:.2f}"
        gate = f"| the same with the policy pack (baseline: without) | {figures} | ≤ 1.25 |"
        return [*_preview_rows(ours, bare_cost), gate, *_second_up(stack)]
    finally:
        stack.plane.remove()


def _preview_rows(ours: Cost, bare: Cost) -> list[str]:
    wall, memory = ours.seconds / bare.seconds, ours.mebibytes / bare.mebibytes
    return [
        f"| `pulumi preview` of `staging`, wall | {ours.seconds:.2f} s | {bare.seconds:.2f} s | {wall:.2f} | ≤ 1.10 |",
        f"| the same, memory | {ours.mebibytes:.0f} MiB | {bare.mebibytes:.0f} MiB | {memory:.2f} | ≤ 1.15 |",
    ]


def _second_up(stack: LocalStack) -> list[str]:
    stack.pulumi("up", "--yes", "--skip-preview", capture=True)
    start = time.monotonic()
    stack.start()
    middle = time.monotonic()
    stack.pulumi("up", "--yes", "--skip-preview", capture=True)
    end = time.monotonic()
    return [
        f"| second `make up`: cluster, backend, recovery | {middle - start:.2f} s | | | |",
        f"| second `make up`: `pulumi up` without changes | {end - middle:.2f} s | | | |",
    ]


def growth(folder: Path) -> list[str]:
    """Measures the time per service of ``graph`` and ``explain`` for increasing sizes."""
    rows = []
    for command in ("graph", "explain"):
        each: dict[int, float] = {}
        for size in SIZES:
            file = system(folder, size)
            arguments = {
                "graph": [sys.executable, "-m", "review.record", str(ROOT), "bench", str(file)],
                "explain": [sys.executable, "-m", "bench.explain", str(file)],
            }[command]
            runs = [measure(arguments, ROOT, dict(os.environ)) for _ in range(3)]
            each[size] = _median(runs).seconds / size
        small, large = each[SIZES[0]], each[SIZES[-1]]
        times = ", ".join(f"{size}: {value * 1000:.0f} ms" for size, value in each.items())
        figures = f"{large * 1000:.1f} ms | {small * 1000:.1f} ms | {large / small:.2f}"
        rows.append(f"| `{command}`, time a service ({times}) | {figures} | ≤ 1.20 |")
    return rows


def judging(folder: Path) -> list[str]:
    """Measures the time per service of the rules and of parity on a recorded graph, for increasing sizes."""
    each: dict[int, float] = {}
    for size in SIZES:
        command = [sys.executable, "-m", "bench.judge", str(system(folder, size))]
        runs = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout for _ in range(3)]
        each[size] = statistics.median(sum(json.loads(run).values()) for run in runs) / size
    small, large = each[SIZES[0]], each[SIZES[-1]]
    times = ", ".join(f"{size}: {value * 1000:.1f} ms" for size, value in each.items())
    figures = f"{large * 1000:.1f} ms | {small * 1000:.1f} ms | {large / small:.2f}"
    return [f"| `policy` and `parity` of a graph, time a service ({times}) | {figures} | ≤ 1.20 |"]


def platform_graph() -> list[str]:
    """The graph of the platform on AWS, against importing the modules of the SDKs that it needs, in turns."""
    stack = "quikapp-staging-platform"
    listed = subprocess.run([sys.executable, "-m", "bench.modules", stack], cwd=ROOT, capture_output=True, check=True)
    imports = (
        f"import importlib, json\nfor name in json.loads({listed.stdout.decode()!r}): importlib.import_module(name)"
    )
    commands = {
        "ours": [sys.executable, "-m", "review.record", str(ROOT), stack],
        "imports": [sys.executable, "-c", imports],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(RUNS + 1):
        for name, command in commands.items():
            cost = measure(command, ROOT, dict(os.environ))
            if turn:
                costs[name].append(cost)
    ours, baseline = _median(costs["ours"]), _median(costs["imports"])
    ratio = ours.seconds / baseline.seconds
    return [
        f"| `graph` of `{stack}` (baseline: importing the SDK's modules) | {ours.seconds:.2f} s | {baseline.seconds:.2f} s "
        f"| {ratio:.2f} | ≤ 2.50 |",
        f"| the same, memory | {ours.mebibytes:.0f} MiB | {baseline.mebibytes:.0f} MiB | | ≤ 400 MiB |",
    ]


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with phase("graph and explain of larger systems"):
            rows = growth(folder) + judging(folder)
        with phase("the graph of a platform on AWS"):
            rows += platform_graph()
        with phase("previews, in turns with a bare program"):
            rows = previews(folder) + rows
    memory = psutil.virtual_memory().total / 2**30
    print(
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}; medians\n"
    )
    print("| What | Measured | Baseline | Ratio | Aim |\n| --- | --- | --- | --- | --- |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
