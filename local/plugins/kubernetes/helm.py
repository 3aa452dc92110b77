"""Helm releases, recorded: charts come from a registry that is not to be had here, so little of them reaches the cluster.

Inputs, replacement and outputs are the official plugin's; ``Check`` refuses what it would refuse without the chart. What a
chart's custom resource definitions are is known from elsewhere (``local.tools.CRDS``), and they are really made: the API server
judges the objects of their kinds. Like Helm, a deletion leaves them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2
from ruamel.yaml import YAML

from ...tools import CRDS
from ..serve import fail
from ..values import UNKNOWN, read, write
from .client import ApiError
from .provider import Kubernetes

RELEASE = "kubernetes:helm.sh/v3:Release"
OWN = Path(__file__).parents[2] / "charts" / "aws-load-balancer-controller" / "crds"
"""Definitions whose module is not to be had."""
_REPLACES = ("name", "namespace")


def _is_release(urn: str) -> bool:
    return urn.split("::")[2].rpartition("$")[2] == RELEASE


class KubernetesAndHelm(Kubernetes):
    """Objects, and releases of charts."""

    def Check(self, request: Any, context: Any) -> Any:
        if not _is_release(request.urn):
            return super().Check(request, context)
        inputs, hidden = read(request.news)
        failures = [
            provider_pb2.CheckFailure(
                property=name, reason=f"{name} must be given: an unpinned chart is another one tomorrow"
            )
            for name in ("chart", "version")
            if not inputs.get(name)
        ]
        inputs.setdefault("name", request.urn.rpartition("::")[2])
        return provider_pb2.CheckResponse(inputs=write(inputs, hidden), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        if not _is_release(request.urn):
            return super().Diff(request, context)
        (old, _), (new, _) = read(request.old_inputs), read(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [key for key in changed if key in _REPLACES]
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces, deleteBeforeReplace=True)

    def Create(self, request: Any, context: Any) -> Any:
        if not _is_release(request.urn):
            return super().Create(request, context)
        inputs, hidden = read(request.properties)
        identity = "" if request.preview else f"{inputs.get('namespace', 'default')}/{inputs['name']}"
        if not request.preview:
            try:
                self._define(_chart(inputs))
            except (ApiError, httpx.TransportError) as error:
                return fail(context, f"the chart's custom resource definitions were refused: {error}")
        return provider_pb2.CreateResponse(
            id=identity, properties=write(_outputs(inputs, preview=request.preview), hidden)
        )

    def _define(self, chart: str) -> None:
        """The custom resource definitions that the chart brings."""
        for folder in (CRDS.folder, OWN):
            file = folder / f"{chart}.yaml"
            for body in YAML(typ="safe").load_all(file.read_text(encoding="utf-8")) if file.exists() else ():
                if body:
                    resource = self.client.resource(body["apiVersion"], body["kind"])
                    self.client.apply(resource, "", body, "helm", force=True, dry_run=False)

    def Read(self, request: Any, context: Any) -> Any:
        if not _is_release(request.urn):
            return super().Read(request, context)
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:
        if not _is_release(request.urn):
            return super().Update(request, context)
        inputs, hidden = read(request.news)
        return provider_pb2.UpdateResponse(properties=write(_outputs(inputs, preview=request.preview), hidden))

    def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty() if _is_release(request.urn) else super().Delete(request, context)


def _chart(inputs: dict[str, Any]) -> str:
    """Its name, without the repository."""
    return str(inputs.get("chart", "")).rpartition("/")[2].removesuffix(f"-{inputs.get('version')}.tgz")


def _outputs(inputs: dict[str, Any], *, preview: bool) -> dict[str, Any]:
    status = {
        "name": inputs.get("name"),
        "namespace": inputs.get("namespace", "default"),
        "chart": _chart(inputs),
        "version": inputs.get("version"),
        "status": "deployed",
        "revision": 1,
    }
    return {**inputs, "status": UNKNOWN if preview else status}
