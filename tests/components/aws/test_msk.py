"""MSK on the graph."""

from __future__ import annotations

from tests.components.aws.platform import inputs, names, shipped

STAGING, PRODUCTION = shipped(), shipped("production")
KAFKA = "msk/cluster:Cluster"


def test_a_broker_in_each_zone() -> None:
    brokers = inputs(STAGING, KAFKA, "kafka")
    assert brokers["numberOfBrokerNodes"] == len(brokers["brokerNodeGroupInfo"]["clientSubnets"]) == 3
    sizes = [
        inputs(nodes, KAFKA, "kafka")["brokerNodeGroupInfo"]["storageInfo"]["ebsStorageInfo"]["volumeSize"]
        for nodes in (STAGING, PRODUCTION)
    ]
    assert sizes == [512, 1024]


def test_nobody_speaks_plaintext() -> None:
    brokers = inputs(STAGING, KAFKA, "kafka")
    assert brokers["encryptionInfo"]["encryptionInTransit"] == {"clientBroker": "TLS", "inCluster": True}
    assert brokers["clientAuthentication"] == {"sasl": {"iam": True, "scram": True}, "unauthenticated": False}
    ports = {
        inputs(STAGING, ":SecurityGroupIngressRule", name)["fromPort"]
        for name in names(STAGING, ":SecurityGroupIngressRule")
        if name.startswith("kafka-")
    }
    assert ports == {9096, 9098}


def test_every_message_three_times_and_two_acknowledge() -> None:
    settings = inputs(STAGING, "msk/configuration:Configuration", "kafka")["serverProperties"].splitlines()
    assert "default.replication.factor=3" in settings
    assert "min.insync.replicas=2" in settings
    assert "unclean.leader.election.enable=false" in settings


def test_the_secret_has_the_prefix_that_msk_asks_for() -> None:
    assert inputs(STAGING, "secretsmanager/secret:Secret", "kafka")["name"] == "AmazonMSK_quikapp-staging-kafka"
