"""QuikApp's platform with pieces of its declaration replaced, and AWS' own view of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3

from config.reading.files import SYSTEMS
from local.stack import LocalStack

STACK = "quikapp-staging-platform"


def declared(folder: Path, *replacements: tuple[str, str], **settings: Any) -> Path:
    """A file of the stack whose system is the shipped one but for these texts; ``settings`` are the stack's own."""
    text = (SYSTEMS / "quikapp.yaml").read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / "quikapp.yaml").write_text(text, encoding="utf-8")
    config = {"system": str(folder / "quikapp.yaml"), "environment": "staging", "layer": "platform", **settings}
    file = folder / f"Pulumi.{STACK}.yaml"
    file.write_text(json.dumps({"config": {f"understudy:{key}": value for key, value in config.items()}}))
    return file


def of(stack: LocalStack, file: Path) -> LocalStack:
    """The same stack with another file."""
    changed = LocalStack(stack.name, stack.engine, file)
    changed.start()
    return changed


def steps(stack: LocalStack) -> dict[tuple[str, str], str]:
    """Type and name to operation, of what a preview would do."""
    result = stack.pulumi("preview", "--json", capture=True)
    content = json.loads(result.stdout)
    return {
        (step["urn"].split("::")[2].rpartition("$")[2], step["urn"].rpartition("::")[2]): step["op"]
        for step in content["steps"]
        if step["op"] != "same"
        and not step["urn"].endswith(("Environment::quikapp", "Stack::understudy-" + stack.name))
    }


def client(stack: LocalStack, service: str) -> Any:
    """Boto3's, for the stack's account."""
    assert stack.account is not None
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=stack.account.endpoint,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
