"""Helm releases on the stand-in: recorded, pinned, replaced by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from local.plugins.kubernetes.helm import RELEASE, KubernetesAndHelm
from local.plugins.values import read, write

URN = f"urn:pulumi:s::p::understudy:aws:Eks${RELEASE}::dns"
INPUTS = {"name": "dns", "namespace": "kube-system", "chart": "oci://r.example.com/charts/dns", "version": "1.2.3"}


def request(**values: Any) -> Any:
    structs = {key: write(item, set()) if isinstance(item, dict) else item for key, item in values.items()}
    return SimpleNamespace(urn=URN, **structs)


def test_a_release_is_pinned() -> None:
    provider = KubernetesAndHelm()
    assert not provider.Check(request(news=INPUTS), None).failures
    unpinned = provider.Check(request(news={"name": "dns", "chart": "dns"}), None)
    assert [failure.property for failure in unpinned.failures] == ["version"]


def test_it_is_made_changed_seen_and_gone() -> None:
    provider = KubernetesAndHelm()
    preview = provider.Create(request(properties=INPUTS, preview=True), None)
    assert preview.id == ""
    made = provider.Create(request(properties=INPUTS, preview=False), None)
    outputs, _ = read(made.properties)
    assert made.id == "kube-system/dns"
    assert outputs["status"] | {"revision": 1} == outputs["status"]
    assert (outputs["status"]["chart"], outputs["status"]["status"]) == ("dns", "deployed")
    newer = {**INPUTS, "version": "1.2.4"}
    changed = provider.Diff(request(old_inputs=INPUTS, news=newer), None)
    assert (list(changed.diffs), list(changed.replaces)) == (["version"], [])
    moved = provider.Diff(request(old_inputs=INPUTS, news={**INPUTS, "namespace": "x"}), None)
    assert list(moved.replaces) == ["namespace"]
    updated, _ = read(provider.Update(request(news=newer, preview=False), None).properties)
    assert updated["status"]["version"] == "1.2.4"
    assert provider.Read(request(id="kube-system/dns", properties=INPUTS, inputs=INPUTS), None).id == "kube-system/dns"
    assert provider.Delete(request(), None) is not None


class Cluster:
    """Writes down what is applied to it."""

    def __init__(self) -> None:
        self.applied: list[str] = []

    def resource(self, version: str, kind: str) -> str:
        assert (version, kind) == ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        return kind

    def apply(self, resource: str, namespace: str, body: Any, manager: str, *, force: bool, dry_run: bool) -> Any:
        assert (resource, namespace, manager, force, dry_run) == ("CustomResourceDefinition", "", "helm", True, False)
        self.applied.append(body["metadata"]["name"])
        return body


def test_the_charts_own_definitions_are_really_made(monkeypatch: Any) -> None:
    provider, cluster = KubernetesAndHelm(), Cluster()
    monkeypatch.setattr(KubernetesAndHelm, "client", cluster)
    chart = {**INPUTS, "chart": "oci://r.example.com/charts/aws-load-balancer-controller"}
    provider.Create(request(properties=chart, preview=True), None)
    assert cluster.applied == []
    provider.Create(request(properties=chart, preview=False), None)
    assert cluster.applied == ["targetgroupbindings.elbv2.k8s.aws"]
    provider.Create(request(properties=INPUTS, preview=False), None)
    assert len(cluster.applied) == 1
