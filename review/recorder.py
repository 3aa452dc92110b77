"""A process that records graphs of one project, each in a fork of its own.

Importing the SDK and the program's modules takes several times as long as recording a graph. The process imports what
earlier recordings needed, and a fork shares it; the SDK's global state stays in the fork. It listens on a Unix socket in a
temporary folder and ends with the process that started it.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple


class Recording(NamedTuple):
    """The result of one recording: what ``python -m review.record`` would have returned."""

    code: int
    """0, 2 for a user's mistake, 1 for any other failure."""
    stdout: str
    """The graph or the outputs as JSON."""
    stderr: str


def request(project: Path, stack: str, file: Path | None = None) -> Recording:
    """Records a stack of a project whose files do not change while this process runs.

    ``file`` is the stack's file, default ``Pulumi.<stack>.yaml`` of the project.
    """
    content = {"stack": stack, "file": str(file) if file else None, "outputs": False}
    return _send(_started(project, os.getpid()), content)


def _send(address: str, content: dict[str, Any]) -> Recording:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(json.dumps(content | {"environment": dict(os.environ)}).encode() + b"\n")
        with connection.makefile("rb") as response:
            text = response.read()
    if not text:
        return Recording(1, "", "the process that recorded the graph was killed")
    return Recording(*json.loads(text))


@cache
def _started(project: Path, _client: int) -> str:
    """Starts the process, once for each project and client process; returns the address of its socket."""
    folder = tempfile.mkdtemp(prefix="understudy-recorder-")
    address = f"{folder}/socket"
    command = [sys.executable, "-m", "review.recorder", address, str(project)]
    process = subprocess.Popen(command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout as output:
        output.readline()  # printed when it listens
    pipe = process.stdin

    def stop() -> None:
        pipe.close()
        process.wait()

    atexit.register(stop)
    return address


def _loaded_modules() -> list[str]:
    """Returns modules in the order of their import, without those that a provider's SDK will load at their first use."""
    return [name for name, module in sys.modules.items() if type(module).__name__ != "_LazyModule"]


class _Handler(socketserver.StreamRequestHandler):
    """Records one graph. It runs in a fork, which ends with it."""

    server: _Server

    def handle(self) -> None:
        content = json.loads(self.rfile.readline())
        loaded = set(_loaded_modules())
        with tempfile.TemporaryFile() as stderr:
            os.dup2(stderr.fileno(), 2)
            code, text = self._record(**content)
            sys.stderr.flush()
            stderr.seek(0)
            recording = Recording(code, text, stderr.read().decode(errors="replace"))
        self.wfile.write(json.dumps(recording).encode())
        self.server.report_modules([name for name in _loaded_modules() if name not in loaded])

    def _record(self, stack: str, file: str | None, environment: dict[str, str], *, outputs: bool) -> tuple[int, str]:
        from .record import recorded

        os.environ.clear()
        os.environ.update(environment)
        try:
            text = recorded(
                self.server.project, stack, Path(file) if file else None, self._read_outputs, outputs=outputs
            )
        except SystemExit as stopped:
            if isinstance(stopped.code, str):
                print(stopped.code, file=sys.stderr)  # noqa: T201 - as Python does at the end of a process
            return (stopped.code if isinstance(stopped.code, int) else 1), ""
        except BaseException:  # noqa: BLE001 - reported to the client, as a process of its own would
            traceback.print_exc()
            return 1, ""
        return 0, text

    def _read_outputs(self, stack: str) -> str:
        """Has another fork record the outputs of a stack that the program reads."""
        recording = _send(str(self.server.server_address), {"stack": stack, "file": None, "outputs": True})
        if recording.code:
            raise RuntimeError(f"the stack {stack} has no graph:\n{recording.stderr.strip()}")
        return recording.stdout


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Forks for each request, and imports between requests the modules that the forks had to import."""

    max_children = 2 * (os.cpu_count() or 1)
    request_queue_size = 64

    def __init__(self, address: str, project: Path) -> None:
        super().__init__(address, _Handler)
        self.project = project
        self._modules_read, self._modules_written = os.pipe()
        os.set_blocking(self._modules_read, False)
        self._unread = b""

    def report_modules(self, names: list[str]) -> None:
        """Reports to the parent process which modules to import before its next fork."""
        os.write(self._modules_written, "".join(f"{name}\n" for name in names).encode())

    def service_actions(self) -> None:
        super().service_actions()
        ready, _, _ = select.select([sys.stdin, self._modules_read], [], [], 0)
        if sys.stdin in ready:  # closed: the process that started this one has ended
            raise SystemExit
        if self._modules_read in ready:
            *names, self._unread = (self._unread + os.read(self._modules_read, 1 << 20)).split(b"\n")
            for name in names:
                with suppress(ImportError):  # not importable by itself: the next fork imports it as this one did
                    module = importlib.import_module(name.decode())
                    hasattr(module, "any")  # an attribute, because the SDK loads some modules at their first use


def main() -> None:
    """Serves until standard input is closed, then deletes the socket's folder.

    The arguments are the socket's path and the project's folder.
    """
    address, project = sys.argv[1:]
    sys.path.insert(0, project)
    try:
        with _Server(address, Path(project)) as server:
            print("listening", flush=True)  # noqa: T201 - read by _started
            server.serve_forever(poll_interval=0.2)
    finally:
        shutil.rmtree(Path(address).parent, ignore_errors=True)


if __name__ == "__main__":
    main()
