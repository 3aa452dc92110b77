"""The models of the values at a path of a declaration."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from config.paths import Path


def _models(annotation: Any, data: Any) -> Any:
    """Returns the models of an annotation, without ``Annotated`` and ``None``.

    Of a discriminated union, the member that the data name.
    """
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        if len(members) == 1:
            return _models(members[0], data)
        for member in members:
            for tag in ("kind", "mode"):
                field = (
                    member.model_fields.get(tag) if isinstance(member, type) and issubclass(member, BaseModel) else None
                )
                if field and isinstance(data, dict) and data.get(tag) in get_args(field.annotation):
                    return member
    return annotation


def keys_at(root: type[BaseModel], path: Path, data: Any) -> list[str]:
    """Returns the keys that a mapping at ``path`` of a ``root`` may have, as in YAML; empty when any key is allowed."""
    annotation: Any = root
    for part in path:
        annotation = _models(annotation, data)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = next((f for n, f in annotation.model_fields.items() if part in (n, f.alias)), None)
            annotation = field.annotation if field else None
        else:
            annotation = (get_args(annotation) or (None,))[-1 if get_origin(annotation) is dict else 0]
        inside = isinstance(data, dict) or (isinstance(data, list) and isinstance(part, int))
        data = data[part] if inside else None
    annotation = _models(annotation, data)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return []
