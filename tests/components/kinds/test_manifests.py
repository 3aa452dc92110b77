"""A user's own objects."""

from __future__ import annotations

from tests.components.graphs import inputs, node, recorded

OBJECTS = (
    "configuration:\n  data",
    """\
  extra:
    kind: manifests
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: extra, labels: {team: web}}
        data: {a: b}
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: extra}
        scale: [cpu]
        spec:
          replicas: 2
          template:
            spec:
              containers:
                - {name: c, resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}}
configuration:
  data""",
)


def test_objects_are_made_in_the_namespace_with_the_common_labels() -> None:
    body = inputs(recorded(OBJECTS), "ConfigMap", "extra-configmap-extra")
    assert body["metadata"]["namespace"] == "shop-staging"
    assert body["metadata"]["labels"]["team"] == "web"
    assert body["metadata"]["labels"]["understudy.dev/environment"] == "staging"
    assert body["data"] == {"a": "b"}


def test_they_scale_where_they_say_so_and_count_in_the_quota() -> None:
    nodes = recorded(OBJECTS)
    spec = inputs(nodes, "Deployment", "extra-deployment-extra")["spec"]
    assert spec["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "500m"
    assert inputs(nodes, "ResourceQuota", "quota")["spec"]["hard"]["pods"] == "14"


def test_they_use_the_environments_provider() -> None:
    assert node(recorded(OBJECTS), "Deployment", "extra-deployment-extra")["provider"].endswith("::cluster")
