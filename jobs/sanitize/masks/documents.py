"""Masks of JSON: only the declared paths of a document are kept, each masked by its class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from config.model.contract import Class
from jobs.sanitize.catalog import Column
from jobs.sanitize.dialect import literal

from .expressions import Mask, MaskRequest, Unmaskable, fixed, mask, message

_LEAF = Column(
    name="", type="text", base="text", category="text", array=False, length=None, not_null=False, default=None, identity="",
    generated=False, collation=None, portable=True,
)  # fmt: skip

_ITSELF = "ARRAY[]::text[]"
"""The path of ``#>>`` to the value itself: a scalar as text."""
OTHERS = "\0others"
"""A step for all keys that no other path names."""


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
            if part == OTHERS:
                if cls is not Class.DROP or not path.endswith(".*"):
                    raise Unmaskable(
                        f"the path {path} stands for keys of any name, which are values themselves: it can only be 'drop'"
                    )
                break
            if part == "[*]":
                node.elements = node.elements or Node()
                node = node.elements
            else:
                node = node.members.setdefault(part, Node())
        if path.endswith(".*"):
            continue
        if node.members or node.elements or node.cls is not None:
            raise Unmaskable(f"the path {path} leads through one that is kept already")
        node.cls = cls
    return root


_STEP = re.compile(r'\[\*\]|\.(?:"((?:[^"\\]|\\.)+)"|(\*)|([^.\[\]\s"*]+))')


def steps(path: str) -> Iterator[str]:
    """Converts ``$.a."b c"[*].d`` to a, b c, [*], d; ``.*`` is ``OTHERS``."""
    for match in _STEP.finditer(path[1:]):
        quoted, others, plain = match.groups()
        if others:
            yield OTHERS
        elif match[0] == "[*]":
            yield "[*]"
        else:
            yield re.sub(r"\\(.)", r"\1", quoted) if quoted else plain


def document(paths: Mapping[str, Class], request: MaskRequest) -> Mask:
    """Returns the mask of a column of JSON; values of another shape than declared (a text for an object) are left out.

    Its condition is exact: a document contains only declared paths, and the values of masked paths have their mask's
    form.
    """
    cast = "" if request.column.base == "jsonb" else "::jsonb"
    body = _node(tree(paths), f"{{raw}}{cast}", request, 0)
    expression = f"CASE WHEN {{raw}} IS NOT NULL THEN coalesce({body}, '{{}}'::jsonb) END::{request.column.plain}"
    held = [
        f"({{value}}{cast} = '{{}}'::jsonb OR {_held(tree(paths), f'{{value}}{cast}', request, 0, quick=quick)})"
        for quick in (False, True)
    ]
    return Mask(expression, held[0], "shape", held[1], wide="true")


def _held(node: Node, value: str, request: MaskRequest, depth: int, *, quick: bool) -> str:
    """Returns the condition that ``value`` has the form of ``_node``'s result."""
    if node.cls is Class.PUBLIC:
        return "true"
    if node.cls is not None:
        form = f" OR (jsonb_typeof({value}) = 'string' AND {_of_leaf(node.cls, request).condition(f'({value} #>> {_ITSELF})', quick=quick)})"
        return f"(jsonb_typeof({value}) = 'null'{form if node.cls is not Class.DROP else ''})"
    if node.elements is not None:
        inner = _held(node.elements, f"h{depth}.value", request, depth + 1, quick=quick)
        elements = f"jsonb_array_elements(CASE WHEN jsonb_typeof({value}) = 'array' THEN {value} ELSE '[]' END)"
        broken = f"EXISTS (SELECT FROM {elements} h{depth}(value) WHERE ({inner}) IS NOT TRUE)"
        return f"(jsonb_typeof({value}) = 'array' AND NOT {broken})"
    kept = {key: child for key, child in node.members.items() if child.cls is not Class.DROP}
    others = f"({value} - ARRAY[{', '.join(map(fixed, kept))}]::text[]) = '{{}}'::jsonb"
    members = [
        f"(({value} -> {fixed(key)}) IS NULL OR {_held(child, f'({value} -> {fixed(key)})', request, depth + 1, quick=quick)})"
        for key, child in kept.items()
        if child.cls is not Class.PUBLIC
    ]
    return f"(CASE WHEN jsonb_typeof({value}) = 'object' THEN {' AND '.join([others, *members])} ELSE false END)"


def _of_leaf(cls: Class, request: MaskRequest) -> Mask:
    leaf = replace(_LEAF, folded=cls in request.folds)
    one = mask(replace(request, cls=cls, column=leaf, distinct=False))
    assert one is not None, "only a public value has no mask"
    return one


def _node(node: Node, value: str, request: MaskRequest, depth: int) -> str:
    if node.cls is not None:
        return _leaf(node.cls, value, request)
    if node.elements is not None:
        name = f"e{depth}"
        inner = _node(node.elements, f"{name}.value", request, depth + 1)
        return (
            f"CASE WHEN jsonb_typeof({value}) = 'array' THEN (SELECT coalesce(jsonb_agg({inner} ORDER BY {name}.n), '[]'::jsonb) "
            f"FROM jsonb_array_elements({value}) WITH ORDINALITY {name}(value, n)) END"
        )
    members = ", ".join(
        f"({fixed(key)}, {_node(child, f'({value} -> {fixed(key)})', request, depth + 1)})"
        for key, child in node.members.items()
    )
    return (
        f"CASE WHEN jsonb_typeof({value}) = 'object' THEN (SELECT coalesce(jsonb_object_agg(m{depth}.k, m{depth}.v), '{{}}'::jsonb) "
        f"FROM (VALUES {members}) m{depth}(k, v) WHERE m{depth}.v IS NOT NULL) END"
    )


def _leaf(cls: Class, value: str, request: MaskRequest) -> str:
    """Returns a public value unchanged; for other classes only texts, numbers and booleans, as masked texts."""
    if cls is Class.PUBLIC:
        return value
    if cls is Class.DROP:
        return "NULL::jsonb"
    raw = f"({value} #>> {_ITSELF})"
    digest = request.dialect.digest(message(cls, raw, replace(_LEAF, folded=cls in request.folds)))
    masked = _of_leaf(cls, request).sql(raw, digest, f"encode(substr({digest}, 1, 10), 'hex')")
    scalars = "('string', 'number', 'boolean')"
    return f"CASE WHEN jsonb_typeof({value}) IN {scalars} THEN to_jsonb({masked}) END"


@dataclass(frozen=True)
class Part:
    """A masked path of a document, to be compared with production's."""

    expression: str
    """Over ``{raw}``: the value of the path as text, or NULL."""
    suspicion: str
    """Over ``{raw}``: the condition that a value of the path could be a masked one."""


def compared(paths: Mapping[str, Class], request: MaskRequest) -> Iterator[Part]:
    """Yields the masked paths for which production may contain a value that could be a masked one."""
    cast = "" if request.column.base == "jsonb" else "::jsonb"
    for path, cls in paths.items():
        if cls in (Class.PUBLIC, Class.DROP) or _of_leaf(cls, request).proof == "shape":
            continue
        suspicion = _of_leaf(cls, request).suspicion
        if "[*]" in steps(path):
            strict = fixed("$" + "".join("[*]" if step == "[*]" else f".{_member(step)}" for step in steps(path)))
            yield Part(
                f"nullif(jsonb_path_query_array({{raw}}{cast}, {strict}::jsonpath)::text, '[]')",
                f"EXISTS (SELECT FROM jsonb_path_query({{raw}}{cast}, {strict}::jsonpath) q(v) "
                f"WHERE {suspicion(f'(q.v #>> {_ITSELF})')})",
            )
        else:
            text = f"({{raw}}{cast} #>> ARRAY[{', '.join(map(fixed, steps(path)))}])"
            yield Part(text, suspicion(text))


def public(paths: Mapping[str, Class], value: str, column: Column) -> str | None:
    """Returns an expression for the text of the public paths of ``value``, which detectors examine.

    None when there is none.
    """
    cast = "" if column.base == "jsonb" else "::jsonb"
    expressions = []
    for path, cls in paths.items():
        if cls is not Class.PUBLIC:
            continue
        strict = "$" + "".join("[*]" if step == "[*]" else f".{_member(step)}" for step in steps(path))
        if "[*]" in steps(path):
            expressions.append(f"jsonb_path_query_array({value}{cast}, {literal(strict)}::jsonpath)::text")
        else:
            expressions.append(f"({value}{cast} #>> ARRAY[{', '.join(map(literal, steps(path)))}])")
    return f"concat_ws(chr(31), {', '.join(expressions)})" if expressions else None


def _member(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unnamed(paths: Mapping[str, Class], column: str, table: str) -> str:
    """Returns a statement for the paths of existing documents that no declared path equals, contains or continues."""
    dropped = [path for path, cls in paths.items() if cls is Class.DROP]
    lists = [path for path, cls in paths.items() if cls is Class.PUBLIC]
    shown = [_shown(path) for path in paths]
    leads = " OR ".join(
        ["false"]
        + [f"({literal(path)} = p.path OR starts_with({literal(path)}, p.path || '.') OR starts_with({literal(path)}, p.path || '['))"
           for path in shown]
        + [f"starts_with(p.path, {literal(_shown(path) + '.')}) OR starts_with(p.path, {literal(_shown(path) + '[')})" for path in dropped]
        + [f"p.path = {literal(_shown(path) + '[*]')}" for path in lists]  # a list of public values without nested values
        + [f"starts_with(p.path, {literal(_shown(path).removesuffix('*'))})" for path in dropped if path.endswith(".*")]
    )  # fmt: skip
    step = (
        "CASE WHEN key ~ '^[[:alpha:]_][[:alnum:]_-]*$' THEN '.' || key "
        r"""ELSE '."' || replace(replace(key, '\', '\\'), '"', '\"') || '"' END"""
    )
    return (
        f"WITH RECURSIVE p(path, value) AS (SELECT '$', {column}::jsonb FROM {table} WHERE {column} IS NOT NULL UNION "
        "SELECT p.path || c.step, c.value FROM p CROSS JOIN LATERAL ("
        f"SELECT {step} AS step, CASE WHEN jsonb_typeof(value) IN ('object', 'array') THEN value END AS value "
        "FROM jsonb_each(CASE jsonb_typeof(p.value) WHEN 'object' THEN p.value ELSE '{}' END) UNION ALL "
        "SELECT '[*]', CASE WHEN jsonb_typeof(value) IN ('object', 'array') THEN value END "
        "FROM jsonb_array_elements(CASE jsonb_typeof(p.value) WHEN 'array' THEN p.value ELSE '[]' END)"
        f") c) SELECT DISTINCT p.path FROM p WHERE p.path <> '$' AND NOT ({leads}) ORDER BY 1 LIMIT 20"
    )


def _shown(path: str) -> str:
    """Formats a path as ``unnamed`` does: a key in quotes where it is not a plain word."""
    return "$" + "".join(
        "[*]"
        if step == "[*]"
        else ".*"
        if step == OTHERS
        else f".{step}"
        if re.fullmatch(r"[^\W\d][\w-]*", step)
        else f".{_member(step)}"
        for step in steps(path)
    )
