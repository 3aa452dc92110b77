"""From a resource's inputs to the parameters of a call: by botocore's own description of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

from .table import Call, Row


class Mistake(Exception):
    """Inputs that AWS would refuse, or that the table does not know."""


@dataclass(frozen=True)
class _Values:
    inputs: Mapping[str, Any]
    own: Mapping[str, str]
    call: Call


def parameters(
    row: Row, call: Call, operation: OperationModel, inputs: Mapping[str, Any], own: Mapping[str, str]
) -> Any:
    """The call's parameters, validated. ``own``: ``id``, ``resource``, ``region``, ``account``. Raises ``Mistake``."""
    shape = operation.input_shape
    assert shape is not None
    values = _Values(inputs, own, call)
    if call.request is not None:
        request = _written(call.request, shape, values)
    else:
        taken = {key: value for key, value in inputs.items() if key not in row.elsewhere}
        request = _structure(taken, shape, call, operation.name) | _written(call.fixed, shape, values)
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise Mistake(f"{operation.name}: {report.generate_report()}")
    return request


def _written(template: Any, shape: Shape | None, values: _Values) -> Any:
    """A template with its values; what is not there is left out.

    ``$cidrBlock`` is an input, in the form that the parameter has; ``{id}`` a part of a text.
    """
    if isinstance(template, Mapping):
        members = shape.members if isinstance(shape, StructureShape) else {}
        parts = {key: _written(item, members.get(key), values) for key, item in template.items()}
        return {key: value for key, value in parts.items() if value is not None}
    if isinstance(template, list):
        member = shape.member if isinstance(shape, ListShape) else None
        return [value for item in template if (value := _written(item, member, values)) is not None]
    if isinstance(template, str) and template.startswith("$"):
        found = values.inputs.get(template[1:])
        return found if found is None or shape is None else _value(found, shape, values.call, template)
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
        *above, last = name.split(".")
        place, inner = request, shape
        for part in above:
            place, inner = place.setdefault(part, {}), inner.members[part]
        place[last] = _value(value, inner.members[last], call, f"{where}.{name}")
    return request


def _value(value: Any, shape: Shape, call: Call, where: str) -> Any:
    match shape:
        case StructureShape():
            if isinstance(value, Mapping):
                return _structure(value, shape, call, where)
            return {"Enabled": value} if isinstance(value, bool) and "Enabled" in shape.members else value
        case ListShape():
            if isinstance(value, Mapping) and (words := _tag_words(shape.member)):
                return _tags(value, *words)
            items = value if isinstance(value, list) else [value]  # Terraform's blocks of which there may be one
            return [_value(item, shape.member, call, where) for item in items]
        case MapShape() if isinstance(value, Mapping):
            return {key: _value(item, shape.value, call, where) for key, item in value.items()}
    return _scalar(value, shape)


def _scalar(value: Any, shape: Shape) -> Any:
    """Numbers are texts in some of Terraform's types, and the other way round."""
    if shape.type_name in ("integer", "long") and isinstance(value, str) and value.isdigit():
        return int(value)
    if shape.type_name == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _tag_words(shape: Shape) -> tuple[str, str] | None:
    """What the service calls a tag's key and value; ``None`` when it is no tag."""
    if not isinstance(shape, StructureShape):
        return None
    words = tuple(sorted(shape.members))
    known = {name.casefold() for name in words} in ({"key", "value"}, {"tagkey", "tagvalue"})
    return (words[0], words[1]) if known else None


def _tags(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in sorted(tags.items())]
