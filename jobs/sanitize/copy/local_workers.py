"""Worker processes on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from config.errors import ExternalError
from jobs.sanitize.connection import variable
from jobs.sanitize.errors import SnapshotGone


class LocalWorkers:
    """Worker processes; a killed one is replaced, a failed one stops the refresh."""

    def __init__(self, size: int, source: str, target: str, schema: str, settings: Mapping[str, str]) -> None:
        self.environment = {
            **os.environ,
            variable("source"): source,
            variable("target"): target,
            "SANITIZE_SCHEMA": schema,
            "SANITIZE_SETTINGS": json.dumps(settings),
            "SANITIZE_WATCH": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        self.size = size
        self.spare = 2 * size
        """Number of replacements after which killed workers are treated as a failure."""
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.running = [self._start() for _ in range(self.size)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Workers without work end by themselves; after an error they are not waited for."""
        for process in self.running:
            try:
                process.wait(0 if kind else 5)
            except subprocess.TimeoutExpired:
                process.kill()
            _close(process)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "jobs.sanitize.copy.worker"]
        return subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE)

    def look(self) -> None:
        """Replaces killed workers; raises ``ExternalError`` when one failed or too many were killed."""
        for process in [process for process in self.running if process.poll() is not None]:
            self.running.remove(process)
            stderr = _close(process)
            if process.returncode > 0:
                last = stderr.rpartition("\n")[2] or "a worker failed; the old data are as they were"
                raise SnapshotGone(last) if "the snapshot does not exist" in last else ExternalError(last)
            if process.returncode < 0 and self.spare:
                self.spare -= 1
                self.running.append(self._start())
            if process.returncode < 0 and not self.running:
                raise ExternalError("the workers were killed; the old data are as they were")


def _close(process: subprocess.Popen[bytes]) -> str:
    """Waits for a worker; returns its standard error."""
    _, stderr = process.communicate()
    return stderr.decode(errors="replace").strip()
