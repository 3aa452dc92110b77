"""For every rule on AWS the ways to break it, on the graph of QuikApp's platform."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.fixtures import Nodes, Spoil, added, change, find, without

Cases = dict[str, list[tuple[str, list[Spoil]]]]
ENV = "Environment"
RDS, INSTANCE, REDIS, KAFKA, SEARCH = "Cluster", "ClusterInstance", "ReplicationGroup", "Cluster", "Domain"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
OTHER = "999988887777"


def typed(type_: str, name: str, path: str, value: Any = None, *, gone: bool = False) -> Spoil:
    """``change`` where several types have one kind and name."""

    def spoil(nodes: Nodes) -> None:
        node = next(n for n in nodes if n["type"] == type_ and n["name"] == name)
        target = node["inputs"]
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in parents:
            target = target[part]
        if gone:
            del target[last]
        else:
            target[last] = value

    return spoil


def policy(kind: str, name: str, field: str, **entry: Any) -> Spoil:
    """One more statement in an IAM policy."""

    def spoil(nodes: Nodes) -> None:
        inputs = find(nodes, kind, name)["inputs"]
        document = json.loads(inputs[field])
        document["Statement"].append({"Effect": "Allow", **entry})
        inputs[field] = json.dumps(document)

    return spoil


def open_to(network: str, port: int) -> dict[str, Any]:
    return {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIpv4": network}


SQL, DOCUMENTS, EVENTS = "aws:rds/cluster:Cluster", "aws:docdb/cluster:Cluster", "aws:msk/cluster:Cluster"
EKS, MEMBER = "aws:eks/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"
REPLICATION, DOMAIN = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:opensearch/domain:Domain"
BLOCK, DISTRIBUTION = "BucketPublicAccessBlock", "Distribution"

AWS_PASSES: Cases = {
    "aws-exposure": [
        ("everybody at the load balancer", [added(RULE, "x", open_to("0.0.0.0/0", 443))]),
        ("an office at any port", [added(RULE, "x", open_to("203.0.113.0/28", 22))]),
        ("an API inside only", [typed(EKS, "cluster", "vpcConfig/endpointPublicAccess", False), typed(EKS, "cluster", "vpcConfig/publicAccessCidrs", gone=True)]),
    ],
    "aws-access": [
        ("a role of the account itself", [policy("BucketPolicy", "uploads", "policy", Principal={"AWS": "arn:aws:iam::444455556666:role/x"}, Action="s3:GetObject", Resource="*")]),
        ("a policy that is not known yet", [typed("aws:s3/bucketPolicy:BucketPolicy", "uploads", "policy", "${urn:pulumi:x::y::z::w.policy}")]),
    ],
    "isolation-explicit-provider": [
        ("account ids as a list", [change("aws", "account", "allowedAccountIds", ["444455556666"])]),
    ],
}  # fmt: skip
AWS_FAILS: Cases = {
    "aws-encryption": [
        ("a database in the clear", [typed(SQL, "postgres", "storageEncrypted", False)]),
        ("documents in the clear", [typed(DOCUMENTS, "mongodb", "storageEncrypted", gone=True)]),
        ("a cache in the clear", [typed(REPLICATION, "redis", "atRestEncryptionEnabled", False)]),
        ("a cache without TLS", [typed(REPLICATION, "redis", "transitEncryptionEnabled", False)]),
        ("a cache where TLS is a choice", [typed(REPLICATION, "redis", "transitEncryptionMode", "preferred")]),
        ("brokers that take plaintext", [typed(EVENTS, "kafka", "encryptionInfo/encryptionInTransit/clientBroker", "TLS_PLAINTEXT")]),
        ("plaintext between brokers", [typed(EVENTS, "kafka", "encryptionInfo/encryptionInTransit/inCluster", False)]),
        ("brokers without a key", [typed(EVENTS, "kafka", "encryptionInfo/encryptionAtRestKmsKeyArn", gone=True)]),
        ("a domain in the clear", [typed(DOMAIN, "elasticsearch", "encryptAtRest/enabled", False)]),
        ("plaintext between nodes", [typed(DOMAIN, "elasticsearch", "nodeToNodeEncryption/enabled", False)]),
        ("a domain with TLS 1.0", [typed(DOMAIN, "elasticsearch", "domainEndpointOptions/tlsSecurityPolicy", "Policy-Min-TLS-1-0-2019-07")]),
        ("a domain that takes HTTP", [typed(DOMAIN, "elasticsearch", "domainEndpointOptions/enforceHttps", False)]),
        ("a cluster's secrets", [typed(EKS, "cluster", "encryptionConfig", gone=True)]),
        ("workers' disks", [typed("aws:ec2/launchTemplate:LaunchTemplate", "cluster", "blockDeviceMappings/0/ebs/encrypted", "false")]),
        ("volumes of pods", [typed("kubernetes:storage.k8s.io/v1:StorageClass", "cluster-gp3", "parameters/encrypted", "false")]),
        ("a CDN that takes HTTP", [change(DISTRIBUTION, "cdn", "defaultCacheBehavior.viewerProtocolPolicy", "allow-all")]),
        ("a CDN with old TLS", [change(DISTRIBUTION, "cdn", "viewerCertificate.minimumProtocolVersion", "TLSv1")]),
        ("another volume", [added("aws:ebs/volume:Volume", "x", {})]),
        ("another database", [added("aws:rds/instance:Instance", "x", {"storageEncrypted": False})]),
    ],
    "aws-availability": [
        ("a database in one zone", [typed(SQL, "postgres", "availabilityZones", ["us-east-1a"])]),
        ("documents in one zone", [typed(DOCUMENTS, "mongodb", "availabilityZones", ["us-east-1a"])]),
        ("one subnet", [typed("aws:rds/subnetGroup:SubnetGroup", "postgres", "subnetIds", ["subnet-1"])]),
        ("a cache in one zone", [typed(REPLICATION, "redis", "multiAzEnabled", False)]),
        ("a cache that stays down", [typed(REPLICATION, "redis", "automaticFailoverEnabled", False)]),
        ("a cache without replicas", [typed(REPLICATION, "redis", "replicasPerNodeGroup", 0)]),
        ("two brokers", [typed(EVENTS, "kafka", "numberOfBrokerNodes", 2)]),
        ("brokers in one subnet", [typed(EVENTS, "kafka", "brokerNodeGroupInfo/clientSubnets", ["subnet-1"])]),
        ("one search node", [typed(DOMAIN, "elasticsearch", "clusterConfig/instanceCount", 1)]),
        ("search in one zone", [typed(DOMAIN, "elasticsearch", "clusterConfig/zoneAwarenessEnabled", False)]),
    ],
    "aws-logging": [
        ("no audit log", [typed(EKS, "cluster", "enabledClusterLogTypes", ["api"])]),
        ("no flow log", [without("FlowLog", "network")]),
        ("documents without audit", [typed(DOCUMENTS, "mongodb", "enabledCloudwatchLogsExports", ["profiler"])]),
        ("a database without logs", [typed(SQL, "mysql", "enabledCloudwatchLogsExports", gone=True)]),
        ("a CDN without logs", [change(DISTRIBUTION, "cdn", "loggingConfig")]),
        ("a load balancer without logs", [change("LoadBalancer", "ingress", "accessLogs.enabled", False)]),
        ("a VPN without logs", [change("Endpoint", "vpn", "connectionLogOptions.enabled", False)]),
        ("brokers without logs", [typed(EVENTS, "kafka", "loggingInfo/brokerLogs/cloudwatchLogs/enabled", False)]),
        ("search without audit", [typed(DOMAIN, "elasticsearch", "logPublishingOptions", [])]),
        ("a log for ever", [change("LogGroup", "mysql-audit", "retentionInDays")]),
    ],
    "aws-exposure": [
        ("a database at the internet", [typed(MEMBER, "postgres-1", "publiclyAccessible", True)]),
        ("everybody at a database's port", [added(RULE, "x", open_to("0.0.0.0/0", 5432))]),
        ("everybody at every port", [added(RULE, "x", {**open_to("0.0.0.0/0", 0), "toPort": 65535})]),
        ("everybody by IPv6", [added(RULE, "x", {"cidrIpv6": "::/0", "fromPort": 22, "toPort": 22})]),
        ("rules in a group", [change("SecurityGroup", "postgres", "ingress", [{"fromPort": 5432}])]),
        ("a default group with a rule", [change("DefaultSecurityGroup", "network-default", "ingress", [{"protocol": "-1"}])]),
        ("public addresses", [change("Subnet", "network-public-1", "mapPublicIpOnLaunch", True)]),
        ("everybody at the cluster's API", [typed(EKS, "cluster", "vpcConfig/publicAccessCidrs", ["0.0.0.0/0"])]),
        ("nobody said who", [typed(EKS, "cluster", "vpcConfig/publicAccessCidrs", gone=True)]),
        ("nodes through the internet", [typed(EKS, "cluster", "vpcConfig/endpointPrivateAccess", False)]),
        ("public brokers", [typed(EVENTS, "kafka", "brokerNodeGroupInfo/connectivityInfo/publicAccess/type", "SERVICE_PROVIDED_EIPS")]),
        ("public search", [typed(DOMAIN, "elasticsearch", "vpcOptions", {"subnetIds": []})]),
        ("a bucket that may be opened", [change(BLOCK, "uploads", "blockPublicPolicy", False)]),
    ],
    "aws-access": [
        ("everything allowed", [policy("RolePolicy", "cluster-external-dns", "policy", Action="*", Resource="*")]),
        ("everybody reads a bucket", [policy("BucketPolicy", "uploads", "policy", Principal="*", Action="s3:GetObject", Resource="*")]),
        ("another account reads a bucket", [policy("BucketPolicy", "uploads", "policy", Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}, Action="s3:GetObject", Resource="*")]),
        ("another account takes a role", [policy("Role", "cluster-workers", "assumeRolePolicy", Principal={"AWS": [OTHER]}, Action="sts:AssumeRole")]),
        ("a bucket without TLS", [typed("aws:s3/bucketPolicy:BucketPolicy", "uploads", "policy", '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}}]}')]),
        ("a policy that is none", [typed("aws:s3/bucketPolicy:BucketPolicy", "uploads", "policy", "not JSON")]),
        ("a key that never turns", [change("Key", "postgres", "enableKeyRotation", False)]),
        ("a master password", [typed(SQL, "postgres", "manageMasterUserPassword", gone=True)]),
        ("a master password of documents", [typed(DOCUMENTS, "mongodb", "manageMasterUserPassword", False)]),
        ("a cache without password", [typed(REPLICATION, "redis", "authToken", gone=True)]),
        ("search without users", [typed(DOMAIN, "elasticsearch", "advancedSecurityOptions/enabled", False)]),
        ("a secret under AWS' key", [change("Secret", "redis", "kmsKeyId")]),
        ("IMDSv1", [change("LaunchTemplate", "cluster", "metadataOptions.httpTokens", "optional")]),
        ("administrators in a ConfigMap", [typed(EKS, "cluster", "accessConfig/authenticationMode", "CONFIG_MAP")]),
        ("its maker administers it", [typed(EKS, "cluster", "accessConfig/bootstrapClusterCreatorAdminPermissions", True)]),
        ("a CDN that anybody could be", [change(DISTRIBUTION, "cdn", "origins.0.originAccessControlId")]),
    ],
    "aws-tags": [
        ("another environment", [change("Vpc", "network", "tags", {"understudy:environment": "x", "understudy:component": "network"})]),
        ("no tags", [change("Bucket", "uploads", "tags")] ),
        ("no component of ours", [change("Key", "redis", "tags", {"understudy:environment": "staging", "understudy:component": "x"})]),
    ],
    "ratios-instances": [
        ("a larger database", [typed(MEMBER, "postgres-1", "instanceClass", "db.r6g.16xlarge")]),
        ("a larger document store", [typed("aws:docdb/clusterInstance:ClusterInstance", "mongodb-1", "instanceClass", "db.r6g.16xlarge")]),
        ("larger workers", [typed("aws:eks/nodeGroup:NodeGroup", "cluster-1", "instanceTypes", ["m6i.16xlarge"])]),
        ("a smaller cache", [typed(REPLICATION, "redis", "nodeType", "cache.t4g.micro")]),
        ("one replica less", [typed(REPLICATION, "redis", "replicasPerNodeGroup", 1)]),
        ("more brokers", [typed(EVENTS, "kafka", "numberOfBrokerNodes", 6)]),
        ("larger brokers", [typed(EVENTS, "kafka", "brokerNodeGroupInfo/instanceType", "kafka.m7g.4xlarge")]),
        ("other disks", [typed(EVENTS, "kafka", "brokerNodeGroupInfo/storageInfo/ebsStorageInfo/volumeSize", 5)]),
        ("more search", [typed(DOMAIN, "elasticsearch", "clusterConfig/instanceCount", 9)]),
        ("of no component", [typed(MEMBER, "postgres-1", "tags", gone=True)]),
    ],
    "data-backups": [
        ("a database that keeps nothing", [typed(SQL, "postgres", "backupRetentionPeriod", 0)]),
        ("a cache that keeps nothing", [typed(REPLICATION, "redis", "snapshotRetentionLimit", gone=True)]),
    ],
    "data-deletion-protection": [
        ("an unprotected environment's databases", [change(ENV, "quikapp", "resolved.environment.protect", True)]),
    ],
    "isolation-explicit-provider": [
        ("another account", [change("aws", "account", "allowedAccountIds", f'["{OTHER}"]')]),
        ("no account", [change("aws", "account", "allowedAccountIds")]),
        ("two accounts", [change("aws", "account", "allowedAccountIds", f'["444455556666", "{OTHER}"]')]),
    ],
    "isolation-foreign-names": [
        ("production's account", [typed("aws:iam/role:Role", "cluster-workers", "description", "arn:aws:iam::111122223333:role/x")]),
        ("production's network", [added(RULE, "x", open_to("10.40.64.0/18", 443))]),
        ("production's bucket", [change("BucketLogging", "uploads", "targetBucket", "quikapp-production-logs")]),
        ("production's zone", [change("Record", "ingress-api", "name", "api.quikapp.com")]),
    ],
}  # fmt: skip
