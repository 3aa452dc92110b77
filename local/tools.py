"""The programs of the embedded default, built from their Go modules once; versions are those of ``tools/*/go.mod``."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version

from config.errors import ExternalError

from .builds import Module, ensure

_TYPED_KIND = re.compile(r"var res (?!apiextensions\.)\w+\.\w+$", re.MULTILINE)
_IMPORT_OF_A_GROUP = re.compile(r'^\t\w+ "github\.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/.*\n', re.MULTILINE)


def without_typed_kinds(source: str) -> str:
    """Returns the provider's ``kinds.go`` with one Go type for all Kubernetes kinds; Pulumi's type tokens do not change.

    The file registers the resources of the provider's own component resources (``yaml.v2.ConfigGroup``,
    ``helm.v4.Chart``). Only this file needs the SDK's 63 packages of Kubernetes types, which are a quarter of the
    plugin's source.
    """
    return _IMPORT_OF_A_GROUP.sub("", _TYPED_KIND.sub("var res apiextensions.CustomResource", source))


PULUMI = Module(
    "pulumi",
    "github.com/pulumi/pulumi/pkg/v3",
    {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    ("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={number}",),
    order=3,
)
PULUMI_KUBERNETES = Module(
    "pulumi-kubernetes",
    "github.com/pulumi/pulumi-kubernetes/provider/v4",
    {"pulumi-resource-kubernetes": "./pulumi-resource-kubernetes"},
    # the engine accepts a plugin only with the SDK's version
    (f"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version={version('pulumi-kubernetes')}",),
    source="pulumi",
    embedded={
        f"pulumi-resource-kubernetes/{name}.json": f"cmd/pulumi-resource-kubernetes/{name}.json"
        for name in ("schema", "terraform-mapping")
    },
    order=2,
    rewritten={
        "go/kubernetes/yaml/v2/kinds.go": ("github.com/pulumi/pulumi-kubernetes/sdk/v4", without_typed_kinds),
    },
)
"""The official provider plugin."""
ETCD = Module("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}, source="kubernetes")
KWOK = Module(
    "kwok",
    "sigs.k8s.io/kwok",
    {"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    ("sigs.k8s.io/kwok/pkg/consts.Version={version}",),
    {
        # its own descriptions of the readiness of nodes and pods
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
    source="kubernetes",
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
    order=1,
)
NODE = Module(
    "node",
    "k8s.io/kubernetes",
    {
        "kubelet": "k8s.io/kubernetes/cmd/kubelet",
        "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
        "coredns": "./coredns",
    },
    KUBERNETES.stamp,
    source="kubernetes",
)
"""Programs of a node that runs pods, in addition to containerd."""
ACTIONLINT = Module(
    "actionlint", "github.com/rhysd/actionlint", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"}
)
"""The linter of GitHub's workflows, for ``make lint``."""
PROMETHEUS = Module(
    "prometheus",
    "github.com/prometheus/prometheus",
    {name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")},
    ("github.com/prometheus/common/version.Version={number}",),
)
"""For the tests and the images: Debian's build lacks Kubernetes' service discovery. The module's v0.53 is Prometheus 2.53."""
HELM = Module(
    "helm",
    "helm.sh/helm/v3",
    {"helm": "helm.sh/helm/v3/cmd/helm"},
    ("helm.sh/helm/v3/internal/version.version={version}",),
)
"""For the tests, which render the charts.

Its go.mod has the requirements of the Kubernetes provider, so both compile the same packages.
"""
CONTROL_PLANE = (KUBERNETES, ETCD, KWOK)
"""Programs of the local control plane; their go.mod also holds a node's, so that all share compiled packages."""


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
                ensure(PULUMI_KUBERNETES, PULUMI, *CONTROL_PLANE)
    except ExternalError as trouble:
        raise SystemExit(f"understudy: {trouble}") from None
