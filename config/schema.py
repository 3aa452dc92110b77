"""The JSON Schema of a system's file, for editors."""

from __future__ import annotations

import ast
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from .system import System

FILE = Path(__file__).parent / "schema.json"


def render() -> str:
    """As ``config/schema.json`` holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **System.model_json_schema(by_alias=True)}
    described = _docstrings()
    for name, definition in {**schema["$defs"], "System": schema}.items():
        for field, text in described.get(name, {}).items():
            if field in definition.get("properties", {}):
                definition["properties"][field]["description"] = text
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def _docstrings() -> dict[str, dict[str, str]]:
    """Class to field to the text below it, with the fields of its bases.

    pydantic can read them itself (``use_attribute_docstrings``), and would at every start of the program: 0.09 s here.
    """
    classes: dict[str, ast.ClassDef] = {}
    for file in Path(__file__).parent.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        classes |= {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}

    def described(name: str) -> dict[str, str]:
        node = classes.get(name)
        if node is None:
            return {}
        inherited = [described(base.id) for base in node.bases if isinstance(base, ast.Name)]
        return {key: text for found in inherited for key, text in found.items()} | _fields(node.body)

    return {name: described(name) for name in classes}


def _fields(body: list[ast.stmt]) -> dict[str, str]:
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value: Any = text.value.value if isinstance(text.value, ast.Constant) else None
            if isinstance(value, str):
                found[to_camel(field.target.id)] = " ".join(value.split())
    return found
