"""Masks of JSON: of a document only the declared paths are kept, each masked by its class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from config.contract import Class

from .catalog import Column
from .dialect import literal
from .masks import Asked, Mask, Unmaskable, mask, message

_LEAF = Column(
    name="", type="text", base="text", category="text", array=False, length=None, not_null=False, default=None, identity="",
    generated=False, collation=None, portable=True,
)  # fmt: skip


@dataclass
class Node:
    """A place in a document: a leaf with its class, an object's members, or an array's elements."""

    cls: Class | None = None
    members: dict[str, Node] = field(default_factory=dict)
    elements: Node | None = None


def tree(paths: Mapping[str, Class]) -> Node:
    """The declared paths as one tree; raises ``Unmaskable`` when one path goes through another's value."""
    root = Node()
    for path, cls in paths.items():
        node = root
        for part in steps(path):
            if node.cls is not None:
                raise Unmaskable(f"the path {path} leads through one that is kept already")
            if part == "[*]":
                node.elements = node.elements or Node()
                node = node.elements
            else:
                node = node.members.setdefault(part, Node())
        if node.members or node.elements or node.cls is not None:
            raise Unmaskable(f"the path {path} leads through one that is kept already")
        node.cls = cls
    return root


def steps(path: str) -> Iterator[str]:
    """``$.a.b[*].c`` as a, b, [*], c."""
    for part in path.replace("[*]", ".[*]").split("."):
        if part and part != "$":
            yield part


def document(paths: Mapping[str, Class], asked: Asked) -> Mask:
    """The mask of a column of JSON; what is not as the paths say (a text where an object was declared) is left out."""
    raw = "{raw}" if asked.column.base == "jsonb" else "{raw}::jsonb"
    body = _node(tree(paths), raw, asked, 0)
    expression = f"CASE WHEN {{raw}} IS NOT NULL THEN coalesce({body}, '{{}}'::jsonb) END::{asked.column.type}"
    return Mask(expression, "true", "rows" if set(paths.values()) - {Class.PUBLIC} else "shape")


def _node(node: Node, value: str, asked: Asked, depth: int) -> str:
    if node.cls is not None:
        return _leaf(node.cls, value, asked)
    if node.elements is not None:
        name = f"e{depth}"
        inner = _node(node.elements, f"{name}.value", asked, depth + 1)
        return (
            f"CASE WHEN jsonb_typeof({value}) = 'array' THEN (SELECT coalesce(jsonb_agg({inner} ORDER BY {name}.n), '[]'::jsonb) "
            f"FROM jsonb_array_elements({value}) WITH ORDINALITY {name}(value, n)) END"
        )
    members = ", ".join(
        f"({literal(key)}, {_node(child, f'({value} -> {literal(key)})', asked, depth + 1)})"
        for key, child in node.members.items()
    )
    return (
        f"CASE WHEN jsonb_typeof({value}) = 'object' THEN (SELECT coalesce(jsonb_object_agg(m{depth}.k, m{depth}.v), '{{}}'::jsonb) "
        f"FROM (VALUES {members}) m{depth}(k, v) WHERE m{depth}.v IS NOT NULL) END"
    )


def _leaf(cls: Class, value: str, asked: Asked) -> str:
    """A public part as it is, whole; of others only texts, numbers and booleans, as masked texts."""
    if cls is Class.PUBLIC:
        return value
    if cls is Class.DROP:
        return "NULL::jsonb"
    one = mask(replace(asked, cls=cls, column=_LEAF, distinct=False))
    assert one is not None, "only a public value has no mask"
    raw = f"({value} #>> '{{}}')"
    digest = asked.dialect.digest(message(cls, raw, _LEAF))
    masked = one.sql(raw, digest, f"encode(substr({digest}, 1, 10), 'hex')")
    scalars = "('string', 'number', 'boolean')"
    return f"CASE WHEN jsonb_typeof({value}) IN {scalars} THEN to_jsonb({masked}) END"


def compared(paths: Mapping[str, Class]) -> list[str]:
    """Expressions over ``{raw}``, one a masked path: what it leads to, as text, or NULL; no row may have its own."""
    found = []
    for path, cls in paths.items():
        if cls in (Class.PUBLIC, Class.DROP):
            continue
        strict = "$" + "".join("[*]" if step == "[*]" else f".{_member(step)}" for step in steps(path))
        found.append(f"nullif(jsonb_path_query_array({{raw}}::jsonb, {literal(strict)})::text, '[]')")
    return found


def _member(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unnamed(paths: Mapping[str, Class], column: str, table: str) -> str:
    """A statement: the paths of the living documents that no declared path is, leads to or leads through."""
    whole = [path for path, cls in paths.items() if cls in (Class.PUBLIC, Class.DROP)]
    leads = " OR ".join(
        ["false"]
        + [f"({literal(path)} = p.path OR starts_with({literal(path)}, p.path || '.') OR starts_with({literal(path)}, p.path || '['))"
           for path in paths]
        + [f"starts_with(p.path, {literal(path + '.')}) OR starts_with(p.path, {literal(path + '[')})" for path in whole]
    )  # fmt: skip
    return (
        f"WITH RECURSIVE p(path, value) AS (SELECT '$', {column}::jsonb FROM {table} WHERE {column} IS NOT NULL UNION ALL "
        "SELECT p.path || c.step, c.value FROM p CROSS JOIN LATERAL ("
        "SELECT '.' || key AS step, value FROM jsonb_each(CASE jsonb_typeof(p.value) WHEN 'object' THEN p.value ELSE '{}' END) "
        "UNION ALL SELECT '[*]', value FROM jsonb_array_elements(CASE jsonb_typeof(p.value) WHEN 'array' THEN p.value ELSE '[]' END)"
        f") c) SELECT DISTINCT p.path FROM p WHERE p.path <> '$' AND NOT ({leads}) ORDER BY 1 LIMIT 20"
    )
