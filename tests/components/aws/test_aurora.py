"""Aurora on the graph."""

from __future__ import annotations

import pytest

from components.aws.aurora import family
from tests.components.aws.platform import changed, inputs, names, node, refers, shipped

STAGING, PRODUCTION = shipped(), shipped("production")
CLUSTER, MEMBER = "rds/cluster:Cluster", "rds/clusterInstance:ClusterInstance"


@pytest.mark.parametrize(
    ("engine", "version", "group"),
    [("postgresql", "16.6", "aurora-postgresql16"), ("mysql", "8.0.mysql_aurora.3.08.2", "aurora-mysql8.0")],
)
def test_the_parameter_group_is_of_the_engines_family(engine: str, version: str, group: str) -> None:
    assert family(engine, version) == group


@pytest.mark.parametrize("name", ["postgres", "mysql"])
def test_a_writer_and_a_reader_in_two_zones(name: str) -> None:
    members = [inputs(STAGING, MEMBER, f"{name}-{index}") for index in (1, 2)]
    assert [member["availabilityZone"] for member in members] == ["us-east-1a", "us-east-1b"]
    assert {member["instanceClass"] for member in members} == {"db.r6g.xlarge"}
    assert all(member["performanceInsightsEnabled"] for member in members)
    assert {m for m in names(STAGING, MEMBER) if m.startswith(name)} == {f"{name}-1", f"{name}-2"}


@pytest.mark.parametrize(("name", "setting"), [("postgres", "rds.force_ssl"), ("mysql", "require_secure_transport")])
def test_tls_is_required(name: str, setting: str) -> None:
    parameters = inputs(STAGING, "rds/clusterParameterGroup:ClusterParameterGroup", name)["parameters"]
    assert {p["name"]: p["value"] for p in parameters}[setting] in ("1", "ON")


def test_production_keeps_more_and_lets_nobody_delete_it() -> None:
    staging, production = (inputs(nodes, CLUSTER, "postgres") for nodes in (STAGING, PRODUCTION))
    assert (staging["backupRetentionPeriod"], production["backupRetentionPeriod"]) == (15, 30)
    assert (staging["deletionProtection"], production["deletionProtection"]) == (False, True)
    assert (staging["skipFinalSnapshot"], production["skipFinalSnapshot"]) == (True, False)
    assert production["finalSnapshotIdentifier"] == "quikapp-production-final"


def test_the_password_is_aws_own_and_everything_is_under_the_components_key() -> None:
    cluster = inputs(STAGING, CLUSTER, "postgres")
    assert cluster["manageMasterUserPassword"] is True
    assert "masterPassword" not in cluster
    for field in ("kmsKeyId", "masterUserSecretKmsKeyId"):
        assert refers(cluster[field], "kms/key:Key", "postgres")


def test_only_the_cluster_reaches_it() -> None:
    [rule] = [
        n["inputs"] for n in STAGING if n["type"].endswith(":SecurityGroupIngressRule") and n["name"] == "postgres-sql"
    ]
    assert refers(rule["referencedSecurityGroupId"], "eks/cluster:Cluster", "cluster")
    assert (rule["fromPort"], rule["toPort"]) == (5432, 5432)


def test_a_store_is_guarded_until_the_stack_says_otherwise() -> None:
    assert node(STAGING, CLUSTER, "postgres")["protect"] is True
    meant = changed(stack='{"unprotected": ["postgres"]}')
    assert node(meant, CLUSTER, "postgres")["protect"] is False
    assert node(meant, CLUSTER, "mysql")["protect"] is True
    everything = changed(stack='{"unprotected": ["*"]}')
    assert not any(n["protect"] for n in everything)


def test_another_major_version_has_to_be_allowed() -> None:
    assert inputs(STAGING, CLUSTER, "postgres")["allowMajorVersionUpgrade"] is False
    meant = changed(
        ("    database: quikapp\n\n  mysql", "    database: quikapp\n    allowMajorVersionUpgrade: true\n\n  mysql")
    )
    assert inputs(meant, CLUSTER, "postgres")["allowMajorVersionUpgrade"] is True
