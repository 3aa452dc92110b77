"""Images in one ``docker-archive`` file, which ``ctr images import`` and ``docker load`` read; layers are shared."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import layers
from .layers import Layer

KEPT = 4
"""Number of archives in the cache."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """One image: its layers, the lowest first, and its configuration."""

    names: tuple[str, ...]
    """The full name, with a tag."""
    layers: tuple[Layer, ...]
    config: dict[str, Any]


def pack(images: list[Image], folder: Path) -> Path:
    """Returns the archive of these images, from the cache or newly written."""
    images = sorted(images, key=lambda image: image.names)
    made_from = [(image.names, [layer.digest for layer in image.layers], image.config) for image in images]
    archive = folder / f"{layers.key(made_from)}.tar"
    if archive.exists():
        archive.touch()
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    with layers.partial(archive) as unfinished, tarfile.open(unfinished, "w") as tar:
        _write(tar, images)
    for old in sorted(folder.glob("*.tar"), key=lambda file: file.stat().st_mtime, reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)
    return archive


def _write(tar: tarfile.TarFile, images: list[Image]) -> None:
    manifest, put = [], set()
    for image in images:
        for layer in image.layers:
            if layer.digest not in put:
                put.add(layer.digest)
                with layer.file.open("rb") as content:
                    member = layers.entry(f"{layer.digest}/layer.tar", size=layer.file.stat().st_size)
                    tar.addfile(member, content)
        described = {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": image.config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in image.layers]},
        }
        config = json.dumps(described, sort_keys=True).encode()
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        tar.addfile(layers.entry(name, size=len(config)), io.BytesIO(config))
        files = [f"{layer.digest}/layer.tar" for layer in image.layers]
        manifest.append({"Config": name, "RepoTags": list(image.names), "Layers": files})
    listed = json.dumps(manifest).encode()
    tar.addfile(layers.entry("manifest.json", size=len(listed)), io.BytesIO(listed))
