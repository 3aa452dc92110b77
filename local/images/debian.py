"""Layers from Debian packages.

Fetched and verified by apt from the sources of this machine, unpacked without their scripts.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from config.errors import ExternalError

from ..console import phase
from . import layers
from .layers import Layer
from .table import Recipe, Table

FORMAT = 1
"""Version of the layers' format; a change rebuilds all layers."""


@dataclass(frozen=True)
class Debian:
    """The layers of Debian packages in the cache."""

    cache: Path
    table: Table

    def base(self) -> Layer:
        """Returns the base of all images: a shell, the C library, script tools and certificate authorities."""
        base = self.table.base

        def write(archive: tarfile.TarFile) -> dict[str, str]:
            for name in layers.MERGED:
                if name != "lib32":
                    layers.folder(archive, f"/usr/{name}")
                    layers.link(archive, f"/{name}", f"usr/{name}")
            for name in ("/etc", "/root", "/run", "/var", "/proc", "/sys", "/dev"):
                layers.folder(archive, name)
            layers.folder(archive, "/tmp", mode=0o1777)  # noqa: S108 - in the image
            layers.users(archive, base.users)
            layers.link(archive, "/usr/bin/awk", "mawk")
            layers.link(archive, "/var/run", "/run")
            layers.text(
                archive, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"
            )
            versions = self._unpack(archive, base.packages, {"usr/bin/awk", "var/run", "etc/nsswitch.conf", "tmp"})
            layers.text(archive, "/etc/ssl/certs/ca-certificates.crt", self._authorities(versions))
            return versions

        return self._layer("base", write, base.model_dump(), layers.LEFT_OUT)

    def recipe(self, name: str, recipe: Recipe) -> Layer:
        """Returns the packages of one image that the base does not contain."""

        def write(archive: tarfile.TarFile) -> dict[str, str]:
            return self._unpack(archive, recipe.packages, set(recipe.links), self.table.base.packages)

        return self._layer(name, write, recipe.packages, sorted(recipe.links), self.table.base.packages)

    def _layer(self, name: str, write: layers.Write, *made_from: Any) -> Layer:
        key = layers.key(FORMAT, name, self.table.without, *made_from)
        if (self.cache / f"{name}-{key}.json").exists():
            return layers.layer(self.cache, f"{name}-{key}", write)
        with phase(f"fetching the Debian packages of {name}"):
            return layers.layer(self.cache, f"{name}-{key}", write)

    def _unpack(
        self, archive: tarfile.TarFile, packages: Sequence[str], seen: set[str], below: Sequence[str] = ()
    ) -> dict[str, str]:
        base_files = self._closure(tuple(below)) if below else {}
        own_files = {name: file for name, file in self._closure((*below, *packages)).items() if name not in base_files}
        files = self._fetched(own_files)
        layers.unpack(archive, self._streams(files), {path.lstrip("/") for path in seen})
        return {name: _version(file.name) for name, file in files.items()}

    def _closure(self, packages: tuple[str, ...]) -> dict[str, str]:
        """Returns the dependencies of packages, themselves included, by file name, without what images leave out."""
        output = self._apt("install", "--yes", "--print-uris", *packages)
        names = re.findall(r"^'\S+' (\S+)\.deb \d+", output, re.MULTILINE)
        files = {name.partition("_")[0]: f"{name}.deb" for name in sorted(names)}
        return {name: file for name, file in files.items() if not self.table.leaves_out(name)}

    def _fetched(self, wanted: dict[str, str]) -> dict[str, Path]:
        folder = self._state / "packages"
        folder.mkdir(exist_ok=True)
        missing = [f"{name}={_version(file)}" for name, file in wanted.items() if not (folder / file).exists()]
        if missing:
            self._apt("download", *missing, at=folder)
        return {name: folder / file for name, file in wanted.items()}

    def _streams(self, files: dict[str, Path]) -> Iterator[Any]:
        for file in files.values():
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(file)], stdout=subprocess.PIPE) as process:  # noqa: S607 - Debian's
                yield process.stdout
                assert process.stdout is not None
                process.stdout.read()  # read to its end, because dpkg-deb would report a broken pipe
            if process.returncode:
                raise ExternalError(f"{file.name} could not be unpacked: dpkg-deb says why above")

    def _authorities(self, versions: dict[str, str]) -> str:
        """Returns the certificates of the authorities that Debian trusts, in one file, as its package's script writes it."""
        file = next(
            (self._state / "packages").glob(f"ca-certificates_{versions['ca-certificates'].replace(':', '%3a')}_*")
        )
        certificates = []
        for stream in self._streams({"ca-certificates": file}):
            with tarfile.open(fileobj=stream, mode="r|") as package:
                certificates += [
                    content.read().decode()
                    for member in package
                    if member.name.endswith(".crt") and (content := package.extractfile(member))
                ]
        return "".join(certificates)

    @cached_property
    def _state(self) -> Path:
        """Returns folders for apt, separate from those of this machine, as if no package were installed."""
        missing = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
        if missing:
            raise ExternalError(f"{' and '.join(missing)} not found: images are made from Debian packages, on Debian")
        folder = self.cache / "apt"
        layers.remove(folder)
        for part in ("state/lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()
        self._run(folder, "update")
        return folder

    def _apt(self, *arguments: str, at: Path | None = None) -> str:
        return self._run(self._state, *arguments, at=at)

    def _run(self, folder: Path, *arguments: str, at: Path | None = None) -> str:
        options = {
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "root",  # otherwise apt complains that _apt may not write here
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        command = ["apt-get", "--quiet", *(f"-o{name}={value}" for name, value in options.items()), *arguments]
        result = subprocess.run(command, cwd=at or folder, capture_output=True, text=True, check=False)
        if result.returncode:
            raise ExternalError(f"apt-get {arguments[0]} failed:\n{result.stderr[-2000:]}")
        return result.stdout

    def tidy(self) -> None:
        """Removes fetched packages; the layers stay."""
        layers.remove(self.cache / "apt")


def _version(file: str) -> str:
    """Returns the version in a file name: ``redis-server_5%3a7.0.15-1_amd64.deb`` has version ``5:7.0.15-1``."""
    return file.split("_")[1].replace("%3a", ":")


def upstream(version: str) -> str:
    """Returns the program's version without Debian's parts: ``7.0.15`` for ``5:7.0.15-1~deb12u3``."""
    return re.split(r"[-+~]", version.partition(":")[2] or version)[0]
