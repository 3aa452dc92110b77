"""The project's files at another commit."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from config.errors import ConfigError, Problem


@contextmanager
def project_at(ref: str, project: Path) -> Iterator[Path]:
    """Yields a folder with the files at ``ref``; raises ``ConfigError`` when git has no such commit."""
    command = ["git", "-C", str(project), "archive", "--format=tar", f"{ref}^{{commit}}"]
    result = subprocess.run(command, capture_output=True, check=False)
    if result.returncode:
        errors = result.stderr.decode(errors="replace").strip().splitlines()
        message = f"git has no commit {ref!r}: {errors[-1] if errors else 'unknown'}"
        raise ConfigError(Problem("git", None, "", message, "name a branch, tag or commit"))
    with TemporaryDirectory(prefix="understudy-") as folder:
        with tarfile.open(fileobj=io.BytesIO(result.stdout)) as archive:
            try:
                archive.extractall(folder, filter="data")
            except tarfile.FilterError as error:
                fix = "a project has links to its own files only"
                raise ConfigError(Problem("git", None, "", f"{ref} cannot be read: {error}", fix)) from None
        yield Path(folder)
