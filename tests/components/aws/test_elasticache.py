"""ElastiCache on the graph."""

from __future__ import annotations

from tests.components.aws.platform import inputs, shipped

STAGING = shipped()


def test_one_shard_of_three_nodes_that_fail_over() -> None:
    cache = inputs(STAGING, ":ReplicationGroup", "redis")
    assert (cache["numNodeGroups"], cache["replicasPerNodeGroup"]) == (1, 2)
    assert cache["multiAzEnabled"] is cache["automaticFailoverEnabled"] is True
    settings = inputs(STAGING, "elasticache/parameterGroup:ParameterGroup", "redis")
    assert settings["parameters"] == [{"name": "cluster-enabled", "value": "yes"}]


def test_tls_and_a_password_that_is_secret() -> None:
    cache = inputs(STAGING, ":ReplicationGroup", "redis")
    assert cache["transitEncryptionMode"] == "required"
    assert list(cache["authToken"]) == ["[secret]"]
    version = inputs(STAGING, ":SecretVersion", "redis")
    assert list(version["secretString"]) == ["[secret]"]
