"""Background processes that outlive the command that started them, and that later commands recognise."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from .files import write


def free_port() -> int:
    """Returns an unused TCP port of the loopback interface."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether no process listens on a TCP port of the loopback interface."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


MARK = "UNDERSTUDY_CLUSTER"
"""The environment variable of each process that names the folder it belongs to."""


class Processes:
    """The processes of one folder: their ids and start times in ``pids.json``, their output in ``<name>.log``.

    A process id alone proves nothing, because ids are reused: a process is ours when its start time is the recorded one.
    A process of a command that was killed before it recorded it is found by ``MARK``.
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
        write(self._file, json.dumps(recorded))

    def find(self, name: str) -> psutil.Process | None:
        """Returns the process, if it runs."""
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
        """Starts it in a new session, with its output in ``<name>.log``; ``environment`` is by default this process's."""
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**(os.environ if environment is None else environment), MARK: str(self._folder)},
                start_new_session=True,
            )
        process.returncode = 0  # it outlives this process, which waits for it only to stop it
        self._write({**self._recorded(), name: (process.pid, psutil.Process(process.pid).create_time())})

    def log(self, name: str, lines: int = 15) -> str:
        """Returns the end of its output."""
        try:
            return "\n".join((self._folder / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def stop(self, *names: str, seconds: float = 10) -> None:
        """Terminates the processes in the given order, and kills those that do not end."""
        for name in names:
            process = self.find(name)
            if process is not None:
                process.terminate()
                if not _ended([process], seconds):
                    process.kill()
                    _ended([process], seconds)
        self._write({name: entry for name, entry in self._recorded().items() if name not in names})

    def end_unrecorded(self) -> None:
        """Ends the processes of this folder that are not recorded."""
        recorded = {pid for pid, _ in self._recorded().values()}
        ours = [process for process in psutil.process_iter() if process.pid not in recorded and self._marked(process)]
        for process in ours:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _ended(ours, 10)

    def _marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == str(self._folder)
        except psutil.Error:
            return False


def _ended(processes: list[psutil.Process], seconds: float) -> bool:
    """Returns whether they end in time. A process that its parent has not reaped counts as ended."""
    deadline = time.monotonic() + seconds
    while any(_alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
