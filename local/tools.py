"""The programs of the embedded default, built from their Go modules once; versions are those of ``tools/*/go.mod``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .console import Trouble, phase
from .paths import TOOLS

MODULES = Path(__file__).parent / "tools"


@dataclass(frozen=True)
class Module:
    """A tools module: which programs it builds and how their version is stamped."""

    name: str
    requires: str
    """The module whose version counts."""
    programs: dict[str, str]
    """Program to package."""
    stamp: tuple[str, ...] = ()
    """``-X`` settings; ``{version}`` is the version with its v, ``{number}`` without."""

    @property
    def version(self) -> str:
        """As required in ``go.mod``, such as ``v3.256.0``."""
        text = (MODULES / self.name / "go.mod").read_text(encoding="utf-8")
        match = re.search(rf"^\s*(?:require )?{re.escape(self.requires)} (v\S+)", text, re.MULTILINE)
        assert match is not None
        return match[1]

    @property
    def folder(self) -> Path:
        """Where its programs lie; another version or dependency gets another folder."""
        sums = b"".join((MODULES / self.name / file).read_bytes() for file in ("go.mod", "go.sum"))
        return TOOLS / f"{self.name}-{self.version}-{hashlib.sha256(sums).hexdigest()[:8]}"

    def built(self) -> bool:
        """Whether every program is there."""
        return all((self.folder / program).exists() for program in self.programs)

    def program(self, name: str) -> Path:
        """Its path; ``ensure`` makes it exist."""
        return self.folder / name


PULUMI = Module(
    "pulumi",
    "github.com/pulumi/pulumi/pkg/v3",
    {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    ("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={number}",),
)
ETCD = Module("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"})
KWOK = Module(
    "kwok",
    "sigs.k8s.io/kwok",
    {"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    ("sigs.k8s.io/kwok/pkg/consts.Version={version}",),
)
KUBERNETES = Module(
    "kubernetes",
    "k8s.io/kubernetes",
    {
        f: f"k8s.io/kubernetes/cmd/{f}"
        for f in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
    },
    (
        "k8s.io/component-base/version.gitVersion={version}",
        "k8s.io/client-go/pkg/version.gitVersion={version}",
    ),
)
ACTIONLINT = Module(
    "actionlint", "github.com/rhysd/actionlint", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"}
)
"""Checks the workflows; part of ``make lint``."""
PROMETHEUS = Module(
    "prometheus",
    "github.com/prometheus/prometheus",
    {name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")},
)
"""For the tests: Debian's is built without Kubernetes' service discovery. The module's v0.53 is Prometheus 2.53."""
CONTROL_PLANE = (ETCD, KUBERNETES, KWOK)


def ensure(*modules: Module) -> None:
    """Builds what is missing, one module after the other (each build uses every core); raises ``Trouble``."""
    missing = [module for module in modules if not module.built()]
    if missing and shutil.which("go") is None:
        raise Trouble(
            "Go is not installed; it builds the engine and the control plane (apt-get install golang, or go.dev)"
        )
    for module in missing:
        with _lock(module), phase(f"building {', '.join(module.programs)} {module.version}"):
            if not module.built():
                _build(module)


@contextmanager
def _lock(module: Module) -> Iterator[None]:
    """Two clones that share ``UNDERSTUDY_TOOLS`` do not build the same thing at once."""
    module.folder.mkdir(parents=True, exist_ok=True)
    with (module.folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(module: Module) -> None:
    version = module.version
    stamps = [f"-X {stamp.format(version=version, number=version.lstrip('v'))}" for stamp in module.stamp]
    partial = module.folder / "partial"
    partial.mkdir(exist_ok=True)
    for program, package in module.programs.items():
        command = [
            "go",
            "build",
            "-trimpath",
            "-ldflags",
            " ".join(["-s", "-w", *stamps]),
            "-o",
            str(partial / program),
        ]
        result = subprocess.run(
            [*command, package],
            cwd=MODULES / module.name,
            env={**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false"},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise Trouble(f"{program} {version} could not be built:\n{result.stderr[-3000:]}")
        (partial / program).replace(module.folder / program)
    if module is KWOK:
        _copy_stages()
    shutil.rmtree(partial)


def _copy_stages() -> None:
    """KWOK's own descriptions of how nodes and pods become ready, from its module."""
    query = ["go", "list", "-m", "-f", "{{.Dir}}", KWOK.requires]
    found = subprocess.run(query, cwd=MODULES / KWOK.name, capture_output=True, text=True, check=True)
    source = Path(found.stdout.strip()) / "kustomize" / "stage"
    target = KWOK.folder / "partial" / "stages.yaml"
    files = [source / name for name in STAGES]
    target.write_text("\n---\n".join(file.read_text(encoding="utf-8") for file in files), encoding="utf-8")
    target.replace(KWOK.folder / "stages.yaml")


STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["actionlint"]:
                ensure(ACTIONLINT)
                print(ACTIONLINT.program("actionlint"))
            case ["prometheus"]:
                ensure(PROMETHEUS)
            case _:
                ensure(ETCD, KWOK, KUBERNETES, PULUMI)
    except Trouble as trouble:
        raise SystemExit(f"understudy: {trouble}") from None
