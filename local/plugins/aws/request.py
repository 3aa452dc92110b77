"""Converts a resource's inputs to the parameters of a call, by botocore's description of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

from .table import Call, Row


class Mistake(Exception):
    """Inputs that AWS would refuse, or that the table does not contain."""


@dataclass(frozen=True)
class _Values:
    inputs: Mapping[str, Any]
    own: Mapping[str, str]
    call: Call


def parameters(
    row: Row, call: Call, operation: OperationModel, inputs: Mapping[str, Any], own: Mapping[str, str]
) -> Any:
    """Returns the call's validated parameters.

    ``own`` has ``id``, ``resource``, ``region``, ``account``. Raises ``Mistake``.
    """
    shape = operation.input_shape
    assert shape is not None
    values = _Values(inputs, own, call)
    if call.request is not None:
        request = _written(call.request, shape, values)
    else:
        taken = {key: value for key, value in inputs.items() if key not in row.elsewhere}
        inner = shape.members[call.within] if call.within else shape
        request = merged(_structure(taken, inner, call, operation.name), _written(call.fixed, inner, values))
        if call.within:
            request = {call.within: request}
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise Mistake(f"{operation.name}: {report.generate_report()}")
    return request


def merged(base: Any, more: Any) -> Any:
    """Merges two trees; the second has precedence."""
    if isinstance(base, Mapping) and isinstance(more, Mapping):
        return {**base, **{key: merged(base[key], item) if key in base else item for key, item in more.items()}}
    return more


def at(tree: Any, place: str) -> Any:
    """Returns the value at ``Vpc.VpcId`` or ``ReservationIds.0``; ``None`` when it is missing."""
    for part in place.split("."):
        if isinstance(tree, list):
            tree = tree[int(part)] if int(part) < len(tree) else None
        elif isinstance(tree, Mapping):
            tree = tree.get(part)
        else:
            return None
    return tree


def _written(template: Any, shape: Shape | None, values: _Values) -> Any:
    """Fills in a template; missing values are left out. ``$cidrBlock`` is an input, converted; ``{id}`` a part of a text."""
    if isinstance(template, Mapping):
        members = shape.members if isinstance(shape, StructureShape) else {}
        parts = {key: _written(item, members.get(key), values) for key, item in template.items()}
        return {key: value for key, value in parts.items() if value is not None}
    if isinstance(template, list):
        member = shape.member if isinstance(shape, ListShape) else None
        items = (_written(item, member, values) for item in template)
        return [item for item in items if item not in (None, {})] or None
    if isinstance(template, str) and template.startswith("$"):
        input_value = at(values.inputs, template[1:])
        return (
            input_value if input_value is None or shape is None else _value(input_value, shape, values.call, template)
        )
    return template.format_map({**values.inputs, **values.own}) if isinstance(template, str) else template


def _structure(values: Mapping[str, Any], shape: StructureShape, call: Call, where: str) -> dict[str, Any]:
    members = {name.casefold(): name for name in shape.members}
    request: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("tags", "tagsAll") and call.tags:
            if key == "tags":
                request["TagSpecifications"] = [{"ResourceType": call.tags, "Tags": _tags(value)}]
            continue
        name = call.names.get(key) or members.get(key.casefold())
        if name is None:
            raise Mistake(f"{where} has no parameter {key!r}: the table has to say where it goes")
        items = _by(call.keyed[key], value) if key in call.keyed else value
        *above, last = name.split(".")
        place, inner = request, shape
        for part in above:
            place, inner = place.setdefault(part, {}), inner.members[part]
        place[last] = merged(place.get(last), _value(items, inner.members[last], call, f"{where}.{name}"))
    if {"quantity", "items"} <= members.keys():  # CloudFront's lists contain their length
        request.setdefault("Quantity", len(request.get("Items", ())))
    return request


def _by(word: str, items: Any) -> dict[str, Any]:
    """Converts a list to a map by one part of each item, which is removed."""
    return {item[word]: {key: part for key, part in item.items() if key != word} for item in items}


def _value(value: Any, shape: Shape, call: Call, where: str) -> Any:
    match shape:
        case StructureShape():
            return _object(value, shape, call, where)
        case ListShape():
            if isinstance(value, Mapping) and (words := _tag_words(shape.member)):
                return _tags(value, *words)
            items = value if isinstance(value, list) else [value]  # Terraform's blocks that occur at most once
            return [_value(item, shape.member, call, where) for item in items]
        case MapShape() if isinstance(value, Mapping):
            return {key: _value(item, shape.value, call, where) for key, item in value.items()}
    return _scalar(value, shape)


def _object(value: Any, shape: StructureShape, call: Call, where: str) -> Any:
    if isinstance(value, list) and "Items" in shape.members:
        value = {"items": value}
    if isinstance(value, Mapping):
        return _structure(value, shape, call, where)
    if isinstance(value, bool) and "Enabled" in shape.members:
        return {"Enabled": value}
    return {next(iter(shape.members)): value} if len(shape.members) == 1 else value


def _scalar(value: Any, shape: Shape) -> Any:
    """Converts between texts, numbers and booleans, whose types differ between Terraform and AWS."""
    if shape.type_name == "boolean" and value in ("true", "false"):
        return value == "true"
    if shape.type_name == "blob" and isinstance(value, str):
        return value.encode()
    if shape.type_name == "string" and isinstance(value, bool):
        return str(value).lower()
    if shape.type_name in ("integer", "long") and isinstance(value, str) and value.isdigit():
        return int(value)
    if shape.type_name == "string" and isinstance(value, int | float):
        return str(value)
    return value


def _tag_words(shape: Shape) -> tuple[str, str] | None:
    """Returns the service's names for a tag's key and value; ``None`` when the value is not a tag."""
    if not isinstance(shape, StructureShape):
        return None
    words = tuple(sorted(shape.members))
    known = {name.casefold() for name in words} in ({"key", "value"}, {"tagkey", "tagvalue"})
    return (words[0], words[1]) if known else None


def _tags(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in sorted(tags.items())]
