"""A cluster in memory that lacks nothing, to take something from; and what the small system needs of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from config.derivation.derive import derive
from doctor.cluster import Access, Forbidden, Object, Served
from doctor.needs import Needs, Pin
from tests.components.graphs import recorded
from tests.systems import WATCHED, system

AUTHORITY = "ab" * 32
NODES = "/api/v1/nodes"


@cache
def needs(*replacements: tuple[str, str], pin: Pin = Pin(AUTHORITY)) -> Needs:  # noqa: B008 - it is frozen
    """Of the small system's staging, with metrics, alerts and logs."""
    pieces = (*WATCHED, *replacements)
    return Needs(derive(system(*pieces), "staging")[0], recorded(*pieces), "shop.yaml", pin)


@dataclass
class FakeCluster:
    """Answers from ``lists`` and ``objects``, by path."""

    context: str = "fake"
    said: str = "v1.36.3"
    ca: str | None = AUTHORITY
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    kinds: dict[str, dict[str, Served]] = field(default_factory=dict)
    metrics: str = "pod_security_evaluations_total 0\n"
    denied: set[tuple[str, str]] = field(default_factory=set)
    """Verb and resource of what the caller may not do."""
    secret: set[str] = field(default_factory=set)
    """Paths that the caller may not read."""
    asked: list[Access] = field(default_factory=list)

    def _readable(self, path: str) -> None:
        if path in self.secret:
            raise Forbidden(path)

    def version(self) -> str:
        return self.said

    def authority(self) -> str | None:
        return self.ca

    def one(self, path: str) -> Object | None:
        self._readable(path)
        return self.objects.get(path)

    def items(self, path: str, selector: str = "") -> Sequence[Object]:
        self._readable(path)
        wanted = [pair.split("=") for pair in selector.split(",") if pair]
        found = self.lists.get(path, [])
        return [i for i in found if all(i["metadata"].get("labels", {}).get(key) == value for key, value in wanted)]

    def served(self, api_version: str) -> Mapping[str, Served]:
        return self.kinds.get(api_version, {})

    def text(self, path: str) -> str:
        self._readable(path)
        return self.metrics

    def allowed(self, wanted: Sequence[Access]) -> Sequence[bool]:
        self.asked += wanted
        return [(access.verb, access.resource) not in self.denied for access in wanted]


def node(index: int) -> dict[str, Any]:
    return {
        "metadata": {"name": f"n{index}", "labels": {"topology.kubernetes.io/zone": f"z{index}"}},
        "spec": {},
        "status": {
            "allocatable": {"cpu": "3920m", "memory": "16393212Ki", "pods": "110"},
            "addresses": [{"type": "InternalIP", "address": f"10.1.8.{index + 1}"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": "v1.36.3"},
        },
    }


def daemon(name: str, *arguments: str, image: str = "r.example.com/x:1") -> dict[str, Any]:
    container = {"name": "x", "image": image, "args": list(arguments)}
    return {"metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [container]}}}}


def healthy(wanted: Needs) -> FakeCluster:
    """Has all that the environment needs."""
    kinds: dict[str, dict[str, Served]] = {}
    for body in wanted.objects:
        served = Served(f"{body['kind'].lower()}s", "namespace" in body["metadata"])
        kinds.setdefault(body["apiVersion"], {})[body["kind"]] = served
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return FakeCluster(
        kinds=kinds,
        objects={
            "/api/v1/namespaces/kube-system": {"metadata": {"uid": "kube-system-uid"}},
            "/api/v1/namespaces/default/services/kubernetes": {
                "spec": {"clusterIP": "10.1.0.1", "ports": [{"port": 443}]}
            },
        },
        lists={
            NODES: [node(index) for index in range(5)],
            "/api/v1/namespaces/kube-system/pods": [
                {"metadata": {"name": "coredns", "labels": {"k8s-app": "kube-dns"}}, "status": {"phase": "Running"}}
            ],
            "/apis/storage.k8s.io/v1/storageclasses": [
                {
                    "metadata": {"name": "fast", "annotations": default},
                    "allowVolumeExpansion": True,
                    "volumeBindingMode": "WaitForFirstConsumer",
                }
            ],
            "/apis/apiregistration.k8s.io/v1/apiservices": [
                {
                    "metadata": {"name": "v1beta1.metrics.k8s.io"},
                    "spec": {"group": "metrics.k8s.io"},
                    "status": {"conditions": [{"type": "Available", "status": "True"}]},
                }
            ],
            "/apis/apps/v1/daemonsets": [daemon("calico-node")],
            "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices": [
                {
                    "metadata": {"labels": {"kubernetes.io/service-name": "kubernetes"}},
                    "endpoints": [{"addresses": ["10.1.0.1"]}],
                    "ports": [{"port": 6443}],
                }
            ],
            "/apis/networking.k8s.io/v1/servicecidrs": [{"spec": {"cidrs": ["10.1.0.0/24"]}}],
        },
    )
