"""PostgreSQL as objects; what its configuration does is shown in test_postgresql_server.py."""

from __future__ import annotations

from tests.components.graphs import inputs, node, recorded

STANDBY = (
    ("    database: shop_{environment}\n", "    database: shop_{environment}\n    nodes: 2\n"),
    ("    storage: 20Gi\n", "    storage: 20Gi\n    backup: {schedule: 15 3 * * *, storage: 40Gi, keep: 3}\n"),
)


def test_one_node() -> None:
    nodes = recorded()
    spec = inputs(nodes, "StatefulSet", "db")["spec"]
    assert spec["replicas"] == 1
    server, exporter = spec["template"]["spec"]["containers"]
    assert server["image"] == "postgres:16.4"
    assert server["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert exporter["ports"][0]["containerPort"] == 9187
    assert inputs(nodes, "PersistentVolumeClaim", "data-db-0")["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert not [n for n in nodes if n["type"].endswith(":CronJob") or "standby" in n["name"]]


def test_clients_reach_the_primary() -> None:
    selected = inputs(recorded(*STANDBY), "Service", "db")["spec"]["selector"]
    assert selected["statefulset.kubernetes.io/pod-name"] == "db-0"
    standby = inputs(recorded(*STANDBY), "Service", "db-standby")["spec"]["selector"]
    assert standby["statefulset.kubernetes.io/pod-name"] == "db-1"


def test_a_standby_is_set_up_beside_the_primary() -> None:
    """Its pod is not Ready before the Job made its role and its slot, so neither waits for the other."""
    nodes = recorded(*STANDBY)
    job, members = node(nodes, "Job", "db-setup"), node(nodes, "StatefulSet", "db")
    assert job["urn"] not in members["depends_on"]
    assert members["urn"] not in job["depends_on"]
    assert "pg_create_physical_replication_slot" in inputs(nodes, "ConfigMap", "db")["data"]["server.sql"]
    [web] = [n for n in nodes if n["type"] == "understudy:service:Service" and n["name"] == "web"]
    assert {job["urn"], members["urn"]} <= set(web["depends_on"])


def test_backups_run_where_the_primarys_archive_is() -> None:
    nodes = recorded(*STANDBY)
    spec = inputs(nodes, "CronJob", "db-backup")["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("15 3 * * *", "Forbid")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    [claimed] = [
        volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume
    ]
    assert claimed == "archive-db-0"
    [term] = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"]["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert {n["name"] for n in nodes if n["type"].endswith(":PersistentVolumeClaim")} == {
        "data-db-0",
        "data-db-1",
        "archive-db-0",
        "archive-db-1",
    }
    hard = inputs(nodes, "ResourceQuota", "quota")["spec"]["hard"]
    assert (hard["persistentvolumeclaims"], hard["requests.storage"]) == ("4", "30Gi")


def test_a_standby_starts_anew_with_a_rotation() -> None:
    """It would sign in with the old password when its connection ends."""
    templates = [inputs(recorded(*STANDBY, rotation=n), "StatefulSet", "db")["spec"]["template"] for n in (1, 2)]
    assert templates[0]["metadata"]["annotations"] != templates[1]["metadata"]["annotations"]
    assert templates[0]["spec"] == templates[1]["spec"]


def test_a_rotation_runs_the_setup_again_and_leaves_the_pods_alone() -> None:
    first, second = recorded(), recorded(rotation=2)
    names = [inputs(nodes, "Job", "db-setup")["metadata"]["name"] for nodes in (first, second)]
    assert names[0] != names[1]
    assert inputs(first, "StatefulSet", "db") == inputs(second, "StatefulSet", "db")
    assert inputs(first, "Deployment", "web") != inputs(second, "Deployment", "web")


def test_no_password_is_in_what_the_pods_read() -> None:
    data = inputs(recorded(*STANDBY), "ConfigMap", "db")["data"]
    assert set(data) == {
        *("postgresql.conf", "pg_hba.conf", "pg_ident.conf", "server.sql", "database.sql"),
        *("start.sh", "ready.sh", "stop.sh", "connect.sh", "setup.sh", "archive.sh", "backup.sh"),
    }
    assert "\\getenv password PASSWORD" in data["server.sql"]
    assert "trust" not in data["pg_hba.conf"]
