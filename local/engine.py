"""The Pulumi engine: an installed one, or else one that is built here; its plugins, backend and passphrase."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import psutil

from .builds import Module, ensure
from .paths import HOME, PYTHON, ROOT
from .tools import PULUMI, PULUMI_KUBERNETES

STAND_INS = {"aws": "local.plugins.aws", "random": "local.plugins.random"}
"""Provider plugin to the Python module that stands in for it, where no Go module of the official one is published."""
BUILT = {"kubernetes": PULUMI_KUBERNETES}
"""Provider plugin to the Go module that it is built from."""
PROVIDERS = (*STAND_INS, *BUILT)


@dataclass(frozen=True)
class Engine:
    """Runs Pulumi on this project with the local backend; no tracked file is written."""

    home: Path = HOME
    project: Path = ROOT

    @cached_property
    def program(self) -> str:
        """Returns the installed CLI, or else the built one (with the provider plugin, built now if missing)."""
        installed = shutil.which("pulumi")
        if installed:
            return installed
        ensure(*self.modules())
        return str(PULUMI.program("pulumi"))

    def modules(self) -> tuple[Module, ...]:
        """Returns the modules to build for it; none where a Pulumi CLI is installed."""
        return () if shutil.which("pulumi") else (*BUILT.values(), PULUMI)

    @property
    def _official(self) -> bool:
        """Returns whether an installed CLI with its own language host is used."""
        return self.program != str(PULUMI.program("pulumi"))

    def _plugins(self) -> Path:
        """Returns the engine's home with the provider plugins, in the folders of the SDK's versions.

        An installed CLI keeps its own home, with its official plugins; missing ones are found on PATH instead.
        """
        home = self.home / "pulumi"
        official = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
        for name in PROVIDERS:
            plugin = f"resource-{name}-v{version(f'pulumi-{name}')}"
            path = home / "plugins" / plugin / f"pulumi-resource-{name}"
            if self._official and (official / "plugins" / plugin).exists():
                path.unlink(missing_ok=True)
            elif name in BUILT:
                ensure(BUILT[name])
                _link(path, BUILT[name].program(path.name))
            else:
                _script(path, f'PYTHONPATH="{ROOT}" exec "{PYTHON}" -u -m {STAND_INS[name]} "$@"')
        if not self._official:  # beside the engine, as for an installed one; clones may share the engine
            script = 'PYTHONPATH="$UNDERSTUDY_ROOT" exec "$UNDERSTUDY_ROOT/.venv/bin/python" -u -m local.language "$@"'
            _script(PULUMI.folder / "pulumi-language-python", script)
            dynamic = 'PYTHONPATH="$UNDERSTUDY_ROOT" exec "$UNDERSTUDY_ROOT/.venv/bin/python" -u -m pulumi.dynamic "$@"'
            _script(PULUMI.folder / "pulumi-resource-pulumi-python", dynamic)
        return home

    def _passphrase(self) -> Path:
        path = self.home / "passphrase"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as handle:
                    handle.write(secrets.token_urlsafe(32))
        return path

    def environment(self, kubeconfig: Path) -> dict[str, str]:
        """Returns the variables of the engine and its child processes."""
        state = self.home / "state"
        state.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if k not in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN")}
        home = self._plugins()
        variables = {"PULUMI_HOME": str(home)}
        if self._official:
            folders = [str(path) for path in sorted((home / "plugins").iterdir())]
            variables = {"PATH": os.pathsep.join([*folders, os.environ.get("PATH", "")])}
        return {
            **kept,
            **variables,
            "UNDERSTUDY_ROOT": str(ROOT),
            # without sidecar files: they are not written atomically, and one that a killed engine left empty (seen) makes
            # the whole state unreadable; the state itself is replaced in one step
            "PULUMI_BACKEND_URL": f"file://{state}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._passphrase()),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "KUBECONFIG": str(kubeconfig),
        }

    def end_orphaned_plugins(self) -> None:
        """Ends provider plugins of a killed engine; without this the official ones run for up to five more minutes."""
        folder = str(self.home / "pulumi" / "plugins")
        orphans = []
        for process in psutil.process_iter(["cmdline"]):
            with contextlib.suppress(psutil.Error):
                started_here = (process.info["cmdline"] or [""])[0].startswith(folder)
                parent = process.parent()
                if started_here and (parent is None or parent.name() != "pulumi"):
                    process.kill()
                    orphans.append(process)
        psutil.wait_procs(orphans, timeout=10)

    def aws(self, endpoint: str, report: Path, cluster: Mapping[str, str]) -> dict[str, str]:
        """Returns variables for an AWS that answers at ``endpoint``.

        ``cluster`` has the ``endpoint`` and ``authority`` of EKS.

        ``report`` is a file in which the stand-in records how each resource was handled.
        """
        tools = self.home / "bin"
        _script(tools / "aws", f'PYTHONPATH="{ROOT}" exec "{PYTHON}" -m local.aws "$@"')
        return {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "UNDERSTUDY_AWS_REPORT": str(report),
            "UNDERSTUDY_EKS_ENDPOINT": cluster["endpoint"],
            "UNDERSTUDY_EKS_AUTHORITY": cluster["authority"],
            "PATH": str(tools),
        }

    def run(
        self,
        arguments: Sequence[str],
        kubeconfig: Path,
        *,
        folder: Path | None = None,
        capture: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs the CLI, in the project or another folder; the caller handles its exit code."""
        return subprocess.run(
            [self.program, *arguments],
            cwd=folder or self.project,
            env=self._joined(self.environment(kubeconfig), variables or {}),
            stdin=subprocess.DEVNULL,
            capture_output=capture,
            text=True,
            check=False,
        )

    def _joined(self, environment: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
        """Merges two environments; search paths are concatenated."""
        paths = [variables["PATH"] for variables in (more, environment) if "PATH" in variables]
        return {**environment, **more, **({"PATH": os.pathsep.join(paths)} if paths else {})}


def _script(path: Path, command: str) -> None:
    """Writes an executable that runs the command, only when its content changes."""
    text = f"#!/bin/sh\n{command}\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o755)
        partial.replace(path)


def _link(path: Path, target: Path) -> None:
    """Writes a symbolic link to a built program, only when it changes."""
    if not path.is_symlink() or path.readlink() != target:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.symlink_to(target)
        partial.replace(path)
