"""Managed stores survive the failure of a zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...references import fsbp
from ...rule import Rule
from ...settings import Setting, is_, least, settings


def _several(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 1


_ONE = "the failure of one zone is a complete failure"

RULE = Rule(
    id="aws-availability",
    description="Managed stores stand in several zones, and fail over by themselves.",
    severity="high",
    remediation="Declare nodes for several zones; staging keeps production's topology.",
    check=settings(
        {
            "aws:rds/cluster:Cluster": [Setting(("availabilityZones",), _several, _ONE)],
            "aws:docdb/cluster:Cluster": [Setting(("availabilityZones",), _several, _ONE)],
            "aws:rds/subnetGroup:SubnetGroup": [Setting(("subnetIds",), _several, _ONE)],
            "aws:docdb/subnetGroup:SubnetGroup": [Setting(("subnetIds",), _several, _ONE)],
            "aws:elasticache/subnetGroup:SubnetGroup": [Setting(("subnetIds",), _several, _ONE)],
            "aws:elasticache/replicationGroup:ReplicationGroup": [
                Setting(("multiAzEnabled",), is_(True), _ONE),
                Setting(("automaticFailoverEnabled",), is_(True), "a failed primary is not replaced"),
                Setting(("replicasPerNodeGroup",), least(1), "a failed primary cannot be replaced"),
            ],
            "aws:msk/cluster:Cluster": [
                Setting(
                    ("numberOfBrokerNodes",), least(3), "fewer than three brokers: min.insync.replicas 2 cannot hold"
                ),
                Setting(("brokerNodeGroupInfo", "clientSubnets"), _several, _ONE),
            ],
            "aws:opensearch/domain:Domain": [
                Setting(("clusterConfig", "instanceCount"), least(3), "fewer than three data nodes"),
                Setting(("clusterConfig", "zoneAwarenessEnabled"), is_(True), _ONE),
            ],
        }
    ),
    references=(
        fsbp("RDS.15", "RDS DB clusters should be configured for multiple Availability Zones"),
        fsbp("ElastiCache.3", "ElastiCache replication groups should have automatic failover enabled"),
        fsbp("Opensearch.6", "OpenSearch domains should have at least three data nodes"),
    ),
)
