"""OpenSearch on the graph."""

from __future__ import annotations

import json

from tests.components.aws.platform import inputs, shipped

DOMAIN = inputs(shipped(), "opensearch/domain:Domain", "elasticsearch")


def test_three_nodes_in_three_zones_inside_the_network() -> None:
    assert DOMAIN["clusterConfig"]["instanceCount"] == 3
    assert DOMAIN["clusterConfig"]["zoneAwarenessConfig"] == {"availabilityZoneCount": 3}
    assert len(DOMAIN["vpcOptions"]["subnetIds"]) == 3


def test_tls_users_and_encryption() -> None:
    assert DOMAIN["domainEndpointOptions"]["tlsSecurityPolicy"] == "Policy-Min-TLS-1-2-PFS-2023-10"
    assert DOMAIN["nodeToNodeEncryption"]["enabled"] is DOMAIN["encryptAtRest"]["enabled"] is True
    users = DOMAIN["advancedSecurityOptions"]
    assert users["enabled"] is users["internalUserDatabaseEnabled"] is True
    assert list(users["masterUserOptions"]["masterUserPassword"]) == ["[secret]"]


def test_who_reaches_it_uses_its_paths_and_not_its_settings() -> None:
    [statement] = json.loads(DOMAIN["accessPolicies"])["Statement"]
    assert statement["Action"] == ["es:ESHttp*"]
    assert statement["Resource"] == ["arn:aws:es:us-east-1:444455556666:domain/quikapp-staging/*"]
