"""Configuration files of other programs, written from models: a misspelt key is an error here and not in the pod."""

from __future__ import annotations

import io
import json
from typing import Any

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML


class Part(BaseModel):
    """A section of a file, with the program's own names; what is ``None`` is not written."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, defer_build=True)

    def tree(self) -> Any:
        """As plain data."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def as_yaml(part: Part) -> str:
    """A YAML file."""
    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = False, 4096
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # the order of the models
    writer.dump(part.tree(), stream)
    return stream.getvalue()


def as_json(value: Any) -> str:
    """A JSON file; ends with a newline."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
