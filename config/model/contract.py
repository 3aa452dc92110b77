"""The data contract of a system: the class of each column, and the rows that a sanitised copy keeps.

``config/systems/<system>.data.yaml`` classifies each column of each table. A table or column that the contract does
not name stops a refresh, so that nothing is copied by oversight. Columns are written ``<class> (<type>)``, with the
type as PostgreSQL's ``format_type`` prints it; a changed type stops a refresh too.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from config.errors import ConfigError, Problem
from config.paths import Path
from config.reading.files import SYSTEMS, read, shown
from config.reading.yaml import validated

from .account import AccountId
from .base import DnsLabel, Model, Reason
from .quantity import Duration, Storage


class Class(StrEnum):
    """The class of a value; it selects the mask."""

    PUBLIC = "public"
    """Without relation to a person: copied unchanged."""
    IDENTIFIER = "identifier"
    """A name of a person or a thing in other tables: replaced by the same other name in each place."""
    EMAIL = "email"
    USERNAME = "username"
    PERSON_NAME = "person name"
    PHONE = "phone"
    ADDRESS = "address"
    IP = "IP"
    BIRTH_DATE = "birth date"
    FREE_TEXT = "free text"
    """Text that people write, which may concern anybody."""
    CREDENTIAL = "credential"
    """A password's hash, a token, a key, the address of a webhook: replaced."""
    PAYMENT = "payment"
    BLOB = "blob"
    """Files and pictures: not copied."""
    DROP = "drop"
    """Not copied: NULL, or empty where NULL is not allowed."""


_WRITTEN = re.compile(r"(?P<cls>[A-Za-z ]+?) \((?P<type>.+)\)", re.DOTALL)
JsonPath = Annotated[str, StringConstraints(pattern=r'^\$(\."(?:[^"\\]|\\.)+"|\.\*|\.[^.\[\]\s"*]+|\[\*\])+$')]
"""``$.contact.email``, ``$."first name"`` for a key that is no plain word; ``[*]`` for each element of an array, ``.*`` for all
keys that no other path names, which can only be dropped."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=63)]
"""A name as in the catalog, without quotes."""
RESERVED = re.compile(
    r"(?:.+\.)?(?:example\.(?:com|net|org)|[a-z0-9-]+\.(?:test|example|invalid|localhost|local)|test|example|invalid)"
)
"""Domains that cannot be registered: RFC 2606, RFC 6761; ``.local`` is reserved by RFC 6762."""


class Column(Model):
    """A column: the class of its values, and their type."""

    cls: Annotated[Class, Field(alias="class")]
    type: str
    form: str | None = None
    """Form of a masked email or username: ``{token}`` is its 80 bits of keyed hash, ``{<column>}`` another column's
    masked value, which must be unique."""
    value: str | None = None
    """Written into every row instead of a mask, such as the hash of a known staging password."""
    jitter: Duration | None = None
    """Largest random shift of a public date or time."""
    bucket: Duration | Annotated[int, Field(ge=1)] | None = None
    """Step to which a public date, time or number is rounded down; for free text the step to which its length is
    rounded up."""
    k: Annotated[int, Field(ge=2)] | None = None
    """Minimum number of copied rows with the same public value; rarer values become NULL."""
    paths: dict[JsonPath, Class] = {}
    """JSON paths that are kept, each with its class; other known paths are left out, and unknown ones stop the refresh."""
    unchecked: dict[str, Reason] = {}
    """Detectors that are not applied to this column, each with the reason; only for ``public``."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        match = _WRITTEN.fullmatch(given.strip())
        if match is None:
            raise ValueError("write '<class> (<type>)', such as 'email (text)'")
        return {"class": match["cls"], "type": match["type"]}

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.form is not None and self.cls not in (Class.EMAIL, Class.USERNAME):
            raise ValueError("only an email or a username has a form")
        if self.form is not None and self.cls is Class.EMAIL and not RESERVED.fullmatch(self.form.rpartition("@")[2]):
            raise ValueError(
                "a masked email ends in a domain that cannot be registered, such as example.com or staging.invalid"
            )
        if self.form is not None and not re.search(r"\{\w+\}", self.form):
            raise ValueError("a form has a part that differs from row to row: {token}, or {<column>}")
        if self.form is not None and self.cls is Class.USERNAME and "staging" not in self.form:
            raise ValueError("a masked username says that it is one: its form has 'staging' in it")
        if self.paths and self.cls is not Class.FREE_TEXT:
            raise ValueError("paths are kept of a JSON column of class 'free text'")
        coarser = self.jitter is not None or self.k is not None or self.bucket is not None
        if (
            coarser
            and self.cls is not Class.PUBLIC
            and not (self.cls is Class.FREE_TEXT and isinstance(self.bucket, int))
        ):
            raise ValueError(
                "only a public column is made coarser; of free text the length, by a 'bucket' of characters"
            )
        if self.unchecked and self.cls is not Class.PUBLIC:
            raise ValueError("only a public column may go unchecked")
        return self


class Limit(Model):
    """Limits a table to the newest rows."""

    limit: Annotated[int, Field(ge=0)]
    newest: Identifier
    """The column by which rows are newer or older."""


class Window(Model):
    """Limits a table to the rows of a time span before the snapshot."""

    window: Duration
    on: Identifier
    """A column with a date or time."""


class Table(Model):
    """A table: the rows to copy, and its columns."""

    rows: Literal["all", "none"] | Limit | Window = "all"
    """Rows to copy; of these, only rows whose references lead to copied rows. ``none``: the copy starts empty, as for
    queues."""
    identity: Identifier | None = None
    """A unique column from which all masks of a row derive, by one keyed hash; this is five times as fast as a hash
    per column. Columns whose values also stand in other tables keep a mask of their own only without it."""
    detach: tuple[Identifier, ...] = ()
    """Columns of references that become NULL when their row is not copied; for others the referring row is left out, too."""
    shuffle: bool = True
    """Whether rows are copied in random order; production's order would show which masked row is which."""
    partitions: tuple[str, ...] = ()
    """Names of allowed partitions, ``*`` for any text."""
    columns: dict[Identifier, Column]

    @model_validator(mode="after")
    def _named(self) -> Self:
        named = [("identity", self.identity), *(("detach", name) for name in self.detach)]
        if isinstance(self.rows, Limit):
            named.append(("newest", self.rows.newest))
        if isinstance(self.rows, Window):
            named.append(("on", self.rows.on))
        for what, name in named:
            if name is not None and name not in self.columns:
                raise ValueError(f"{what} names the column {name!r}, which is not among the columns")
        for name, column in self.columns.items():
            for part in re.findall(r"\{(\w+)\}", column.form or ""):
                if part != "token" and part not in self.columns:
                    raise ValueError(f"the form of {name!r} names the column {part!r}, which is not among the columns")
        return self


class Marks(Model):
    """Marks of production: a target with one of them is refused."""

    hosts: tuple[str, ...]
    """Names of production's servers, ``*`` for any text."""
    system_identifiers: tuple[str, ...] = ()
    """Identifier from ``pg_control_system()``; a restored snapshot has the same as production."""
    accounts: tuple[AccountId, ...] = ()
    """Number of the AWS account."""
    variables: dict[str, str] = {}
    """Environment variables of this process, such as ``FLASK_ENV: production``."""


class Database(Model):
    """A database of PostgreSQL or CockroachDB, or one that is declared and not yet copied.

    ``labels``, ``attributes``, ``views`` and ``functions`` name what a refresh may bring beside the tables: what one of them
    does not name stops it. One that is left out is taken from the last refresh of the same staging: what is new since then
    stops.
    """

    engine: Literal["postgresql", "cockroachdb", "mysql", "mongodb"]
    schema_: Annotated[Identifier, Field(alias="schema")] = "public"
    source: Literal["snapshot", "replica", "primary"] = "replica"
    """Allowed kinds of source: a restored snapshot or a hot standby; ``primary`` also allows the live primary."""
    production: Marks
    requires: dict[str, str] = {}
    """Required environment variables of this process, such as ``FLASK_ENV: staging``."""
    volume: Storage | None = None
    """Disk size of the target; a copy that would fill more than 80 % of it is refused. Default: no check."""
    domain: str = "staging.invalid"
    """Domain of masked emails."""
    canaries: tuple[Annotated[str, StringConstraints(min_length=8)], ...] = ()
    """Values of fictitious persons that are planted in production; a copy that contains one is refused."""
    labels: dict[Identifier, tuple[str, ...]] | None = None
    """Allowed labels of each enum type."""
    attributes: dict[Identifier, dict[Identifier, str]] | None = None
    """Allowed attributes of each composite type, with their types."""
    views: tuple[str, ...] | None = None
    """Allowed views and materialised views, ``*`` for any text."""
    functions: tuple[str, ...] | None = None
    """Allowed functions and procedures, ``*`` for any text."""
    unchecked: dict[str, Reason] = {}
    """Definitions to which neither canaries nor detectors are applied, such as ``view admins``, each with the reason."""
    tables: dict[Identifier, Table] = {}

    @model_validator(mode="after")
    def _reserved(self) -> Self:
        if not RESERVED.fullmatch(self.domain):
            raise ValueError(f"{self.domain!r} could belong to a person; use one such as staging.invalid")
        if self.engine == "cockroachdb" and self.source == "snapshot":
            raise ValueError("CockroachDB has no snapshot to restore; say 'source: primary', it is read as of one time")
        return self


class Store(Model):
    """A store that is not copied, but rebuilt from the copied data."""

    engine: Literal["redis", "opensearch", "kafka", "s3"]


class Contract(Model):
    """Every store of a system, with its treatment in staging."""

    system: DnsLabel
    databases: dict[DnsLabel, Database] = {}
    stores: dict[DnsLabel, Store] = {}

    _file: str = PrivateAttr("")
    _lines: dict[Path, int] = PrivateAttr(default_factory=dict)

    def problem(self, path: Path, message: str, fix: str = "") -> Problem:
        """Returns a mistake at ``path``, with the line of the value or of its nearest parent."""
        at = path
        while at and at not in self._lines:
            at = at[:-1]
        return Problem(self._file, self._lines.get(at), ".".join(str(part) for part in path), message, fix)


def contracts() -> list[FilePath]:
    """Returns the shipped contracts."""
    return sorted(SYSTEMS.glob("*.data.yaml"))


def load(name_or_file: str) -> Contract:
    """Returns the contract of the system of that name, or in that file; raises ``ConfigError``."""
    path = FilePath(name_or_file)
    if path.suffix not in {".yaml", ".yml"}:
        path = SYSTEMS / f"{name_or_file}.data.yaml"
        if not path.exists():
            names = ", ".join(file.name.split(".")[0] for file in contracts())
            raise ConfigError(
                Problem(name_or_file, None, "", "no such contract", f"known: {names}; or write {shown(path)}")
            )
    return parse(read(path), shown(path))


def parse(text: str, file: str) -> Contract:
    """Returns the contract in ``text``; ``file`` is for messages. Raises ``ConfigError``."""
    contract, lines = validated(Contract, text, file)
    contract._file, contract._lines = file, lines
    return contract
