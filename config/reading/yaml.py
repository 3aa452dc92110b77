"""Converts the text of a YAML file to a pydantic model; messages name the line of each mistake."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from config.errors import ConfigError, Problem
from config.paths import Path, render

from .fields import keys_at
from .scalars import UnknownTag, Written, reader

M = TypeVar("M", bound=BaseModel)

MAX_NODES = 500_000
"""Largest number of values, with aliases expanded."""


def validated(model: type[M], text: str, file: str) -> tuple[M, dict[Path, int]]:
    """Returns the model of ``text``, and the line of each value; raises ``ConfigError`` with all mistakes."""
    data, lines = _yaml(text, file)
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        raise ConfigError(*_problems(model, error, data, lines, file)) from None


def closest(word: str, known: list[str]) -> str:
    """Returns a sentence that suggests the most similar known word; empty when none is similar."""
    match = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {match[0]!r}?" if match else ""


def _yaml(text: str, file: str) -> tuple[dict[str, Any], dict[Path, int]]:
    try:
        documents = list(reader().load_all(text))
    except UnknownTag as error:
        fix = "write plain keys, values, lists and texts"
        raise ConfigError(Problem(file, error.line, "", f"not plain YAML: {error}", fix)) from None
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ConfigError(
            Problem(file, line, "", str(error.problem).split(" with value")[0], "keep one of the two")
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "not YAML"
        fix = "indent with spaces" if "'\\t'" in what else ""
        raise ConfigError(Problem(file, mark.line + 1 if mark else None, "", f"not YAML: {what}", fix)) from None
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else None
        raise ConfigError(Problem(file, line, "", f"not YAML: {error.reason}")) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(Problem(file, None, "", f"not YAML: {str(error).splitlines()[0]}")) from None
    if len(documents) != 1 or documents[0] is None:
        actual = "the file is empty" if not documents or documents == [None] else f"{len(documents)} YAML documents"
        raise ConfigError(Problem(file, 1, "", actual, "write one document that starts with 'system: <name>'"))
    if not isinstance(documents[0], CommentedMap):
        raise ConfigError(Problem(file, 1, "", "expected keys and values", "start with 'system: <name>'"))
    lines: dict[Path, int] = {}
    data = _plain(documents[0], (), lines, file)
    return data, lines


def _plain(node: Any, path: Path, lines: dict[Path, int], file: str) -> Any:
    if len(lines) > MAX_NODES:
        raise ConfigError(Problem(file, None, "", f"more than {MAX_NODES} values", "remove nested aliases"))
    if isinstance(node, CommentedMap):
        result: dict[str, Any] = {}
        for key, value in node.items():
            line = node.lc.key(key)[0] + 1 if key in (node.lc.data or {}) else lines.get(path, 1)
            if not isinstance(key, str):
                raise ConfigError(Problem(file, line, render(path), f"the key {key!r} is no text", f'write "{key}"'))
            lines[(*path, key)] = line
            result[key] = _plain(value, (*path, key), lines, file)
        return result
    if isinstance(node, CommentedSeq):
        items = []
        for index, value in enumerate(node):
            lines[(*path, index)] = node.lc.item(index)[0] + 1
            items.append(_plain(value, (*path, index), lines, file))
        return items
    return node if node is None or isinstance(node, bool | Written) else _scalar(node)


def _scalar(node: Any) -> Any:
    for plain in (str, int, float):
        if isinstance(node, plain):
            return plain(node)
    return str(getattr(node, "value", node))  # tagged as a text


def _problems(
    model: type[BaseModel], error: ValidationError, data: Any, lines: dict[Path, int], file: str
) -> list[Problem]:
    problems: dict[tuple[str, str], Problem] = {}
    for item in error.errors(include_url=False):
        path = _locate(item["loc"], data)
        line_path = path
        while line_path and line_path not in lines:
            line_path = line_path[:-1]
        message, fix = _explain(model, item, path, data)
        problem = Problem(file, lines.get(line_path, 1), render(path), message, fix)
        problems.setdefault((problem.path, problem.message), problem)
    # a misspelt key is reported once, and not as an unknown key and a missing one
    meant = {
        (p.path.rpartition(".")[0], p.fix.split("'")[1])
        for p in problems.values()
        if p.message == "unknown key" and "'" in p.fix
    }
    return [p for p in problems.values() if p.message != "missing" or tuple(p.path.rpartition(".")[::2]) not in meant]


def _locate(location: tuple[str | int, ...], data: Any) -> Path:
    """Returns pydantic's location without the tags of unions; its last part may be absent from the data."""
    path: list[str | int] = []
    node = data
    for index, part in enumerate(location):
        inside = part in node if isinstance(node, dict) else isinstance(node, list) and isinstance(part, int)
        if inside:
            node = node[part]
            path.append(part)
        elif index == len(location) - 1 and isinstance(node, dict) and part != "[key]":
            path.append(part)
    return tuple(path)


_EXPECTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
    "float_parsing": "a number",
}


def _explain(model: type[BaseModel], item: Any, path: Path, data: Any) -> tuple[str, str]:  # noqa: PLR0911 - one return a kind of mistake
    kind, context, value = item["type"], item.get("ctx", {}), item.get("input")
    shown = f"found {str(value)[:60]!r}" if isinstance(value, str | int | float) else ""
    if kind == "missing":
        return "missing", f"add '{path[-1]}:'"
    if kind == "extra_forbidden":
        return "unknown key", _known_keys(model, path, data)
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in str(context.get("expected_tags", "")).split(",")]
        return f"unknown kind {context.get('tag')!r}", closest(
            str(context.get("tag")), tags
        ) or f"one of {', '.join(tags)}"
    if kind == "union_tag_not_found":
        discriminator = str(context.get("discriminator", "kind")).strip("'")
        return f"{discriminator!r} is missing", f"add '{discriminator}:'"
    if kind in {"literal_error", "enum"}:
        return f"{shown}, expected {context['expected']}", closest(
            str(value), str(context["expected"]).split("'")[1::2]
        )
    if kind == "string_pattern_mismatch":
        return f"{shown}, which does not match {context['pattern']}", _name_fix(str(value))
    if kind == "too_short":
        return "it is empty", "write at least one"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, {shown or 'found ' + type(value).__name__}", ""
    if kind == "value_error":
        text = str(context.get("error", item["msg"]))
        return (f"{shown}: {text}" if shown else text), ""
    return (f"{item['msg'][0].lower()}{item['msg'][1:]}" + (f", {shown}" if shown else "")), ""


def _name_fix(name: str) -> str:
    lowered = name.lower().replace("_", "-")
    return f"{lowered!r} would do" if lowered != name else ""


def _known_keys(model: type[BaseModel], path: Path, data: Any) -> str:
    """Returns a suggestion for the misspelt key, from the keys of the model that refused it."""
    keys = keys_at(model, path[:-1], data)
    return closest(str(path[-1]), keys) or f"known here: {', '.join(keys)}"
