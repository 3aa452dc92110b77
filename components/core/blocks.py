"""Files of named blocks: Alloy's and Logstash's languages differ in how they assign and what they call a block.

https://grafana.com/docs/alloy/v1.4/get-started/configuration-syntax/syntax/,
https://www.elastic.co/guide/en/logstash/8.11/configuration-file-structure.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | int | bool | list[str] | dict[str, str]


@dataclass(frozen=True)
class Reference:
    """A reference to another block's export, such as ``loki.write.default.receiver``; written without quotes."""

    path: str


@dataclass(frozen=True)
class Block:
    """A block: its settings and its nested blocks."""

    head: str
    """Name, and label or condition, in the syntax of the language."""
    settings: Mapping[str, Value | Reference | list[Reference]] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()


def render(blocks: Iterable[Block], assign: Literal["=", "=>"], indent: str = "") -> str:
    """Returns the text of the file; every block ends with a newline."""
    return "".join(_lines(block, assign, indent) for block in blocks)


def _lines(block: Block, assign: Literal["=", "=>"], indent: str) -> str:
    inner = f"{indent}  "
    settings = "".join(f"{inner}{name} {assign} {_value(value, assign)}\n" for name, value in block.settings.items())
    return f"{indent}{block.head} {{\n{settings}{render(block.blocks, assign, inner)}{indent}}}\n"


def _value(value: object, assign: Literal["=", "=>"]) -> str:
    match value:
        case Reference():
            return value.path
        case list():
            return f"[{', '.join(_value(item, assign) for item in value)}]"
        case dict():
            between, separator = (" ", " => ") if assign == "=>" else (", ", " = ")
            pairs = between.join(f"{json.dumps(key)}{separator}{_value(item, assign)}" for key, item in value.items())
            return f"{{ {pairs} }}"
        case _:
            return json.dumps(value, ensure_ascii=False)
