"""Configuration files of other programs, written from models, so that a misspelt key fails here and not in the pod."""

from __future__ import annotations

import io
import json
from typing import Any

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML


class Part(BaseModel):
    """A section of a file, with the field names of the program; fields that are ``None`` are not written."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, defer_build=True)

    def tree(self) -> Any:
        """Returns the model as plain data."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def as_yaml(part: Part) -> str:
    """Returns the model as YAML."""
    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = False, 4096
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # the order of the models
    writer.dump(part.tree(), stream)
    return stream.getvalue()


def as_json(value: Any) -> str:
    """Returns the model as JSON; ends with a newline."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
