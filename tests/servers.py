"""Real servers for tests: started by the very scripts that run in the cluster, on loopback addresses of the test's own."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.node.requirements import UnmetRequirement, check

PACKAGES = {
    "redis-server": "redis-server",
    "haproxy": "haproxy",
    "postgres": "postgresql",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "rabbitmqctl": "rabbitmq-server",
}
"""Program to Debian package."""


def require(*programs: str) -> None:
    """Skips with what to install; in CI a missing program is a failure."""
    missing = [program for program in programs if find(program) is None]
    if missing:
        reason = f"not installed: apt-get install {' '.join(PACKAGES[program] for program in missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def require_real_node() -> None:
    """Skips with what a node that runs pods lacks here; in CI that is a failure."""
    try:
        check()
    except UnmetRequirement as unmet:
        if os.environ.get("CI"):
            pytest.fail(str(unmet))
        pytest.skip(str(unmet))


def find(program: str) -> str | None:
    """A program on PATH, or where Debian keeps PostgreSQL's."""
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *folders]))


def network(*ports: int) -> Callable[[int], str]:
    """A /24 of the loopback network where nobody listens on these ports."""
    for _ in range(50):
        prefix = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}"
        if all(_free(f"{prefix}.{host}", port) for host in (11, 21, 31) for port in ports):
            return lambda host: f"{prefix}.{host}"
    raise AssertionError("no free loopback network")


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder for a server with a user of its own; each pytest session makes pytest's folders root's alone again."""
    folder = Path(tempfile.mkdtemp(prefix="understudy-server-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Server:
    """A process in a group of its own; its output goes to a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.command, self.log = list(command), log
        self.environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL, to it and what it started."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def terminate(self, seconds: float = 60) -> None:
        """SIGTERM, to it alone, as the kubelet does."""
        assert self.process
        self.process.terminate()
        self.process.wait(seconds)

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def until(condition: Callable[[], bool], seconds: float, what: Callable[[], str] = lambda: "") -> float:
    """Waits for it; how long it took, in seconds."""
    begin = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - begin
        except (OSError, RuntimeError) as error:
            last: object = error
        except Exception as error:  # noqa: BLE001 - clients raise their own kinds while servers come and go
            last = error
        else:
            last = "not yet"
        assert time.monotonic() - begin < seconds, f"{what()}\n{last!r}"
        time.sleep(0.1)
