"""Encryption at rest of stores, volumes and cluster secrets, and TLS in transit."""

from __future__ import annotations

from ...references import fsbp
from ...rule import Rule
from ...settings import Setting, given, is_, one_of, settings

_AT_REST, _PLAIN = "it is not encrypted at rest", "it speaks without TLS"
_TLS = ("Policy-Min-TLS-1-2-2019-07", "Policy-Min-TLS-1-2-PFS-2023-10")

RULE = Rule(
    id="aws-encryption",
    description="Stores, volumes and the cluster's secrets are encrypted at rest; everything on AWS speaks TLS 1.2 at least.",
    severity="high",
    remediation="Encrypt the storage with the component's key; take plaintext listeners and TLS 1.0 away.",
    check=settings(
        {
            "aws:rds/cluster:Cluster": [Setting(("storageEncrypted",), is_(True), _AT_REST)],
            "aws:rds/instance:Instance": [Setting(("storageEncrypted",), is_(True), _AT_REST)],
            "aws:docdb/cluster:Cluster": [Setting(("storageEncrypted",), is_(True), _AT_REST)],
            "aws:ebs/volume:Volume": [Setting(("encrypted",), is_(True), _AT_REST)],
            "aws:ec2/launchTemplate:LaunchTemplate": [
                Setting(("blockDeviceMappings", 0, "ebs", "encrypted"), one_of("true", True), _AT_REST)
            ],
            "aws:elasticache/replicationGroup:ReplicationGroup": [
                Setting(("atRestEncryptionEnabled",), is_(True), _AT_REST),
                Setting(("transitEncryptionEnabled",), is_(True), _PLAIN),
                Setting(("transitEncryptionMode",), one_of(None, "required"), _PLAIN),
            ],
            "aws:msk/cluster:Cluster": [
                Setting(("encryptionInfo", "encryptionAtRestKmsKeyArn"), given, _AT_REST),
                Setting(("encryptionInfo", "encryptionInTransit", "clientBroker"), is_("TLS"), _PLAIN),
                Setting(("encryptionInfo", "encryptionInTransit", "inCluster"), is_(True), _PLAIN),
            ],
            "aws:opensearch/domain:Domain": [
                Setting(("encryptAtRest", "enabled"), is_(True), _AT_REST),
                Setting(("nodeToNodeEncryption", "enabled"), is_(True), _PLAIN),
                Setting(("domainEndpointOptions", "enforceHttps"), is_(True), _PLAIN),
                Setting(("domainEndpointOptions", "tlsSecurityPolicy"), one_of(*_TLS), "it takes TLS below 1.2"),
            ],
            "aws:eks/cluster:Cluster": [
                Setting(("encryptionConfig", "provider", "keyArn"), given, "its secrets have no key of their own")
            ],
            "aws:cloudfront/distribution:Distribution": [
                Setting(
                    ("defaultCacheBehavior", "viewerProtocolPolicy"),
                    one_of("redirect-to-https", "https-only"),
                    _PLAIN,
                ),
                Setting(
                    ("viewerCertificate", "minimumProtocolVersion"),
                    one_of("TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"),
                    "it takes TLS below 1.2",
                ),
            ],
            "kubernetes:storage.k8s.io/v1:StorageClass": [
                Setting(("parameters", "encrypted"), is_("true"), "volumes of the class are not encrypted")
            ],
        }
    ),
    references=(
        fsbp("RDS.27", "RDS DB clusters should be encrypted at rest"),
        fsbp("DocumentDB.1", "Amazon DocumentDB clusters should be encrypted at rest"),
        fsbp("ElastiCache.4", "ElastiCache replication groups should be encrypted at rest"),
        fsbp("ElastiCache.5", "ElastiCache replication groups should be encrypted in transit"),
        fsbp("MSK.1", "MSK clusters should be encrypted in transit among broker nodes"),
        fsbp("Opensearch.1", "OpenSearch domains should have encryption at rest enabled"),
        fsbp("Opensearch.3", "OpenSearch domains should encrypt data sent between nodes"),
        fsbp(
            "Opensearch.8", "Connections to OpenSearch domains should be encrypted using the latest TLS security policy"
        ),
        fsbp("EKS.3", "EKS clusters should use encrypted Kubernetes secrets"),
        fsbp("CloudFront.3", "CloudFront distributions should require encryption in transit"),
    ),
)
