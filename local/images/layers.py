"""Image layers: tar files whose bytes depend only on their content."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Write = Callable[[tarfile.TarFile], dict[str, str]]
"""Writes a layer's files; returns the versions of the software in it."""


@dataclass(frozen=True)
class Layer:
    """A layer in the cache."""

    file: Path
    digest: str
    """SHA-256 of the file, in hexadecimal."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of the Debian packages in the layer."""


def key(*parts: Any) -> str:
    """Returns a short digest of the inputs of a layer."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def layer(folder: Path, name: str, write: Write) -> Layer:
    """Returns the layer of that name, from the cache or newly written; incomplete layers are not used."""
    file, about = folder / f"{name}.tar", folder / f"{name}.json"
    if not about.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with partial(file) as unfinished:
            with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as archive:
                versions = write(archive)
            digest = _digest(unfinished)
        with partial(about) as unfinished:
            unfinished.write_text(json.dumps({"digest": digest, "versions": versions}), encoding="utf-8")
    description = json.loads(about.read_text(encoding="utf-8"))
    return Layer(file, description["digest"], description["versions"])


@contextmanager
def partial(file: Path) -> Iterator[Path]:
    """Yields a temporary file that gets its name when the block succeeds, and is removed when it fails."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".partial", dir=file.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def entry(path: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, owner: int = 0, **more: Any) -> tarfile.TarInfo:
    """Returns a member of a layer, owned by root, with a constant time."""
    info = tarfile.TarInfo(path.lstrip("/"))
    info.type, info.mode, info.uid, info.gid = kind, mode, owner, owner
    for name, value in more.items():
        setattr(info, name, value)
    return info


def folder(archive: tarfile.TarFile, path: str, owner: int = 0, mode: int = 0o755) -> None:
    """Adds a folder."""
    archive.addfile(entry(path, tarfile.DIRTYPE, mode, owner))


def text(archive: tarfile.TarFile, path: str, content: str, mode: int = 0o644) -> None:
    """Adds a file with that content."""
    data = content.encode()
    archive.addfile(entry(path, mode=mode, size=len(data)), io.BytesIO(data))


def link(archive: tarfile.TarFile, path: str, target: str) -> None:
    """Adds a symbolic link."""
    archive.addfile(entry(path, tarfile.SYMTYPE, 0o777, linkname=target))


def program(archive: tarfile.TarFile, path: str, source: Path) -> None:
    """Adds a program."""
    with source.open("rb") as handle:
        archive.addfile(entry(path, mode=0o755, size=source.stat().st_size), handle)


def users(archive: tarfile.TarFile, known: Mapping[str, int]) -> None:
    """Adds ``/etc/passwd`` and ``/etc/group`` with these users, each with a group of its own name and number."""
    passwd = [f"{name}:x:{uid}:{uid}::{'/root' if uid == 0 else '/nonexistent'}:/bin/sh" for name, uid in known.items()]
    text(archive, "/etc/passwd", "\n".join([*passwd, ""]))
    text(archive, "/etc/group", "\n".join([*(f"{name}:x:{gid}:" for name, gid in known.items()), ""]))


MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Folders that are links into ``/usr`` on Debian."""
LEFT_OUT = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/bug/",
    "usr/share/bash-completion/",
    "usr/lib/systemd/",
    "usr/share/perl",
    "etc/init.d/",
    "etc/systemd/",
)


def merged(name: str) -> str | None:
    """Returns the path of a package's file in an image; ``None`` when images do not contain it."""
    path = name.removeprefix("./").lstrip("/").rstrip("/")
    first, _, rest = path.partition("/")
    if not path or (first in MERGED and not rest):
        return None
    path = f"usr/{path}" if first in MERGED else path
    llvm = path.startswith("usr/lib/postgresql/") and ("/bitcode" in path or "/llvmjit" in path)
    return None if llvm or f"{path}/".startswith(LEFT_OUT) else path


def unpack(archive: tarfile.TarFile, packages: Iterable[io.BufferedIOBase | Any], seen: set[str]) -> None:
    """Adds the files of Debian packages, given as tar streams; paths in ``seen`` are not added again."""
    for stream in packages:
        with tarfile.open(fileobj=stream, mode="r|") as package:
            for member in package:
                path = merged(member.name)
                if path is None or path in seen:
                    continue
                seen.add(path)
                member.name = path
                if member.islnk():
                    member.linkname = merged(member.linkname) or member.linkname
                member.uname = member.gname = ""
                archive.addfile(member, package.extractfile(member) if member.isreg() else None)


def remove(path: Path) -> None:
    """Removes a folder with its content."""
    shutil.rmtree(path, ignore_errors=True)
