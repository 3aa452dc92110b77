"""Decides, for each image of a pod, whether software of Debian or Go is packed, a placeholder is used, or it is missing."""

from __future__ import annotations

import fcntl
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.system import Resolved

from ..builds import ensure
from ..paths import TOOLS
from . import layers
from .archive import Image, pack
from .debian import Debian, upstream
from .layers import Layer
from .placeholder import Placeholders
from .programs import MODULES, PLACEHOLDER
from .table import Recipe, table, tagged

CACHE = TOOLS / "images"
PAUSE = "local/pause:1"
"""The image of the process that holds a pod's namespaces; every archive contains it."""
STANDS_IN = "placeholder"
"""The version in reports for an image that a placeholder replaces."""
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Images:
    """Images that were built."""

    archive: Path
    """One file for ``ctr -n k8s.io images import`` and ``docker load``."""
    available: dict[str, str]
    """Reference, as pods write it, to the version that runs: ``redis 7.0.15 (Debian)``, or ``STANDS_IN``."""
    missing: dict[str, str]
    """Reference to the reason why it is missing."""


def build(
    wanted: set[str],
    objects: Sequence[Mapping[str, Any]] = (),
    resolved: Resolved | None = None,
    cache: Path = CACHE,
) -> Images:
    """The images of these references; raises ``ExternalError`` when something that it needs cannot be had.

    ``objects``: the environment's Kubernetes objects. From the pods among them a placeholder learns what it listens on and
    which of the Services that it uses only lead to simulated pods. ``resolved``: the environment. Its services and jobs are
    what gets a placeholder, and the metrics that they declare are what it exposes; without it, every image that the table
    does not know gets one.
    """
    missing = {reference: reason for reference in sorted(wanted) if (reason := _why_missing(reference, resolved))}
    recipes = {reference: table().recipe(reference) for reference in sorted(wanted - missing.keys())}
    with _alone(cache):
        debian = Debian(cache / "layers", table())
        base = debian.base()
        images = [Image((f"docker.io/{PAUSE}",), (base,), {"Cmd": ["sleep", "infinity"], "Env": [f"PATH={SEARCHED}"]})]
        available: dict[str, str] = {}
        ensure(*_modules(recipes.values()))
        for name in sorted({name for name in recipes.values() if name}):
            references = [reference for reference, known in recipes.items() if known == name]
            image, version = _image(name, table().images[name], references, debian, base)
            images.append(image)
            available.update(dict.fromkeys(references, version))
        ours = [reference for reference, name in recipes.items() if name is None]
        configurations = Placeholders(objects, resolved, frozenset(missing))
        for reference in ours:
            images.append(_placeholder(reference, configurations.of(reference), cache / "layers"))
            available[reference] = STANDS_IN
        debian.tidy()
        archive = pack(images, cache / "archives")
    return Images(archive, available, missing)


def _why_missing(reference: str, resolved: Resolved | None) -> str | None:
    all_images = table()
    if "@" in reference:
        return "it is asked for by digest, which only the content of its registry has"
    if all_images.recipe(reference):
        return None
    if reason := all_images.why_missing(reference):
        return reason
    if resolved and not any(reference.startswith(f"{image}:") for image in _own(resolved)):
        return "local/images/table.yaml does not know it, and it is no service or job of the system's own"
    return None


def _own(resolved: Resolved) -> set[str]:
    """Returns repositories of the system's own services and jobs."""
    from config.kinds.workload import Workload

    return {component.image for component in resolved.components.values() if isinstance(component, Workload)}


def _modules(names: Any) -> list[Any]:
    modules = [table().images[name].module for name in sorted({name for name in names if name})]
    placeholder = [PLACEHOLDER] if None in set(names) else []
    return [MODULES[name] for name in modules if name] + placeholder


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Takes a lock, so that two runs with one cache do not build the same image; removes files of killed runs."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left in cache.glob("*/.*.partial"):
            left.unlink()
        yield


def _image(name: str, recipe: Recipe, references: list[str], debian: Debian, base: Layer) -> tuple[Image, str]:
    below = [base]
    if recipe.packages:
        below.append(debian.recipe(name, recipe))
    versions = {package: upstream(version) for package, version in below[-1].versions.items()}
    module = MODULES[recipe.module] if recipe.module else None
    if module:
        versions["module"] = module.version
    folders = {**recipe.folders}
    users = {**table().base.users, **recipe.users}
    scripts = {path: (Path(__file__).parent / file).read_text(encoding="utf-8") for path, file in recipe.files.items()}

    def write(archive: tarfile.TarFile) -> dict[str, str]:
        layers.users(archive, users)
        for path, owner in folders.items():
            layers.folder(archive, path, owner, 0o777 if owner else 0o755)
        for path, target in recipe.links.items():
            layers.link(archive, path, target)
        for path, content in scripts.items():
            layers.text(archive, path, content, 0o755)
        for path, program in recipe.programs.items():
            assert module is not None
            layers.program(archive, _merged(path), module.program(program))
        return {}

    key = layers.key(users, folders, recipe.links, scripts, recipe.programs, module.folder.name if module else None)
    own = layers.layer(debian.cache, f"{name}-own-{key}", write)
    path = f"PATH={recipe.path}:{SEARCHED}" if recipe.path else f"PATH={SEARCHED}"
    config = {**recipe.config, "Env": [path, *recipe.config.get("Env", [])]}
    names = tuple(sorted(tagged(reference) for reference in references))
    return Image(names, (*below, own), config), recipe.says.format_map(versions)


def _merged(path: str) -> str:
    """Returns the path in the image, where ``/bin`` is a link: ``/bin/prometheus`` is a file of ``/usr/bin``."""
    return layers.merged(path) or path


def _placeholder(reference: str, configuration: dict[str, Any], cache: Path) -> Image:
    def binary(archive: tarfile.TarFile) -> dict[str, str]:
        for name in ("/etc", "/etc/placeholder", "/usr", "/usr/bin"):
            layers.folder(archive, name)
        layers.link(archive, "/bin", "usr/bin")
        layers.folder(archive, "/tmp", mode=0o1777)  # noqa: S108 - in the image
        layers.users(archive, table().base.users)
        layers.program(archive, "/placeholder", PLACEHOLDER.program("placeholder"))
        return {}

    def own(archive: tarfile.TarFile) -> dict[str, str]:
        described = json.dumps({"image": reference, **configuration}, indent=1, sort_keys=True)
        layers.text(archive, "/etc/placeholder/config.json", described)
        for path in sorted({command["program"] for command in configuration.get("commands", [])}):
            layers.link(archive, _merged(path), "/placeholder")
        return {}

    below = layers.layer(cache, f"placeholder-{PLACEHOLDER.folder.name}", binary)
    above = layers.layer(cache, f"placeholder-own-{layers.key(reference, configuration)}", own)
    config = {"Entrypoint": ["/placeholder"], "Env": [f"PATH={SEARCHED}"]}
    return Image((tagged(reference),), (below, above), config)
