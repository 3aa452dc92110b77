"""A bare program that registers the same resources as a stack, written from its recorded graph."""

from __future__ import annotations

import json
import pprint
import re
from pathlib import Path
from typing import Any

from review.graph import Node

_OUTPUT = re.compile(r"\$\{(urn:[^}]+)\.(\w+)\}")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class _Source(str):
    """Python source, printed as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _value(value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, dict):
        if "[secret]" in value:
            shown = _value(value["[secret]"], variables)
            return _Source(f"pulumi.Output.secret({shown!r})")
        return {key: _value(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item, variables) for item in value]
    if isinstance(value, str) and (match := _OUTPUT.fullmatch(value)):
        return _Source(f"{variables[match[1]]}.{_snake(match[2])}")
    return value


def program(nodes: list[Node]) -> str:
    """Returns its source: one call of the SDK for each resource, parents and dependencies first."""
    lines = ["import pulumi", "import pulumi_kubernetes", "import pulumi_random", "from components import issuing", ""]
    variables: dict[str, str] = {}
    waiting = list(nodes)
    while waiting:
        node = next(n for n in waiting if _needs(n) <= variables.keys() | {None})
        waiting.remove(node)
        name = variables[node["urn"]] = f"r{len(variables)}"
        lines.append(f"{name} = {_call(node, variables)}")
    return "\n".join(lines) + "\n"


def _needs(node: Node) -> set[str | None]:
    text = json.dumps(node["inputs"])
    parent = None if "pulumi:pulumi:Stack" in (node["parent"] or "pulumi:pulumi:Stack") else node["parent"]
    return {parent, node["provider"], *node["depends_on"], *(match[1] for match in _OUTPUT.finditer(text))}


def _call(node: Node, variables: dict[str, str]) -> str:
    options = []
    if node["parent"] in variables:
        options.append(f"parent={variables[node['parent']]}")
    if node["provider"]:
        options.append(f"provider={variables[node['provider']]}")
    if node["depends_on"]:
        options.append(f"depends_on=[{', '.join(variables[urn] for urn in node['depends_on'])}]")
    opts = f"pulumi.ResourceOptions({', '.join(options)})"
    inputs = _value(node["inputs"], variables)
    if node["type"].startswith("understudy:"):
        return f"pulumi.ComponentResource({node['type']!r}, {node['name']!r}, {pprint.pformat(inputs)}, {opts})"
    if node["type"] == "pulumi:providers:pulumi-python":
        return f"pulumi.ProviderResource('pulumi-python', {node['name']!r}, {{}}, {opts})"
    if node["type"].startswith("pulumi-python:"):
        return _dynamic(node, inputs, opts)
    if node["type"].startswith("pulumi:providers:"):
        package = node["type"].rpartition(":")[2]
        plain = {k: v for k, v in inputs.items() if k != "kubeconfig"}
        arguments = {_snake(k): v == "true" if v in ("true", "false") else v for k, v in plain.items()}
        target = f"pulumi_{package}.Provider"
    else:
        target = _class(node["type"])
        arguments = {_snake(k): v for k, v in inputs.items() if k not in ("apiVersion", "kind")}
    given_text = "".join(f", {key}={pprint.pformat(value)}" for key, value in arguments.items())
    return f"{target}({node['name']!r}{given_text}, opts={opts})"


def _dynamic(node: Node, inputs: dict[str, Any], opts: str) -> str:
    """The certificates of this project: the same class, because no SDK has one."""
    kind = node["type"].rpartition(":")[2]
    arguments = {
        key: value for key, value in inputs.items() if key != "__provider" and not key.startswith("authority_")
    }
    if kind == "Authority":
        return f"issuing.Authority({node['name']!r}, {arguments!r}, {opts})"
    authority = str(inputs["authority_certificate"]).partition(".")[0]
    return f"issuing.Certificate({node['name']!r}, {arguments!r}, {authority}, {opts})"


def write(folder: Path, nodes: list[Node]) -> None:
    """Writes the program and its project file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: bare\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(program(nodes), encoding="utf-8")


def _class(token: str) -> str:
    """Converts ``kubernetes:networking.k8s.io/v1:NetworkPolicy`` to ``pulumi_kubernetes.networking.v1.NetworkPolicy``."""
    package, module, name = token.split(":")
    if package == "random":
        return f"pulumi_random.{name}"
    group, version = module.split("/")
    return f"pulumi_{package}.{group.partition('.')[0]}.{version}.{name}"
