"""Reads ``table.yaml``: the software for each image."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

TABLE = Path(__file__).parent / "table.yaml"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Base(_Model):
    """The base of all images except the placeholder's."""

    packages: tuple[str, ...]
    users: dict[str, int]


class Recipe(_Model):
    """How an image is built: from Debian packages, or from programs of a Go module."""

    repositories: tuple[str, ...]
    says: str
    """The version that runs; ``{<package>}`` and ``{module}`` are filled in."""
    packages: tuple[str, ...] = ()
    module: str | None = None
    """A folder of ``local/tools``."""
    programs: dict[str, str] = {}
    """Path in the image to program of the module."""
    users: dict[str, int] = {}
    folders: dict[str, int] = {}
    """Folder to the user that owns it."""
    links: dict[str, str] = {}
    """Path to the target of the symbolic link."""
    files: dict[str, str] = {}
    """Path to a script beside this file."""
    path: str | None = None
    """A folder of programs that is searched first."""
    config: dict[str, Any] = {}
    """Configuration of the image, in the OCI image specification's form."""
    prints: tuple[str, ...]
    """The command that prints its version."""


class Missing(_Model):
    """Images that are not made."""

    because: str
    repositories: tuple[str, ...]


class Table(_Model):
    """The whole table."""

    base: Base
    without: tuple[str, ...]
    """Packages that are left out; ``re:`` begins a regular expression."""
    images: dict[str, Recipe]
    missing: tuple[Missing, ...]

    def leaves_out(self, package: str) -> bool:
        """Returns whether no image needs that Debian package, although another package depends on it."""
        return any(
            re.fullmatch(name.removeprefix("re:"), package) if name.startswith("re:") else name == package
            for name in self.without
        )

    def recipe(self, reference: str) -> str | None:
        """Returns the name of the recipe for an image, ``None`` when there is none."""
        repository = full(reference)
        return next((name for name, recipe in self.images.items() if repository in recipe.repositories), None)

    def why_missing(self, reference: str) -> str | None:
        """Returns the reason why an image is missing; ``None`` when the table does not name it."""
        repository = full(reference)
        return next((missing.because for missing in self.missing if repository in missing.repositories), None)


@cache
def table() -> Table:
    """Returns the table of ``table.yaml``."""
    return Table.model_validate(YAML(typ="safe").load(TABLE))


def full(reference: str) -> str:
    """Returns an image's full repository: ``redis:7.2.6`` is in ``docker.io/library/redis``."""
    name = reference.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    name = f"{head}{slash}{tail.partition(':')[0]}"
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first or first == "localhost" else f"docker.io/{name}"


def tagged(reference: str) -> str:
    """Returns an image's full name, as an archive contains it: the full repository and the tag."""
    tail = reference.partition("@")[0].rpartition("/")[2]
    return f"{full(reference)}:{tail.partition(':')[2] or 'latest'}"
