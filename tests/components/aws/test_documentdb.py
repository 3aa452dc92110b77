"""DocumentDB on the graph."""

from __future__ import annotations

from tests.components.aws.platform import inputs, shipped

STAGING, PRODUCTION = shipped(), shipped("production")


def test_three_members_in_three_zones() -> None:
    members = [inputs(STAGING, "docdb/clusterInstance:ClusterInstance", f"mongodb-{index}") for index in (1, 2, 3)]
    assert {member["availabilityZone"] for member in members} == {"us-east-1a", "us-east-1b", "us-east-1c"}
    assert {member["instanceClass"] for member in members} == {"db.r6g.xlarge"}


def test_tls_audit_and_a_password_of_awss() -> None:
    group = inputs(STAGING, "docdb/clusterParameterGroup:ClusterParameterGroup", "mongodb")
    assert {p["name"]: p["value"] for p in group["parameters"]}["tls"] == "enabled"
    cluster = inputs(STAGING, "docdb/cluster:Cluster", "mongodb")
    assert cluster["enabledCloudwatchLogsExports"] == ["audit", "profiler"]
    assert cluster["manageMasterUserPassword"] is cluster["storageEncrypted"] is True
    assert cluster["clusterIdentifier"] == "quikapp-staging-docdb"
    assert inputs(PRODUCTION, "docdb/cluster:Cluster", "mongodb")["deletionProtection"] is True
