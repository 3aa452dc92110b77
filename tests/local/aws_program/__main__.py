"""Makes the resources in ``$AWS_PROGRAM``: name to type and inputs; ``@name`` is another's id, ``@name.arn`` its output."""

import json
import os
from pathlib import Path
from typing import Any

import pulumi

program = json.loads(Path(os.environ["AWS_PROGRAM"]).read_text(encoding="utf-8"))
account = {"region": "us-east-1", "allowedAccountIds": json.dumps(["123456789012"])}
provider = pulumi.ProviderResource("aws", "aws", account)
made: dict[str, pulumi.CustomResource] = {}


def filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        name, _, output = value[1:].partition(".")
        return getattr(made[name], output or "id")
    return value


for name, (kind, inputs) in program.items():
    options = pulumi.ResourceOptions(provider=provider, depends_on=list(made.values())[-1:])
    made[name] = pulumi.CustomResource(f"aws:{kind}", name, {"arn": None, **filled(inputs)}, options)
