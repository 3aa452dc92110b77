"""The JSON Schema of a system's file, for editors."""

from __future__ import annotations

import ast
import json
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from .system import System

FILE = Path(__file__).parent / "schema.json"


def render() -> str:
    """Returns the schema as ``config/schema.json`` contains it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **System.model_json_schema(by_alias=True)}
    models = _models(BaseModel)
    for name, definition in {**schema["$defs"], "System": schema}.items():
        properties = definition.get("properties", {})
        for model in models:
            if model.__name__ == name and properties.keys() == _keys(model):
                for field, text in _descriptions(model).items():
                    properties[field]["description"] = text
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def _models(base: type[BaseModel]) -> set[type[BaseModel]]:
    """Returns the models of this package that inherit from ``base``."""
    inherited = {model for child in base.__subclasses__() for model in _models(child)}
    return inherited | ({base} if base.__module__.startswith(f"{__package__}.") else set())


def _keys(model: type[BaseModel]) -> set[str]:
    """Returns the keys of a model in YAML."""
    return {field.alias or name for name, field in model.model_fields.items()}


def _descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Returns key to the text below the field, with the fields of the model's bases.

    pydantic can read them itself (``use_attribute_docstrings``), but would do so at every start of the program: 0.09 s
    here.
    """
    bases = [base for base in reversed(model.__mro__) if base.__module__.startswith(f"{__package__}.")]
    texts = {key: text for base in bases for key, text in _fields(_body(base)).items()}
    return {key: text for key, text in texts.items() if key in _keys(model)}


@cache
def _classes(module: str) -> dict[str, list[ast.stmt]]:
    """Returns class to its statements, of the classes in a module's source."""
    tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8"))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


def _body(model: type) -> list[ast.stmt]:
    return _classes(model.__module__).get(model.__name__, [])


def _fields(body: list[ast.stmt]) -> dict[str, str]:
    fields = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value: Any = text.value.value if isinstance(text.value, ast.Constant) else None
            if isinstance(value, str):
                fields[to_camel(field.target.id)] = " ".join(value.split())
    return fields
