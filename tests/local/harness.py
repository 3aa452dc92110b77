"""Runs small programs, step by step, on the real engine, and brings what was recorded and what is seen into one form."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from local.control_plane import ControlPlane
from local.engine import Engine

HERE = Path(__file__).parent
CASES = sorted((HERE / "fidelity").glob("*.json"))
KEPT = (
    "custom",
    "id",
    "inputs",
    "outputs",
    "type",
    "initErrors",
    "additionalSecretOutputs",
    "protect",
    "retainOnDelete",
)
VOLATILE = {"creationTimestamp", "resourceVersion", "uid", "generation", "managedFields"}
PLACEHOLDERS = {"<volatile>", "<secret>", "<uuid>", "<ip>"}


class Runner:
    """One stack of the fidelity program in a folder of its own."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane, self.folder = plane, folder
        self.engine = Engine(home=folder, project=HERE / "fidelity_program")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Pulumi.yaml").write_text("name: fidelity\nruntime: python\n")
        self.run("stack", "init", "fid", "--no-select", folder=folder)

    def run(
        self, *arguments: str, folder: Path | None = None, step: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = self.engine.environment(self.plane.kubeconfig)
        environment |= {"PULUMI_DEBUG_COMMANDS": "true", "FIDELITY_STEP": str(step or "")}
        return subprocess.run(
            [self.engine.program, *arguments],
            cwd=folder or self.engine.project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def update(self, *arguments: str, step: Path) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
        """Runs an operation; its result, and the engine's events."""
        log = self.folder / "events.json"
        log.unlink(missing_ok=True)
        scope = ("--stack", "fid", "--config-file", str(self.folder / "Pulumi.fid.yaml"), "--event-log", str(log))
        result = self.run(*arguments, *scope, step=step)
        lines = log.read_text().splitlines() if log.exists() else []
        return result, [json.loads(line) for line in lines]

    def state(self) -> list[dict[str, Any]]:
        result = self.run("stack", "export", "--stack", "fid", folder=self.folder)
        resources = json.loads(result.stdout)["deployment"].get("resources", [])
        return [r for r in resources if not r["type"].startswith("pulumi:")]

    def play(self, number: int, step: dict[str, Any]) -> dict[str, Any]:
        """Previews and runs the step's program; returns plan, errors, exit codes and state in the recorded form."""
        program = step["program"]
        file = self.folder / f"step-{number}.json"
        file.write_text(json.dumps(program))
        seen: dict[str, Any] = {}
        result, events = self.update("preview", step=file)
        seen["preview"] = by_urn(_plan(events))
        seen["preview_exit"] = int(result.returncode != 0)
        if result.returncode:
            seen["preview_errors"] = _errors(events)
        if program.get("preview_only"):
            return seen
        if program.get("refresh"):
            result, events = self.update("refresh", "--yes", "--skip-preview", step=file)
            seen["refresh_exit"] = int(result.returncode != 0)
        result, events = self.update("up", "--yes", "--skip-preview", step=file)
        seen["up_exit"] = int(result.returncode != 0)
        if result.returncode:
            seen["up_errors"] = _errors(events)
        seen["state"] = by_urn(_resource(r) for r in self.state())
        return seen

    def destroy(self) -> int:
        file = self.folder / "empty.json"
        file.write_text(json.dumps({"resources": []}))
        return int(self.update("destroy", "--yes", "--skip-preview", step=file)[0].returncode != 0)


def _short(urn: str) -> str:
    parts = urn.split("::")
    return "::".join([parts[2].rpartition("$")[2], *parts[3:]]) if len(parts) > 3 else ""


def text(message: str) -> str:
    """A message without what differs from run to run."""
    message = re.sub(r"<\{%.*?%\}>", "", message).strip()
    message = re.sub(r"urn:pulumi:[^:]+::", "urn:pulumi:<stack>::", message)
    message = re.sub(r"https://\S+", "<url>", message)
    return re.sub(r"pulumi-kubernetes-[0-9a-f]{8}", "pulumi-kubernetes-<hex>", message)


def _plan(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    steps = []
    for event in events:
        if "resourcePreEvent" in event:
            meta = event["resourcePreEvent"]["metadata"]
            if meta["op"] in ("same", "create-replacement", "delete-replaced"):
                continue  # a replacement is three steps of the engine and one of the plan
            if meta["urn"].rpartition("::")[2].startswith("default_"):
                continue
            entry: dict[str, Any] = {"op": meta["op"], "urn": _short(meta["urn"])}
            if meta.get("detailedDiff"):
                entry["detailedDiff"] = {
                    key: {"inputDiff": value["inputDiff"], "kind": value["diffKind"]}
                    for key, value in meta["detailedDiff"].items()
                }
            if meta.get("diffs"):
                entry["diffReasons"] = meta["diffs"]
            if meta.get("keys"):
                entry["replaceReasons"] = sorted(meta["keys"])
            steps.append(entry)
    return steps


def _errors(events: list[dict[str, Any]]) -> list[str]:
    found = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    return [text(e["message"]) for e in found if e["severity"] == "error"]


def _resource(resource: dict[str, Any]) -> dict[str, Any]:
    kept = {key: resource[key] for key in KEPT if key in resource}
    kept["urn"] = _short(resource["urn"])
    if "initErrors" in kept:
        kept["initErrors"] = [text(error) for error in kept["initErrors"]]
    return kept


def recorded(step: dict[str, Any]) -> dict[str, Any]:
    """The recorded step in the same form: a plan without what stays, errors as their texts."""
    kept = {key: step[key] for key in ("preview_exit", "up_exit", "refresh_exit", "state") if key in step}
    kept["preview"] = by_urn(entry for entry in step.get("preview", []) if entry["op"] != "same")
    if "preview_errors" in step:
        kept["preview_errors"] = [text(error.removeprefix("error: ")) for error in step["preview_errors"]]
    if "up_errors" in step:
        kept["up_errors"] = [text(error["message"]) for error in step["up_errors"]]
    if "state" in step:
        kept["state"] = by_urn(step["state"])
    return kept


def comparable(step: dict[str, Any], seen: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The recorded step and what was seen, without what is a matter of timing.

    The engine cancels the steps beside one that failed: whether they were planned, or done, before that differs from run to
    run (seen: a StorageClass beside a PriorityClass that could not be changed). Their state is left out then; a plan that
    was made is compared.
    """
    expected, seen = recorded(step), dict(seen)
    if not step.get("up_exit"):
        return expected, seen
    failed = {_short(error["urn"]) or error["urn"] for error in step["up_errors"]}
    raced = {entry["urn"] for entry in expected["preview"]} - failed
    planned = {entry["urn"] for entry in seen["preview"]}
    if expected["preview_exit"]:
        expected["preview"] = [e for e in expected["preview"] if e["urn"] not in raced or e["urn"] in planned]
    for side in (expected, seen):
        side["state"] = [entry for entry in side["state"] if entry["urn"] not in raced]
    return expected, seen


def by_urn(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """In a stable order, without the stack itself: it was recorded under other names."""
    return sorted((e for e in entries if not e["urn"].startswith("pulumi:pulumi:Stack")), key=lambda e: str(e["urn"]))


def mismatches(expected: Any, seen: Any, path: str = "") -> Iterator[str]:  # noqa: C901, PLR0912 - one branch a kind of value
    """Where what was seen is not what was recorded; placeholders match anything that is there."""
    if isinstance(expected, str) and expected in PLACEHOLDERS:
        if seen is None:
            yield f"{path}: absent"
    elif isinstance(seen, dict) and "4dabf18193072939515e22adb298388d" in seen:
        yield f"{path}: recorded in the clear, seen as a secret"
    elif isinstance(expected, dict) and isinstance(seen, dict):
        for key in sorted(expected.keys() | seen.keys()):
            if key in VOLATILE or key in ("status", "deployment.kubernetes.io/revision"):
                continue
            if key not in seen:
                yield f"{path}.{key}: recorded {expected[key]!r:.200}, absent"
            elif key not in expected:
                yield f"{path}.{key}: not recorded, seen {seen[key]!r:.200}"
            else:
                yield from mismatches(expected[key], seen[key], f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        for index, (left, right) in enumerate(zip(expected, seen, strict=True)):
            yield from mismatches(left, right, f"{path}[{index}]")
    elif isinstance(expected, str) and isinstance(seen, str) and expected != seen:
        pattern = (
            re.escape(expected)
            .replace("<hex>", "[0-9a-f]+")
            .replace("<uuid>", "[0-9a-f-]+")
            .replace("<volatile>", ".*")
        )
        if not re.fullmatch(pattern, seen, re.DOTALL):
            yield f"{path}: recorded {expected!r}, seen {seen!r}"
    elif expected != seen:
        yield f"{path}: recorded {expected!r}, seen {seen!r}"
