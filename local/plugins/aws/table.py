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

    Without ``request`` the resource's inputs are its parameters, by name without regard to case; ``names`` says where one is
    called otherwise, or is deeper (``A.B``). With it, that is the request: ``$cidrBlock`` is an input, ``{id}`` part of a text.
    """

    operation: str
    request: Mapping[str, Any] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that are always the same, or made of the resource's own values."""
    when: str | None = None
    """Only when this input is there, and is not false."""
    id: str | None = None
    """Path of the resource's id in the answer, such as ``Vpc.VpcId``."""
    picks: Mapping[str, str] = field(default_factory=dict)
    """Output to its place in the answer."""
    tags: str | None = None
    """EC2's word for the type, where tags are specifications."""
    until: str | None = None
    """A waiter of botocore's, with ``request`` as its parameters."""
    service: str | None = None
    """Service of the call, where it is not the row's."""
    within: str | None = None
    """The parameter that the inputs are parts of, such as ``DistributionConfig``; ``fixed`` is a part of it too."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Word to its place in the answer: known to later calls and to the outputs."""
    real: bool = True
    """False where moto lacks just this operation."""
    unless: str | None = None
    """An error by this code says that it is there already: moto has no operation that deletes it."""
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
    """Inputs that cannot change in place."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Word to template, until a call keeps another: ``securityGroup: sg-{hex}``."""
    service: str | None = None
    create: Call | None = None
    instead: tuple[Call, ...] = ()
    """Alternative calls that create it; the first whose ``when`` holds is used."""
    once: tuple[Call, ...] = ()
    """After it was created."""
    then: tuple[Call, ...] = ()
    """After it was created, and again when it was changed."""
    update: tuple[Call, ...] = ()
    """One with ``when`` only if that input changed."""
    read: Call | None = None
    """An error of it says that the resource is gone."""
    first: tuple[Call, ...] = ()
    """Before it is deleted."""
    delete: Call | None = None
    last: tuple[Call, ...] = ()
    """After it was deleted."""
    empties: bool = False
    """A bucket: with ``forceDestroy`` its objects, and their versions, go before it."""
    elsewhere: tuple[str, ...] = ()
    """Inputs that ``create`` does not take: ``then`` does, or Terraform's provider alone."""
    real: bool = True
    """False where moto lacks the operation: its parameters are validated, and nothing is called."""

    def creation(self, inputs: Mapping[str, Any]) -> Call | None:
        """The call that creates it from these inputs."""
        return next((call for call in self.instead if call.when and inputs.get(call.when)), self.create)


@cache
def table() -> dict[str, Row]:
    """Type token to row; raises ``TypeError`` for a row with a word that means nothing."""
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
