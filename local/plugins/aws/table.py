"""The rows of ``table.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FILE = Path(__file__).parent / "table.yaml"


@dataclass(frozen=True)
class Call:
    """An operation of AWS' API.

    Without ``request`` the resource's inputs are its parameters, by name without regard to case; ``names`` maps those
    that have another name or are nested (``A.B``). With it, that is the request: ``$cidrBlock`` is an input, ``{id}``
    part of a text.
    """

    operation: str
    request: Mapping[str, Any] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that are constant, or computed from the resource's own values."""
    when: str | None = None
    """The call is made only when this input is set and not false."""
    id: str | None = None
    """Path of the resource's id in the answer, such as ``Vpc.VpcId``."""
    picks: Mapping[str, str] = field(default_factory=dict)
    """Output to its path in the answer."""
    tags: str | None = None
    """EC2's word for the type, where tags are specifications."""
    until: str | None = None
    """A waiter of botocore, with ``request`` as its parameters."""
    service: str | None = None
    """Service of the call, where it differs from the row's."""
    within: str | None = None
    """The parameter that contains the inputs, such as ``DistributionConfig``; ``fixed`` is inside it, too."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Word to its path in the answer; later calls and the outputs can use it."""
    real: bool = True
    """False where moto lacks only this operation."""
    unless: str | None = None
    """Code of an error that means that it exists already, because moto cannot delete it."""
    keyed: Mapping[str, str] = field(default_factory=dict)
    """Input that is a list where AWS has a map, to the part of each item that is its key."""


@dataclass(frozen=True)
class Row:
    """One type of resource."""

    id: str
    """Template of the id where no server answers. ``{<input>}`` is an input, ``{hex}`` 17 unique digits,
    ``{resource}`` the resource's name in the program."""
    arn: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Output to template."""
    replaces: tuple[str, ...] = ()
    """Inputs whose change replaces the resource."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Word to template, until a call stores another value: ``securityGroup: sg-{hex}``."""
    service: str | None = None
    create: Call | None = None
    instead: tuple[Call, ...] = ()
    """Alternative calls that create it; the first whose ``when`` holds is used."""
    once: tuple[Call, ...] = ()
    """Calls after the creation."""
    then: tuple[Call, ...] = ()
    """Calls after the creation and after each change."""
    update: tuple[Call, ...] = ()
    """Calls of an update; one with ``when`` only if that input changed."""
    read: Call | None = None
    """A call that reads the resource; a "not found" error means that it does not exist."""
    first: tuple[Call, ...] = ()
    """Calls before the deletion."""
    delete: Call | None = None
    last: tuple[Call, ...] = ()
    """Calls after the deletion."""
    empties: bool = False
    """Whether it is a bucket: with ``forceDestroy`` its objects and their versions are deleted first."""
    elsewhere: tuple[str, ...] = ()
    """Inputs that ``create`` does not use: ``then`` does, or only Terraform's provider."""
    real: bool = True
    """False where moto lacks the operation: its parameters are validated, and no call is made."""

    def creation(self, inputs: Mapping[str, Any]) -> Call | None:
        """Returns the call that creates it from these inputs."""
        return next((call for call in self.instead if call.when and inputs.get(call.when)), self.create)


@cache
def table() -> dict[str, Row]:
    """Returns type token to row; raises ``TypeError`` for a row with an unknown field."""
    content = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
    return {f"aws:{name}": _row(written) for name, written in content.items()}


def _row(written: dict[str, Any]) -> Row:
    fields: dict[str, Any] = dict(written)
    for key in ("create", "read", "delete"):
        if key in written:
            fields[key] = Call(**written[key])
    for key in ("instead", "once", "then", "update", "first", "last"):
        calls = written.get(key, ())
        fields[key] = tuple(Call(**call) for call in ([calls] if isinstance(calls, dict) else calls))
    for key in ("replaces", "elsewhere"):
        fields[key] = tuple(written.get(key, ()))
    return Row(**fields)
