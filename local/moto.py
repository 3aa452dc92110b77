"""AWS on the loopback interface: moto's server, with a process for each account."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from config.errors import ExternalError

from .console import phase
from .paths import HOME, PYTHON, ROOT
from .processes import Processes, free_port

NAME = "moto"


@dataclass(frozen=True)
class Moto:
    """One account. Its resources are in memory and are lost when it is stopped."""

    account: str
    """The account number, twelve digits."""
    home: Path = HOME

    @property
    def folder(self) -> Path:
        """The folder of its log, process id and address."""
        return self.home / "accounts" / self.account

    @property
    def processes(self) -> Processes:
        return Processes(self.folder)

    @property
    def endpoint(self) -> str:
        """URL of the server, such as ``http://127.0.0.1:40001``; empty before its first start."""
        address = self.folder / "endpoint"
        return address.read_text(encoding="utf-8") if address.exists() else ""

    def running(self) -> bool:
        """Returns whether the process runs and answers."""
        return self.processes.find(NAME) is not None and self._answers()

    def begun(self) -> str:
        """An identifier of this run of the server; empty when it does not run."""
        process = self.processes.find(NAME)
        return f"{process.pid} {process.create_time()}" if process else ""

    def up(self) -> bool:
        """Starts the server unless it runs; returns whether it was started, and so is empty. Raises ``ExternalError``."""
        if self.running():
            return False
        with phase(f"starting an offline AWS for account {self.account}"):
            self.processes.stop(NAME)
            port = free_port()
            own = {"MOTO_ACCOUNT_ID": self.account, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_PORT": str(port)}
            environment = {**os.environ, **own, "PYTHONPATH": str(ROOT)}
            command = [str(PYTHON), "-m", "local.moto_server", str(port)]
            (self.folder / "endpoint").write_text(f"http://127.0.0.1:{port}", encoding="utf-8")
            self.processes.start(NAME, command, environment)
            deadline = time.monotonic() + 60
            while not self._answers():
                if self.processes.find(NAME) is None or time.monotonic() > deadline:
                    raise ExternalError(f"moto's server did not start:\n{self.processes.log(NAME)}")
                time.sleep(0.1)
        return True

    def down(self) -> None:
        """Stops the server; the account's resources are lost."""
        self.processes.stop(NAME)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/moto-api/config", timeout=5).is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
