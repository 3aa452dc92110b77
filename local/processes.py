"""Background processes that outlive the command that started them, and are recognised by the next one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether nobody listens on that TCP port of the loopback interface."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Processes:
    """The processes of one folder: their ids and start times in ``pids.json``, their output in ``<name>.log``.

    A process id alone proves nothing, ids are used again: a process is ours when its start time is the recorded one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file = folder / "pids.json"

    def _recorded(self) -> dict[str, tuple[int, float]]:
        try:
            return {name: (int(pid), float(start)) for name, (pid, start) in json.loads(self._file.read_text()).items()}
        except (OSError, ValueError):
            return {}

    def _write(self, recorded: dict[str, tuple[int, float]]) -> None:
        partial = self._file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(recorded))
        partial.replace(self._file)

    def find(self, name: str) -> psutil.Process | None:
        """The process, when it still runs."""
        entry = self._recorded().get(name)
        if entry is None:
            return None
        try:
            process = psutil.Process(entry[0])
            ours = abs(process.create_time() - entry[1]) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if ours else None

    def start(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts it in a session of its own, with its output in ``<name>.log``; ``environment``: default this process's."""
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=environment,
                start_new_session=True,
            )
        process.returncode = 0  # it outlives this process, which waits for it only to stop it
        self._write({**self._recorded(), name: (process.pid, psutil.Process(process.pid).create_time())})

    def log(self, name: str, lines: int = 15) -> str:
        """The end of its output."""
        try:
            return "\n".join((self._folder / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def stop(self, *names: str, seconds: float = 10) -> None:
        """Asks them to end, in the order given, and ends those that do not."""
        for name in names:
            process = self.find(name)
            if process is not None:
                process.terminate()
                _, alive = psutil.wait_procs([process], timeout=seconds)
                for stubborn in alive:
                    stubborn.kill()
                psutil.wait_procs(alive, timeout=seconds)
        self._write({name: entry for name, entry in self._recorded().items() if name not in names})
