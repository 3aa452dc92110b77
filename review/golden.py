"""Golden graphs: the resources of each shipped stack as YAML files that a reviewer reads as a diff.

A stack has a folder, and in it a folder for each component with one file for each resource. A stack of production is written
whole. Any other stack is written as what differs from production's: in the file of a resource, each changed value stands as
``path: {production: …, here: …}``. Names of the environment (its name, its namespace, its domain) are exchanged before the
comparison, so that they are no differences. ``same.yaml`` lists the
resources without a difference, and those of production that are not here.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from .graph import Node

ENVIRONMENT = "understudy:environment:Environment"
SAME = "same.yaml"
_DECLARED = {"resolved": "resolved", "production": "base", "derivation": "derivation", "identities": "identities"}
"""Long inputs of the environment that are split into files, one for each component, to the folder of these files."""
_DEFAULTS = {"protect": False, "retain_on_delete": False, "depends_on": [], "provider": None}
"""Inputs that are not written. The provider is not written either where it is the only one of its package."""
_ABSENT = object()
_JSON_INDENT = 1
Files = dict[str, Any]
"""Path below the stack's folder to the file's content."""


def files(nodes: list[Node], production: list[Node] | None = None) -> dict[str, str]:
    """Returns the files of a stack: path below its folder to YAML. ``production`` is the graph to compare with, if any."""
    own = _documents(nodes)
    if production is None:
        return {path: _yaml(content) for path, content in own.items()}
    before = _documents(production)
    base = {path.replace("/resolved/", "/base/"): part for path, part in before.items() if "/resolved/" in path}
    exchanged = {**base, **_exchanged(before, _names(production), _names(nodes))}
    result, same = {}, []
    for path, content in own.items():
        if path not in exchanged:
            result[path] = _yaml(content)
        elif changes := dict(_changes(exchanged[path], content, "")):
            result[path] = _yaml({"differs": changes})
        else:
            same.append(path)
    removed = sorted(exchanged.keys() - own.keys())
    return {**result, SAME: _yaml({"same": same, "removed": removed})}


def _documents(nodes: list[Node]) -> Files:
    """Returns the resources of a graph, and the long inputs of its environment, by the path of their files."""
    places = _places(nodes)
    result: Files = {}
    for node in nodes:
        inputs = node["inputs"]
        if node["type"] == ENVIRONMENT:
            alike = inputs["production"] == inputs["resolved"]  # for production itself
            for key, folder in _DECLARED.items():
                if alike and key == "production":
                    continue
                for name, part in _parts(inputs[key]):
                    result[f"declared/{folder}/{name}.yaml"] = part
            inputs = {key: value for key, value in inputs.items() if key not in _DECLARED}
        document = {
            "type": node["type"],
            "name": node["name"],
            "parent": places.get(node["parent"], node["parent"]),
            "provider": _provider(node, nodes, places),
            "protect": node["protect"],
            "retain_on_delete": node["retain_on_delete"],
            "depends_on": [places.get(urn, urn) for urn in node["depends_on"]],
            "inputs": _structured(inputs),
        }
        place = places[node["urn"]]
        result[f"{place}.yaml"] = {k: v for k, v in document.items() if k not in _DEFAULTS or v != _DEFAULTS[k]}
    return dict(sorted(result.items()))


def _provider(node: Node, nodes: list[Node], places: dict[str, str]) -> str | None:
    """Returns what is written of a resource's provider: nothing for a component, or for the only provider of its type."""
    urn = node["provider"]
    if node["type"].startswith("understudy:"):
        return urn and places.get(urn, urn)
    if urn is None:
        return "none"
    kind = urn.split("::")[-2].rpartition("$")[2]
    alone = sum(other["type"] == kind for other in nodes) == 1
    return None if alone else places.get(urn, urn)


def _structured(value: Any) -> Any:
    """Returns the value with each JSON document of several lines as ``{json: <content>}``."""
    if isinstance(value, dict):
        return {key: _structured(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_structured(item) for item in value]
    if isinstance(value, str) and value.startswith(("{\n", "[\n")):
        try:
            document = json.loads(value)
        except ValueError:
            return value
        return {"json": document} if json.dumps(document, indent=_JSON_INDENT) == value.rstrip("\n") else value
    return value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Splits a long input by component: a resolved environment into components, a list into the entries of each."""
    if isinstance(value, dict):
        yield "environment", {key: part for key, part in value.items() if key != "components"}
        yield from value["components"].items()
        return
    groups: dict[str, list[Any]] = {}
    for entry in value:
        groups.setdefault(re.split(r"[.\[]", entry["path"])[0], []).append(entry)
    yield from sorted(groups.items())


def _places(nodes: list[Node]) -> dict[str, str]:
    """Returns URN to ``<component>/<type>-<name>``: the component is the nearest ancestor of this program's types."""
    by_urn = {node["urn"]: node for node in nodes}
    result: dict[str, str] = {}
    taken: set[str] = set()
    for node in nodes:
        above: Node | None = node
        while above is not None and not above["type"].startswith("understudy:"):
            above = by_urn.get(above["parent"])
        folder = "environment" if above is None or above["type"] == ENVIRONMENT else above["name"]
        plain = place = f"{folder}/{node['type'].rpartition(':')[2]}-{node['name']}"
        number = 1
        while place in taken:  # two API groups may have a kind of the same name
            number += 1
            place = f"{plain}-{number}"
        taken.add(place)
        result[node["urn"]] = place
    return result


def _names(nodes: list[Node]) -> tuple[str, ...]:
    """Returns the environment's own names, in the order of their replacement."""
    site = next(node for node in nodes if node["type"] == ENVIRONMENT)["inputs"]["resolved"]["environment"]
    return site["domain"], site["namespace"], site["name"]


def _exchanged(documents: Files, before: tuple[str, ...], after: tuple[str, ...]) -> Files:
    """Returns production's documents with another environment's names in place of its own, also in paths."""
    pairs = {old: new for old, new in zip(before, after, strict=True) if old}
    longest_first = "|".join(re.escape(word) for word in sorted(pairs, key=len, reverse=True))
    words = re.compile(rf"(?<![A-Za-z0-9])({longest_first})(?![A-Za-z0-9])")

    def exchange(value: Any) -> Any:
        if isinstance(value, str):
            return words.sub(lambda match: pairs[match[0]], value)
        if isinstance(value, list):
            return [exchange(item) for item in value]
        if isinstance(value, dict):
            return {exchange(key): exchange(item) for key, item in value.items()}
        return value

    return {exchange(path): exchange(content) for path, content in documents.items()}


def _changes(before: Any, after: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each difference by its path; a list of another length is one difference, of which the new list is written."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            inner = f"{path}.{_key(key)}".lstrip(".")
            yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, f"{path}[{index}]")
    elif before is _ABSENT:
        yield path, {"here": after}
    elif after is _ABSENT:
        yield path, {"production": before}
    elif isinstance(before, str) and isinstance(after, str) and before != after and "\n" in before and "\n" in after:
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
        yield path, {"lines": "\n".join(list(lines)[2:]) + "\n"}
    elif before != after or type(before) is not type(after):
        short = not isinstance(before, dict | list)
        yield path, {**({"production": before} if short else {}), "here": after}


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key) else f"[{json.dumps(key)}]"


class _Dumper(yaml.CSafeDumper):
    """Writes texts of several lines as block scalars, and short mappings of scalars on one line."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - a repeated value is written again
        return True


def _text(dumper: yaml.CSafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


def _mapping(dumper: yaml.CSafeDumper, value: dict[str, Any]) -> yaml.Node:
    node = dumper.represent_mapping("tag:yaml.org,2002:map", value.items())
    node.flow_style = _short(value)
    return node


def _sequence(dumper: yaml.CSafeDumper, value: list[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=_short(value))


def _short(value: dict[str, Any] | list[Any]) -> bool:
    """Returns whether the mapping fits one line: scalars only, of 118 characters together."""
    items = list(value.values()) if isinstance(value, dict) else value
    return (
        bool(items) and len(str(value)) <= 118 and not any(isinstance(v, dict | list) or "\n" in str(v) for v in items)
    )


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)


def _yaml(content: Any) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True))
