"""An archive's images as folders, and programs that run in them."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any


def document(tar: tarfile.TarFile, name: str) -> Any:
    """A JSON file of the archive."""
    file = tar.extractfile(name)
    assert file is not None, f"{name} is not a file"
    return json.load(file)


class Unpacked:
    """The images of an archive, each unpacked when it is asked for."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive, self.folder = archive, folder
        with tarfile.open(archive) as tar:
            self.manifest: list[dict[str, Any]] = document(tar, "manifest.json")
            self.configs: dict[str, dict[str, Any]] = {
                name: document(tar, each["Config"]) for each in self.manifest for name in each["RepoTags"]
            }

    def root(self, name: str) -> Path:
        """The file system of an image."""
        root = self.folder / name.replace("/", "_").replace(":", "_")
        if not root.exists():
            root.mkdir(parents=True)
            layers = next(each["Layers"] for each in self.manifest if name in each["RepoTags"])
            with tarfile.open(self.archive) as tar:
                for layer in layers:
                    with tarfile.open(fileobj=tar.extractfile(layer)) as content:
                        content.extractall(root, filter="fully_trusted")
        return root

    def run(self, name: str, *command: str, user: str = "0:0") -> str:
        """What a command says, in the image and with its environment; as that user, with no other file system."""
        root = self.root(name)
        environment = dict(line.split("=", 1) for line in self.configs[name]["config"]["Env"])
        result = subprocess.run(
            ["chroot", f"--userspec={user}", str(root), *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
        return result.stdout + result.stderr
