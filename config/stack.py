"""The configuration of a stack, ``Pulumi.<stack>.yaml``: environment, images, and generations of secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.model.base import DnsLabel, Model
from config.model.charts import Mirror
from config.model.platform import Platform

from .errors import ConfigError, Problem
from .system import ConfigKey, Sha256

Tag = Annotated[str, StringConstraints(pattern=r"^(\w[\w.-]{0,127}(@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64})$")]
Layer = Literal["platform", "application", "all"]
PROJECT = "understudy"
PLACEHOLDER = "placeholder: not given"
"""Placeholder of a given value in runs that deploy nothing."""


def _encrypted(value: object) -> object:
    """Replaces a secret of a stack's file, ``{secure: …}``; only the program reads the value."""
    return value["secure"] if isinstance(value, dict) and set(value) == {"secure"} else value


GivenValue = Annotated[SecretStr, BeforeValidator(_encrypted)]


class Stack(Model):
    """The stack's configuration, ``understudy:<key>``; everything else about an environment is in its system's file."""

    system: str = "spacetime"
    environment: DnsLabel
    layer: Layer = "all"
    """The layer of the environment that this stack deploys; ``application`` where the platform is managed elsewhere."""
    platform: str | Platform | None = None
    """The application's platform: ``<organization>/understudy/<stack>`` of the platform's stack, or its values.
    Default: the same stack deploys it, or the kubeconfig selects the cluster."""
    charts: Mirror | None = None
    """Source of all Helm charts; default: the one in the system's file."""
    unprotected: tuple[DnsLabel | Literal["*"], ...] = ()
    """Components on AWS whose data may be deleted or replaced; ``*``: all. The engine refuses to do so for the others."""
    images: dict[DnsLabel, Tag] = {}
    """Component to tag or digest, or to both: ``<tag>@<digest>``, as ``./understudy images`` writes them."""
    rotation: dict[DnsLabel, Annotated[int, Field(ge=1)]] = {}
    """Secret to generation; a higher number generates its values anew. Default: 1."""
    given: dict[DnsLabel, dict[ConfigKey, GivenValue]] = {}
    """Secret, key, value of those that the system's file marks ``given``."""
    placeholders: bool = False
    """Whether a placeholder replaces missing given values, in runs that deploy nothing; otherwise a missing value is
    a mistake."""
    context: str | None = None
    """Context of the kubeconfig; default: its current context."""
    cluster_ca_sha256: Sha256 | None = Field(default=None, alias="clusterCaSha256")
    """Pins the cluster where the system's file does not."""


def parse_stack(values: Mapping[str, Any], stack: str) -> Stack:
    """Returns the stack's configuration; raises ``ConfigError`` that names the file ``Pulumi.<stack>.yaml``."""
    try:
        return Stack.model_validate({key: value for key, value in values.items() if value not in (None, "")})
    except ValidationError as error:
        raise ConfigError(
            *(
                Problem(
                    f"Pulumi.{stack}.yaml",
                    None,
                    f"{PROJECT}:{'.'.join(map(str, item['loc']))}",
                    f"{item['msg'][0].lower()}{item['msg'][1:]}",
                    f"pulumi config set {PROJECT}:{item['loc'][0]} … --stack {stack}" if item["loc"] else "",
                )
                for item in error.errors(include_url=False)
            )
        ) from None


def read_stack(file: Path) -> Stack:
    """Returns the configuration in a stack's file; raises ``ConfigError``."""
    name = file.name.split(".")[1]
    if not file.exists():
        names = ", ".join(sorted(path.name.split(".")[1] for path in file.parent.glob("Pulumi.*.yaml")))
        raise ConfigError(Problem(str(file.name), None, "", f"there is no stack {name!r}; known: {names}"))
    try:
        content = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or {}
    except (OSError, YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(str(file), None, "", str(error).splitlines()[0])) from None
    settings = content.get("config") if isinstance(content, dict) else None
    prefix = f"{PROJECT}:"
    _refuse_clear(name, (settings or {}).get(f"{prefix}given"))
    return parse_stack({k.removeprefix(prefix): v for k, v in (settings or {}).items() if k.startswith(prefix)}, name)


def _refuse_clear(stack: str, given: object) -> None:
    for secret, values in given.items() if isinstance(given, dict) else ():
        for key, value in values.items() if isinstance(values, dict) else ():
            if not isinstance(value, dict):
                path = f"{PROJECT}:given.{secret}.{key}"
                raise ConfigError(
                    Problem(
                        f"Pulumi.{stack}.yaml",
                        None,
                        path,
                        "a secret stands in the clear",
                        f"take it out, replace it where it came from, and pulumi config set --secret --path '{path}'",
                    )
                )
