"""A task of one's own on a schedule."""

from __future__ import annotations

from tests.components.graphs import inputs, recorded

CLEANUP = """  cleanup:
    kind: cronjob
    image: registry.example.com/web
    command: [clean, up]
    schedule: "30 4 * * *"
    startWithin: 10m
    history: 2
    timeout: 15m
    retries: 0
    keep: 1d
    uses: [db]
    configuration: [QUEUE]
    resources:
      requests: {cpu: 100m, memory: 128Mi}
      limits: {cpu: 200m, memory: 256Mi}
  db:
"""
NODES = recorded(("  db:\n", CLEANUP))


def test_it_runs_as_declared() -> None:
    spec = inputs(NODES, "CronJob", "cleanup")["spec"]
    assert (spec["schedule"], spec["startingDeadlineSeconds"], spec["successfulJobsHistoryLimit"]) == (
        "30 4 * * *",
        600,
        2,
    )
    job = spec["jobTemplate"]["spec"]
    assert (job["backoffLimit"], job["activeDeadlineSeconds"], job["ttlSecondsAfterFinished"]) == (0, 900, 86400)


def test_its_pods_are_wired_like_a_services() -> None:
    template = inputs(NODES, "CronJob", "cleanup")["spec"]["jobTemplate"]["spec"]["template"]
    [container] = template["spec"]["containers"]
    assert container["image"] == "registry.example.com/web:1.2.3"
    assert container["command"] == ["clean", "up"]
    env = {entry["name"]: entry for entry in container["env"]}
    assert env["DB_HOST"]["value"] == "db.shop-staging.svc.cluster.local"
    assert env["QUEUE"]["valueFrom"]["configMapKeyRef"]["key"] == "QUEUE"
    assert env["DB_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "app", "key": "db"}
    assert template["spec"]["serviceAccountName"] == "cleanup"


def test_the_network_and_the_quota_know_it() -> None:
    assert inputs(NODES, "NetworkPolicy", "cleanup-network")["spec"]["egress"]
    hard = inputs(NODES, "ResourceQuota", "quota")["spec"]["hard"]
    without = inputs(recorded(), "ResourceQuota", "quota")["spec"]["hard"]
    assert int(hard["pods"]) == int(without["pods"]) + 1
