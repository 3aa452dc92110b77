"""Runs the program against a recording monitor and prints the resource graph, one stack in a process.

``python -m review.record <project folder> <stack> [<stack file>] [--outputs]``. It needs no engine, credentials or
network: the kubeconfig is generated, with the authority that the stack is pinned to. Outputs that no input decides
are symbolic, ``${<urn>.<property>}``, so that references can be read and compared. ``review.recorder`` records several
graphs without importing the SDK for each.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import os
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pulumi
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi._types import is_output_type, output_type_types, resource_types
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_pulumi_func
from ruamel.yaml import YAML

PROJECT = "understudy"
SECRET = {"[secret]": True}
"""Placeholder of a secret value in the graph."""
_SYMBOLS = re.compile(r"\$\{urn:[^}]+\}")
_AUTHORITY = b"no cluster: the resource graph"
ReadOutputs = Callable[[str], str]
"""Returns the outputs of another stack of the project as JSON; raises ``RuntimeError`` when it cannot be recorded."""


class Recorder(mocks.MockMonitor):
    """Keeps the raw requests, because plain mocks lose parent, provider, dependencies and protect."""

    def __init__(self, stack: str, read_outputs: ReadOutputs) -> None:
        super().__init__(_NoMocks())
        self._stack, self._read_outputs = stack, read_outputs
        self.outputs: dict[str, Any] = {}
        """The outputs of the stack."""
        self.requests: dict[str, resource_pb2.RegisterResourceRequest] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Returns the URN as the engine forms it: with the types of all ancestors but the stack."""
        ancestors = parent.split("::")[2] if parent else ""
        qualified = type_ if ancestors in ("", "pulumi:pulumi:Stack") else f"{ancestors}${type_}"
        return f"urn:pulumi:{self._stack}::{PROJECT}::{qualified}::{name}"

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if request.urn.split("::")[2] == "understudy:environment:Environment":  # whose outputs are the stack's
            self.outputs = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:
        """Answers a reference to another stack with that stack's outputs, which are recorded like its graph."""
        if request.type != "pulumi:pulumi:StackReference":
            raise RuntimeError(f"the program reads {request.type} {request.id}, which has no answer without a provider")
        outputs = json.loads(self._read_outputs(request.id.rpartition("/")[2]))
        state = struct_pb2.Struct()
        json_format.ParseDict({"name": request.id, "outputs": outputs, "secretOutputNames": []}, state)
        return resource_pb2.ReadResourceResponse(
            urn=self.make_urn(request.parent, request.type, request.name), properties=state
        )

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.requests:
            raise RuntimeError(f"Duplicate resource URN '{urn}'")
        self.requests[urn] = request
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.object)
        for name, type_ in _outputs(request.type).items():
            symbol = _symbol(type_, f"{urn}.{name}")
            if name not in outputs.fields:
                if name in request.additionalSecretOutputs:
                    symbol = {rpc._special_sig_key: rpc._special_secret_sig, "value": symbol}
                outputs.update({name: symbol})
            elif isinstance(symbol, dict) and outputs.fields[name].HasField("struct_value"):
                fields = outputs.fields[name].struct_value
                fields.update({key: item for key, item in symbol.items() if key not in fields.fields})
        identity = f"${{{urn}.id}}" if request.custom else ""
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=outputs)


class _NoMocks(mocks.Mocks):
    def call(self, args: mocks.MockCallArgs) -> Any:
        raise RuntimeError(f"the program calls {args.token}, which has no answer without a provider")

    def new_resource(self, args: mocks.MockResourceArgs) -> Any:
        raise AssertionError("Recorder answers registrations itself")


def _subclasses(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


@cache
def _outputs(type_token: str) -> Mapping[str, Any]:
    """Returns the output properties that the type's class declares, with their types.

    The class exists, because it was just used.
    """
    classes = [c for c in _subclasses(pulumi.CustomResource) if getattr(c, "pulumi_type", None) == type_token]
    if type_token.startswith("pulumi-python:"):  # a dynamic resource of this program: its class states its name
        name = type_token.partition(":")[2]
        classes = [c for c in _subclasses(pulumi.dynamic.Resource) if getattr(c, "_resource_type_name", None) == name]
    return dict(sorted(resource_types(classes[0]).items())) if classes else {}


def _symbol(type_: Any, path: str, depth: int = 3) -> Any:
    """Returns ``${<urn>.<property>}``; for an object one for each part of it, ``${<urn>.<property>/<part>}``."""
    types = [item for item in get_args(type_) if item is not type(None)]
    if get_origin(type_) is Union and len(types) == 1:
        return _symbol(types[0], path, depth)
    if depth and is_output_type(type_):
        return {name: _symbol(part, f"{path}/{name}", depth - 1) for name, part in output_type_types(type_).items()}
    if depth and get_origin(type_) is Sequence and is_output_type(types[0]):
        return [_symbol(types[0], f"{path}/0", depth)]
    return f"${{{path}}}"


def _node(urn: str, request: Any) -> dict[str, Any]:
    provider, _, _ = request.provider.partition("::${")
    return {
        "urn": urn,
        "type": request.type,
        "name": request.name,
        "parent": request.parent or None,
        "provider": provider or None,
        "inputs": _plain(json_format.MessageToDict(request.object)),
        "depends_on": sorted(set(request.dependencies)),
        "protect": bool(request.protect),
        "retain_on_delete": bool(request.retainOnDelete),
    }


def _plain(value: Any) -> Any:
    """Converts protobuf's JSON: whole numbers become integers, and secrets their placeholder."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return _hidden(value.get("value"))
        return {key: _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _hidden(value: Any) -> Any:
    """Replaces a secret: its references are kept, its value is not."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return _hidden(value.get("value"))
        return {key: _hidden(item) for key, item in sorted(value.items())}
    symbols = set(_SYMBOLS.findall(value)) if isinstance(value, str) else set()
    return {"[secret]": symbols.pop()} if len(symbols) == 1 else SECRET


def stack_settings(project: Path, stack: str, file: Path | None) -> dict[str, str]:
    """Returns the stack's configuration as the engine would pass it: the project's defaults, then the stack's file."""
    reader = YAML(typ="safe")
    declared = reader.load((project / "Pulumi.yaml").read_text(encoding="utf-8")).get("config", {})
    path = file or project / f"Pulumi.{stack}.yaml"
    if not path.exists():
        names = sorted(p.name.split(".")[1] for p in project.glob("Pulumi.*.yaml"))
        raise SystemExit(f"there is no stack {stack!r}; known: {', '.join(names)}")
    content = reader.load(path.read_text(encoding="utf-8")) or {}
    values = {
        key: entry["default"] for key, entry in declared.items() if isinstance(entry, dict) and "default" in entry
    }
    values.update(content.get("config", {}))
    return {key if ":" in key else f"{PROJECT}:{key}": _setting(key, value) for key, value in values.items()}


def _setting(key: str, value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"secure"}:
        return f"${{config.{key}}}"
    return value if isinstance(value, str) else json.dumps(value)


def _kubeconfig(folder: Path) -> Path:
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(_AUTHORITY) + b"\n-----END CERTIFICATE-----\n"
    cluster = {"server": "https://graph.invalid", "certificate-authority-data": base64.b64encode(pem).decode()}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "graph",
        "clusters": [{"name": "graph", "cluster": cluster}],
        "contexts": [{"name": "graph", "context": {"cluster": "graph", "user": "graph"}}],
        "users": [{"name": "graph", "user": {}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def outputs_in_new_process(project: Path) -> ReadOutputs:
    """Returns a reader of other stacks' outputs that records each stack in a new process."""

    def read(stack: str) -> str:
        command = [sys.executable, "-m", "review.record", str(project), stack, "--outputs"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RuntimeError(f"the stack {stack} has no graph:\n{result.stderr.strip()}")
        return result.stdout

    return read


def record(
    project: Path, stack: str, file: Path | None = None, read_outputs: ReadOutputs | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns the graph of the stack, ordered by URN, and its outputs. Once a process: the SDK's state is global.

    ``file`` is the stack's file, default ``Pulumi.<stack>.yaml`` of the project. ``read_outputs`` answers the program's
    references to other stacks; by default each is recorded in a new process.
    """
    settings = stack_settings(project, stack, file)
    settings.pop(f"{PROJECT}:context", None)
    settings[f"{PROJECT}:clusterCaSha256"] = hashlib.sha256(_AUTHORITY).hexdigest()
    settings.setdefault(f"{PROJECT}:placeholders", "true")
    set_all_config(settings, [])
    recorder = Recorder(stack, read_outputs or outputs_in_new_process(project))
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(recorder.mocks, project=PROJECT, stack=stack, preview=False, monitor=recorder)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KUBECONFIG"] = str(_kubeconfig(Path(folder)))

        program = project / "__main__.py"
        loop = asyncio.get_event_loop()
        loop.run_until_complete(run_pulumi_func(lambda: _execute(program)))
        kubeconfig = os.environ["KUBECONFIG"]
    nodes = [_node(urn, request) for urn, request in sorted(recorder.requests.items())]
    for node in nodes:  # the SDK's provider class reads the variable itself
        if node["inputs"].get("kubeconfig") == kubeconfig:
            node["inputs"]["kubeconfig"] = "${KUBECONFIG}"
    return [node for node in nodes if node["type"] != "pulumi:pulumi:Stack"], recorder.outputs


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def recorded(
    project: Path, stack: str, file: Path | None, read_outputs: ReadOutputs | None = None, *, outputs: bool = False
) -> str:
    """Returns the graph, or the stack's outputs, as JSON; a user's mistake goes to stderr with exit code 2."""
    # the first failure is reported; the tasks that waited for it fail too, and asyncio would log each of them
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        graph, stack_outputs = record(project, stack, file, read_outputs)
    except pulumi.RunError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    return json.dumps(stack_outputs if outputs else graph)


def main() -> None:
    """Prints the graph as JSON, or the stack's outputs."""
    project, stack, *rest = (word for word in sys.argv[1:] if word != "--outputs")
    sys.path.insert(0, project)
    file = Path(rest[0]) if rest else None
    sys.stdout.write(recorded(Path(project), stack, file, outputs="--outputs" in sys.argv))


if __name__ == "__main__":
    main()
