"""Builds programs from Go modules, once; another version or source gets another folder."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.errors import ExternalError

from .console import step
from .paths import TOOLS

MODULES = Path(__file__).parent / "tools"
_GO_BUILD = ("go", "build", "-trimpath", "-gcflags=all=-dwarf=false")
"""Without debugging information and without C:

images without a C library can run the programs, and building needs no C linker.
"""


@dataclass(frozen=True)
class Module:
    """A tools module: which programs it builds and how their version is stamped."""

    name: str
    requires: str
    """The Go module whose version counts."""
    programs: dict[str, str]
    """Program to package; ``./<folder>`` is a package of the tools module itself."""
    stamp: tuple[str, ...] = ()
    """``-X`` settings; ``{version}`` is the version with its v, ``{number}`` without."""
    files: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """File to the module and the files in it that it is composed of."""
    source: str = ""
    """Folder of ``local/tools`` that holds its go.mod; default: ``name``. Modules of one folder share compiled packages."""
    embedded: dict[str, str] = field(default_factory=dict)
    """Generated file that a package of the tools module embeds, to the file of ``requires`` that it is copied from."""
    rewritten: dict[str, tuple[str, Callable[[str], str]]] = field(default_factory=dict)
    """Source file to its Go module and a function; the function's result is compiled instead of the file's text."""
    order: int = 9
    """Modules with lower numbers are built first. Long builds come first, so that short ones fill the second place."""

    @property
    def sources(self) -> Path:
        """The folder with its go.mod."""
        return MODULES / (self.source or self.name)

    @property
    def version(self) -> str:
        """The version in ``go.mod``, such as ``v3.232.0``; ``local`` for a program whose source is in this repository."""
        if not self.requires:
            return "local"
        text = (self.sources / "go.mod").read_text(encoding="utf-8")
        match = re.search(rf"^\s*(?:require )?{re.escape(self.requires)} (v\S+)", text, re.MULTILINE)
        assert match is not None
        return match[1]

    @property
    def folder(self) -> Path:
        """Directory of its programs; another version, dependency or source has another directory."""
        own = (file for file in self.sources.glob("**/*.go") if not file.stem.endswith("_test"))
        files = [self.sources / "go.mod", self.sources / "go.sum", *sorted(own)]
        functions = [inspect.getsource(function) for _, function in self.rewritten.values()]
        content = b"".join(file.read_bytes() for file in files) + repr((self.stamp, _GO_BUILD, functions)).encode()
        return TOOLS / f"{self.name}-{self.version}-{hashlib.sha256(content).hexdigest()[:8]}"

    def built(self) -> bool:
        """Whether every program exists."""
        return all((self.folder / name).exists() for name in (*self.programs, *self.files))

    def program(self, name: str) -> Path:
        """Returns the path of a program; ``ensure`` builds it."""
        return self.folder / name


def ensure(*modules: Module) -> None:
    """Builds missing programs, two modules at a time; raises ``ExternalError``.

    A linker uses one core, so a second build uses the other.
    """
    missing = sorted((module for module in modules if not module.built()), key=lambda module: module.order)
    if missing:
        _require_go()
    with ThreadPoolExecutor(max_workers=2) as pool:
        builds = [
            pool.submit(_ensure, module, f"{number} of {len(missing)}") for number, module in enumerate(missing, 1)
        ]
        for build in as_completed(builds):
            if error := build.exception():
                pool.shutdown(cancel_futures=True)
                raise error


def _ensure(module: Module, position: str) -> None:
    what = f"building {', '.join(module.programs)}" if module.programs else f"fetching {module.name}"
    with lock(module.folder), step(f"[{position}] {what} {module.version}"):
        if not module.built():
            _build(module)


def _require_go() -> None:
    if shutil.which("go") is None:
        raise ExternalError(
            "Go is not installed; it builds the engine and the control plane (apt-get install golang, or go.dev)"
        )


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Creates and locks the folder, so that two clones that share ``UNDERSTUDY_TOOLS`` do not build into it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(module: Module) -> None:
    partial = module.folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    own = module.embedded or module.rewritten
    sources = _own_sources(module, partial / "sources") if own else module.sources
    for program, package in module.programs.items():
        _compile(module, sources, package, partial / program)
        (partial / program).replace(module.folder / program)
    for name, (source, parts) in module.files.items():
        folder = fetched(module, source)
        text = "\n---\n".join((folder / part).read_text(encoding="utf-8") for part in parts)
        (partial / name).write_text(text, encoding="utf-8")
        (partial / name).replace(module.folder / name)
    shutil.rmtree(partial)


def _memory() -> dict[str, str]:
    """Settings of the compiler's garbage collector: it runs less often until a process has a quarter of the memory.

    Building etcd takes 13 % less processor time with them (docs/decisions/0023).
    """
    quarter = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    return {"GOGC": "400", "GOMEMLIMIT": str(quarter)}


def _compile(module: Module, sources: Path, package: str, target: Path) -> None:
    """Builds one program; raises ``ExternalError`` with the compiler's last lines."""
    stamps = [f"-X {stamp.format(version=module.version, number=module.version.lstrip('v'))}" for stamp in module.stamp]
    command = [*_GO_BUILD, "-ldflags", " ".join(["-s", "-w", *stamps]), "-o", str(target), package]
    environment = {**_memory(), **os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    result = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ExternalError(f"{target.name} {module.version} could not be built:\n{result.stderr[-3000:]}")


def _own_sources(module: Module, folder: Path) -> Path:
    """Returns a copy of the tools module's sources with the files that its packages embed, and with rewritten dependencies."""
    shutil.copytree(module.sources, folder)
    original_folder = fetched(module, module.requires)
    for name, original in module.embedded.items():
        shutil.copyfile(original_folder / original, folder / name)
    for number, (name, (source, function)) in enumerate(module.rewritten.items()):
        dependency = folder / f"rewritten-{number}"
        shutil.copytree(fetched(module, source), dependency, copy_function=shutil.copyfile)
        for path in (dependency, *dependency.rglob("*/")):
            path.chmod(0o755)  # folders of Go's cache are read-only
        (dependency / name).write_text(function((dependency / name).read_text(encoding="utf-8")), encoding="utf-8")
        with (folder / "go.mod").open("a", encoding="utf-8") as file:
            file.write(f"\nreplace {source} => ./{dependency.name}\n")
    return folder


def fetched(module: Module, source: str) -> Path:
    """Returns the directory of a module in Go's cache, at the version in ``go.mod``; raises ``ExternalError``."""
    _require_go()
    command = ["go", "mod", "download", "-json", source]
    result = subprocess.run(command, cwd=module.sources, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ExternalError(f"{source} could not be fetched:\n{result.stderr[-3000:]}{result.stdout[-1000:]}")
    return Path(json.loads(result.stdout)["Dir"])
