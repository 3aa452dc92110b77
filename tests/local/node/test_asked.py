"""The images that objects ask for."""

from __future__ import annotations

from local.node.asked import images


def test_containers_and_init_containers_of_pods_and_templates() -> None:
    pod = {"kind": "Pod", "spec": {"containers": [{"image": "a:1"}], "initContainers": [{"image": "b:1"}]}}
    template = {"spec": {"containers": [{"image": "c:1"}, {"name": "without"}]}}
    job = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}}
    other = {"kind": "ConfigMap", "data": {"image": "d:1", "containers": "e:1"}}
    assert images([pod, job, other]) == {"a:1", "b:1", "c:1"}
