"""Images of one static program, for the test of the real node: an archive as ``docker save`` writes it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

SOURCE = Path(__file__).parent / "node_image"
PAUSE, SERVER = "local/pause:1", "registry.example.com/server:1.0"


def archive(folder: Path) -> Path:
    """Builds the program and packs it under both names."""
    program = folder / "program"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(program), "."]
    subprocess.run(command, cwd=SOURCE, env=environment, check=True)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(program, "program", filter=_executable)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    file = folder / "images.tar"
    manifest = []
    with tarfile.open(file, "w") as tar:
        _add(tar, "layer/layer.tar", layer.getvalue())
        for name, word in ((PAUSE, "pause"), (SERVER, "serve")):
            run = {"Entrypoint": ["/program"], "Cmd": [word]}
            layers = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
            content = json.dumps({"architecture": "amd64", "os": "linux", "config": run, "rootfs": layers}).encode()
            config = f"{hashlib.sha256(content).hexdigest()}.json"
            _add(tar, config, content)
            manifest.append({"Config": config, "RepoTags": [name], "Layers": ["layer/layer.tar"]})
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    return file


def _executable(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mode, info.mtime, info.uid, info.gid = 0o755, 0, 0, 0
    return info


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
