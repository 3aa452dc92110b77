"""The programs of the embedded default, built from their Go modules once; versions are those of ``tools/*/go.mod``."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
    files: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """File to the module and the files in it that it is put together from."""

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
        return all((self.folder / name).exists() for name in (*self.programs, *self.files))

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
    {
        # its own descriptions of how nodes and pods become ready
        "stages.yaml": (
            "sigs.k8s.io/kwok",
            tuple(
                f"kustomize/stage/{name}.yaml"
                for name in (
                    "node/fast/node-initialize",
                    "node/heartbeat-with-lease/node-heartbeat-with-lease",
                    "pod/fast/pod-ready",
                    "pod/fast/pod-complete",
                    "pod/fast/pod-delete",
                )
            ),
        )
    },
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
HELM = Module(
    "helm",
    "helm.sh/helm/v3",
    {"helm": "helm.sh/helm/v3/cmd/helm"},
    ("helm.sh/helm/v3/internal/version.version={version}",),
)
"""For the tests, which render the charts. Its go.mod requires what the Kubernetes provider's does: both compile the same."""
CRDS = Module(
    "crds",
    "istio.io/api",
    {},
    files={
        "base.yaml": ("istio.io/api", ("kubernetes/customresourcedefinitions.gen.yaml",)),
        "external-secrets.yaml": (
            "github.com/external-secrets/external-secrets",
            tuple(f"config/crds/bases/external-secrets.io_{name}.yaml" for name in ("externalsecrets", "secretstores")),
        ),
    },
)
"""Custom resource definitions by the Helm chart that brings them; nothing is built."""
CONTROL_PLANE = (ETCD, KUBERNETES, KWOK, CRDS)


def ensure(*modules: Module) -> None:
    """Builds what is missing, one module after the other (each build uses every core); raises ``Trouble``."""
    for module in (module for module in modules if not module.built()):
        _require_go()
        what = f"building {', '.join(module.programs)}" if module.programs else f"fetching {module.name}"
        with lock(module.folder), phase(f"{what} {module.version}"):
            if not module.built():
                _build(module)


def _require_go() -> None:
    if shutil.which("go") is None:
        raise Trouble(
            "Go is not installed; it builds the engine and the control plane (apt-get install golang, or go.dev)"
        )


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Makes the folder; two clones that share ``UNDERSTUDY_TOOLS`` do not make what is in it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
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
    for name, (source, parts) in module.files.items():
        folder = fetched(module, source)
        text = "\n---\n".join((folder / part).read_text(encoding="utf-8") for part in parts)
        (partial / name).write_text(text, encoding="utf-8")
        (partial / name).replace(module.folder / name)
    shutil.rmtree(partial)


def fetched(module: Module, source: str) -> Path:
    """Where Go keeps the module of that path, at the version that ``go.mod`` requires; raises ``Trouble``."""
    _require_go()
    command = ["go", "mod", "download", "-json", source]
    result = subprocess.run(command, cwd=MODULES / module.name, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Trouble(f"{source} could not be fetched:\n{result.stderr[-3000:]}{result.stdout[-1000:]}")
    return Path(json.loads(result.stdout)["Dir"])


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["actionlint"]:
                ensure(ACTIONLINT)
                print(ACTIONLINT.program("actionlint"))
            case ["helm"]:
                ensure(HELM)
            case ["prometheus"]:
                ensure(PROMETHEUS)
            case _:
                ensure(CRDS, ETCD, KWOK, KUBERNETES, PULUMI)
    except Trouble as trouble:
        raise SystemExit(f"understudy: {trouble}") from None
