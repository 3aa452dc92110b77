"""Prometheus: scrapes the components' metrics and evaluates the rules that they contribute."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from components.core.backend import Backend, Pod
from components.core.configuration import checksum
from components.core.object_factory import Depends
from components.core.rendered import as_yaml
from config.derivation.mesh_topology import mesh
from config.kinds import Prometheus as Declared

from .configuration import CERTIFICATES, RULES, configuration
from .rules import rules

UID = 65534
"""User ID of ``nobody`` in the official image."""
CONFIG, DATA = "/etc/prometheus/config", "/prometheus"
_KEPT = 9
"""Share of the volume for samples, in tenths; the rest is for the write-ahead log and compaction."""
_LEVELS = {"warning": "warn"}
"""Log levels whose names differ in Prometheus."""


def rights() -> tuple[list[Any], list[Any]]:
    """Returns rights to pods of the namespace, nodes and kubelet metrics.

    ``nodes/proxy`` is not among them: it permits commands in all pods.
    """
    see = ["get", "list", "watch"]
    return (
        [{"apiGroups": [""], "resources": ["pods"], "verbs": see}],
        [
            {"apiGroups": [""], "resources": ["nodes"], "verbs": see},
            {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        ],
    )


def arguments(prometheus: Declared) -> list[str]:
    """Returns its flags (https://prometheus.io/docs/prometheus/2.53/command-line/prometheus/)."""
    return [
        f"--config.file={CONFIG}/prometheus.yml",
        f"--storage.tsdb.path={DATA}",
        f"--storage.tsdb.retention.time={prometheus.retention}",
        f"--storage.tsdb.retention.size={int(prometheus.storage.value * _KEPT // 10)}B",
        f"--log.level={_LEVELS.get(prometheus.log_level, prometheus.log_level)}",
        "--web.enable-lifecycle",  # permits POST /-/reload
    ]


class Prometheus(Backend):
    """The rules of each component are a separate ConfigMap, mounted side by side."""

    resource_type = "understudy:prometheus:Prometheus"
    component: Declared

    def before(self) -> Depends:
        objects = [*self.objects.rights(*rights())]
        for key, text in self._rules.items():
            objects.append(self.objects.files(f"{self.name}-rules-{key}", {f"{key}.yml": text}))
        return objects

    @cached_property
    def _rules(self) -> dict[str, str]:
        """Returns component to its rule file."""
        brought = self.context.monitoring.items()
        files = {key: rules(key, monitoring, self.component.runbooks) for key, monitoring in brought}
        return {key: as_yaml(file) for key, file in files.items() if file}

    def pod(self) -> Pod:
        prometheus, texts = self.component, self._rules
        file = configuration(self.name, prometheus, self.resolved, self.context.monitoring)
        watched = [
            key
            for key, monitoring in self.context.monitoring.items()
            if monitoring.target and monitoring.target.authority
        ]
        sources = [{"configMap": {"name": f"{self.name}-rules-{key}"}} for key in texts]
        meshed = mesh(self.resolved) is not None
        kept = {"name": "mesh-certificates", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
        place = {"name": "mesh-certificates", "mountPath": CERTIFICATES, "readOnly": True}
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/-/ready", "port": "http"}},
            alive={"httpGet": {"path": "/-/healthy", "port": "http"}},
            args=arguments(prometheus),
            files={"prometheus.yml": as_yaml(file)},
            config=CONFIG,
            data=DATA,
            trust=watched,
            volumes=[{"name": "rules", "projected": {"sources": sources}}, *([kept] if meshed else [])],
            mounts=[{"name": "rules", "mountPath": RULES, "readOnly": True}, *([place] if meshed else [])],
            digested=checksum(texts),
            slow=True,
            grace=120,  # time to write the head block's chunks and the write-ahead log
        )

    def annotations(self) -> dict[str, Any]:
        """In a mesh it uses its proxy's certificate but not the proxy, because it scrapes pods and not services."""
        if mesh(self.resolved) is None:
            return {}
        written = "/etc/istio-output-certs"
        return {
            "proxy.istio.io/config": f"proxyMetadata:\n  OUTPUT_CERTS: {written}\n",
            "sidecar.istio.io/userVolumeMount": json.dumps([{"name": "mesh-certificates", "mountPath": written}]),
            "traffic.sidecar.istio.io/includeOutboundIPRanges": "",
        }
