"""One resource of every type that the stand-in for pulumi-aws knows, in an order in which each finds those it needs."""

from __future__ import annotations

from typing import Any

TRUST = '{"Version": "2012-10-17", "Statement": []}'
READ = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
DELIVERY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, '
    '"Action": "s3:PutObject", "Resource": "arn:aws:s3:::quikapp-staging-logs/*"}]}'
)
TAGS = {"understudy:environment": "staging"}

SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "vpc": (
        "ec2/vpc:Vpc",
        {"cidrBlock": "10.8.0.0/16", "enableDnsHostnames": True, "enableDnsSupport": True, "tags": TAGS},
    ),
    "a": (
        "ec2/subnet:Subnet",
        {"vpcId": "@vpc", "cidrBlock": "10.8.1.0/24", "availabilityZone": "us-east-1a", "tags": TAGS},
    ),
    "b": ("ec2/subnet:Subnet", {"vpcId": "@vpc", "cidrBlock": "10.8.2.0/24", "availabilityZone": "us-east-1b"}),
    "c": ("ec2/subnet:Subnet", {"vpcId": "@vpc", "cidrBlock": "10.8.3.0/24", "availabilityZone": "us-east-1c"}),
    "gateway": ("ec2/internetGateway:InternetGateway", {"vpcId": "@vpc"}),
    "address": ("ec2/eip:Eip", {"domain": "vpc"}),
    "nat": ("ec2/natGateway:NatGateway", {"allocationId": "@address", "subnetId": "@a"}),
    "table": ("ec2/routeTable:RouteTable", {"vpcId": "@vpc"}),
    "route": (
        "ec2/route:Route",
        {"routeTableId": "@table", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "@gateway"},
    ),
    "association": ("ec2/routeTableAssociation:RouteTableAssociation", {"routeTableId": "@table", "subnetId": "@a"}),
    "nothing": ("ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": "@vpc"}),
    "databases": ("ec2/securityGroup:SecurityGroup", {"vpcId": "@vpc", "name": "databases", "description": "stores"}),
    "in": (
        "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {
            "securityGroupId": "@databases",
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
            "cidrIpv4": "10.8.0.0/16",
            "description": "from the cluster",
        },
    ),
    "out": (
        "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        {
            "securityGroupId": "@databases",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "10.8.0.0/16",
        },
    ),
    "endpoint": (
        "ec2/vpcEndpoint:VpcEndpoint",
        {
            "vpcId": "@vpc",
            "serviceName": "com.amazonaws.us-east-1.s3",
            "vpcEndpointType": "Gateway",
            "routeTableIds": ["@table"],
        },
    ),
    "key": (
        "kms/key:Key",
        {"description": "stores", "enableKeyRotation": True, "deletionWindowInDays": 7, "tags": TAGS},
    ),
    "alias": ("kms/alias:Alias", {"name": "alias/stores", "targetKeyId": "@key"}),
    "role": ("iam/role:Role", {"name": "nodes", "assumeRolePolicy": TRUST, "tags": TAGS}),
    "policy": ("iam/policy:Policy", {"name": "read", "policy": READ}),
    "attachment": ("iam/rolePolicyAttachment:RolePolicyAttachment", {"role": "nodes", "policyArn": "@policy"}),
    "issuer": (
        "iam/openIdConnectProvider:OpenIdConnectProvider",
        {
            "url": "https://oidc.eks.us-east-1.amazonaws.com/id/X",
            "clientIdLists": ["sts.amazonaws.com"],
            "thumbprintLists": ["a" * 40],
        },
    ),
    "log": ("cloudwatch/logGroup:LogGroup", {"name": "/vpc/flows", "retentionInDays": 30}),
    "flows": (
        "ec2/flowLog:FlowLog",
        {
            "vpcId": "@vpc",
            "trafficType": "ALL",
            "logDestinationType": "cloud-watch-logs",
            "logDestination": "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flows",
            "iamRoleArn": "@role.arn",
        },
    ),
    "cluster": (
        "eks/cluster:Cluster",
        {
            "name": "staging",
            "version": "1.31",
            "roleArn": "@role.arn",
            "vpcConfig": {
                "subnetIds": ["@a", "@b"],
                "endpointPrivateAccess": True,
                "endpointPublicAccess": True,
                "publicAccessCidrs": ["192.0.2.0/24"],
            },
            "encryptionConfig": {"provider": {"keyArn": "@key.arn"}, "resources": ["secrets"]},
            "enabledClusterLogTypes": ["api", "audit"],
            "tags": TAGS,
        },
    ),
    "template": (
        "ec2/launchTemplate:LaunchTemplate",
        {
            "name": "workers",
            "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 20, "encrypted": "true"}}],
            "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
            "monitoring": {"enabled": True},
        },
    ),
    "nodes": (
        "eks/nodeGroup:NodeGroup",
        {
            "clusterName": "staging",
            "nodeGroupName": "workers",
            "nodeRoleArn": "@role.arn",
            "subnetIds": ["@a", "@b"],
            "instanceTypes": ["m6i.large"],
            "scalingConfig": {"minSize": 3, "maxSize": 6, "desiredSize": 3},
        },
    ),
    "dns": (
        "eks/addon:Addon",
        {"clusterName": "staging", "addonName": "coredns", "addonVersion": "v1.11.3-eksbuild.1"},
    ),
    "deployer": ("eks/accessEntry:AccessEntry", {"clusterName": "staging", "principalArn": "@role.arn"}),
    "admin": (
        "eks/accessPolicyAssociation:AccessPolicyAssociation",
        {
            "clusterName": "staging",
            "principalArn": "@role.arn",
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
            "accessScope": {"type": "namespace", "namespaces": ["staging"]},
        },
    ),
    "identity": (
        "eks/podIdentityAssociation:PodIdentityAssociation",
        {"clusterName": "staging", "namespace": "staging", "serviceAccount": "backend", "roleArn": "@role.arn"},
    ),
    "subnets": (
        "rds/subnetGroup:SubnetGroup",
        {"name": "sql", "subnetIds": ["@a", "@b"], "description": "data", "tags": TAGS},
    ),
    "parameters": (
        "rds/clusterParameterGroup:ClusterParameterGroup",
        {
            "name": "tls",
            "family": "aurora-postgresql16",
            "description": "TLS",
            "parameters": [{"name": "rds.force_ssl", "value": "1"}],
        },
    ),
    "sql": (
        "rds/cluster:Cluster",
        {
            "clusterIdentifier": "quikapp-staging",
            "engine": "aurora-postgresql",
            "engineVersion": "16.4",
            "databaseName": "quikapp",
            "masterUsername": "root",
            "manageMasterUserPassword": True,
            "storageEncrypted": True,
            "kmsKeyId": "@key.arn",
            "dbSubnetGroupName": "sql",
            "vpcSecurityGroupIds": ["@databases"],
            "backupRetentionPeriod": 7,
            "deletionProtection": False,
            "skipFinalSnapshot": True,
            "enabledCloudwatchLogsExports": ["postgresql"],
            "tags": TAGS,
        },
    ),
    "writer": (
        "rds/clusterInstance:ClusterInstance",
        {
            "identifier": "quikapp-staging-1",
            "clusterIdentifier": "quikapp-staging",
            "engine": "aurora-postgresql",
            "instanceClass": "db.r6g.large",
            "performanceInsightsEnabled": True,
            "publiclyAccessible": False,
        },
    ),
    "documents-subnets": (
        "docdb/subnetGroup:SubnetGroup",
        {"name": "documents", "subnetIds": ["@a", "@b"], "description": "data"},
    ),
    "documents": (
        "docdb/cluster:Cluster",
        {
            "clusterIdentifier": "documents",
            "engine": "docdb",
            "masterUsername": "root",
            "manageMasterUserPassword": True,
            "storageEncrypted": True,
            "dbSubnetGroupName": "documents",
            "backupRetentionPeriod": 7,
            "skipFinalSnapshot": True,
            "enabledCloudwatchLogsExports": ["audit"],
        },
    ),
    "documents-1": (
        "docdb/clusterInstance:ClusterInstance",
        {"identifier": "documents-1", "clusterIdentifier": "documents", "instanceClass": "db.r6g.large"},
    ),
    "cache-subnets": (
        "elasticache/subnetGroup:SubnetGroup",
        {"name": "cache", "subnetIds": ["@a", "@b"], "description": "data"},
    ),
    "cache": (
        "elasticache/replicationGroup:ReplicationGroup",
        {
            "replicationGroupId": "cache",
            "description": "one shard, two replicas",
            "engine": "redis",
            "engineVersion": "7.1",
            "nodeType": "cache.r6g.large",
            "numNodeGroups": 1,
            "replicasPerNodeGroup": 2,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "atRestEncryptionEnabled": True,
            "transitEncryptionEnabled": True,
            "subnetGroupName": "cache",
            "tags": TAGS,
        },
    ),
    "broker-settings": (
        "msk/configuration:Configuration",
        {"name": "three", "kafkaVersions": ["3.6.0"], "serverProperties": "min.insync.replicas=2\n"},
    ),
    "brokers": (
        "msk/cluster:Cluster",
        {
            "clusterName": "events",
            "kafkaVersion": "3.6.0",
            "numberOfBrokerNodes": 3,
            "brokerNodeGroupInfo": {
                "instanceType": "kafka.m5.large",
                "clientSubnets": ["@a", "@b", "@c"],
                "securityGroups": ["@databases"],
                "storageInfo": {"ebsStorageInfo": {"volumeSize": 100}},
            },
            "encryptionInfo": {"encryptionInTransit": {"clientBroker": "TLS", "inCluster": True}},
            "clientAuthentication": {"sasl": {"scram": True, "iam": True}},
            "tags": TAGS,
        },
    ),
    "search": (
        "opensearch/domain:Domain",
        {
            "domainName": "search",
            "engineVersion": "OpenSearch_2.15",
            "clusterConfig": {
                "instanceType": "r6g.large.search",
                "instanceCount": 3,
                "zoneAwarenessEnabled": True,
                "zoneAwarenessConfig": {"availabilityZoneCount": 3},
            },
            "ebsOptions": {"ebsEnabled": True, "volumeSize": 100, "volumeType": "gp3"},
            "encryptAtRest": {"enabled": True},
            "nodeToNodeEncryption": {"enabled": True},
            "domainEndpointOptions": {"enforceHttps": True, "tlsSecurityPolicy": "Policy-Min-TLS-1-2-2019-07"},
            "vpcOptions": {"subnetIds": ["@a", "@b", "@c"], "securityGroupIds": ["@databases"]},
        },
    ),
    "uploads": ("s3/bucket:Bucket", {"bucket": "quikapp-staging-uploads", "forceDestroy": True, "tags": TAGS}),
    "versions": (
        "s3/bucketVersioning:BucketVersioning",
        {"bucket": "quikapp-staging-uploads", "versioningConfiguration": {"status": "Enabled"}},
    ),
    "private": (
        "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {
            "bucket": "quikapp-staging-uploads",
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
    ),
    "encrypted": (
        "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {
            "bucket": "quikapp-staging-uploads",
            "rules": [
                {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "@key.arn"}}
            ],
        },
    ),
    "bucket-policy": ("s3/bucketPolicy:BucketPolicy", {"bucket": "quikapp-staging-uploads", "policy": TRUST}),
    "logs": ("s3/bucket:Bucket", {"bucket": "quikapp-staging-logs", "forceDestroy": True}),
    "logs-policy": ("s3/bucketPolicy:BucketPolicy", {"bucket": "@logs", "policy": DELIVERY}),
    "access-log": (
        "s3/bucketLogging:BucketLogging",
        {"bucket": "@uploads", "targetBucket": "@logs", "targetPrefix": "uploads/"},
    ),
    "resource-policy": (
        "cloudwatch/logResourcePolicy:LogResourcePolicy",
        {"policyName": "search", "policyDocument": READ},
    ),
    "balancer": (
        "lb/loadBalancer:LoadBalancer",
        {
            "name": "way-in",
            "loadBalancerType": "network",
            "internal": False,
            "subnets": ["@a", "@b"],
            "securityGroups": ["@databases"],
            "enableDeletionProtection": False,
            "accessLogs": {"bucket": "@logs", "prefix": "balancer", "enabled": True},
            "tags": TAGS,
        },
    ),
    "targets": (
        "lb/targetGroup:TargetGroup",
        {
            "name": "secure",
            "port": 8443,
            "protocol": "TLS",
            "targetType": "ip",
            "vpcId": "@vpc",
            "deregistrationDelay": 60,
            "healthCheck": {"protocol": "TCP", "port": "traffic-port", "interval": 10},
        },
    ),
    "listener": (
        "lb/listener:Listener",
        {
            "loadBalancerArn": "@balancer.arn",
            "port": 80,
            "protocol": "TCP",
            "defaultActions": [{"type": "forward", "targetGroupArn": "@targets.arn"}],
        },
    ),
    "origin": (
        "cloudfront/originAccessControl:OriginAccessControl",
        {
            "name": "uploads",
            "description": "the bucket",
            "originAccessControlOriginType": "s3",
            "signingBehavior": "always",
            "signingProtocol": "sigv4",
        },
    ),
    "cdn": (
        "cloudfront/distribution:Distribution",
        {
            "enabled": True,
            "comment": "assets",
            "aliases": ["cdn.staging.quikapp.example.com"],
            "origins": [
                {
                    "originId": "assets",
                    "domainName": "quikapp-staging-uploads.s3.us-east-1.amazonaws.com",
                    "originAccessControlId": "@origin",
                }
            ],
            "defaultCacheBehavior": {
                "targetOriginId": "assets",
                "allowedMethods": ["GET", "HEAD"],
                "cachedMethods": ["GET", "HEAD"],
                "viewerProtocolPolicy": "redirect-to-https",
                "cachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            },
            "loggingConfig": {
                "bucket": "quikapp-staging-logs.s3.amazonaws.com",
                "prefix": "cdn/",
                "includeCookies": False,
            },
            "restrictions": {"geoRestriction": {"restrictionType": "none"}},
            "viewerCertificate": {"cloudfrontDefaultCertificate": True},
            "tags": TAGS,
        },
    ),
    "secret": ("secretsmanager/secret:Secret", {"name": "quikapp/staging/app", "tags": TAGS}),
    "value": ("secretsmanager/secretVersion:SecretVersion", {"secretId": "@secret", "secretString": "generated"}),
    "zone": ("route53/zone:Zone", {"name": "staging.quikapp.example.com"}),
    "record": (
        "route53/record:Record",
        {
            "zoneId": "@zone",
            "name": "api.staging.quikapp.example.com",
            "type": "CNAME",
            "ttl": 60,
            "records": ["x.example.com"],
        },
    ),
    "certificate": (
        "acm/certificate:Certificate",
        {
            "domainName": "staging.quikapp.example.com",
            "subjectAlternativeNames": ["*.staging.quikapp.example.com"],
            "validationMethod": "DNS",
        },
    ),
    "inline": ("iam/rolePolicy:RolePolicy", {"role": "nodes", "name": "inline", "policy": READ}),
    "owned": (
        "s3/bucketOwnershipControls:BucketOwnershipControls",
        {"bucket": "quikapp-staging-uploads", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
    ),
    "lifecycle": (
        "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            "bucket": "quikapp-staging-uploads",
            "rules": [
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30},
                }
            ],
        },
    ),
    "cache-settings": (
        "elasticache/parameterGroup:ParameterGroup",
        {
            "name": "cluster",
            "family": "redis7",
            "description": "cluster mode",
            "parameters": [{"name": "cluster-enabled", "value": "yes"}],
        },
    ),
    "documents-settings": (
        "docdb/clusterParameterGroup:ClusterParameterGroup",
        {
            "name": "documents",
            "family": "docdb5.0",
            "description": "TLS",
            "parameters": [{"name": "tls", "value": "enabled"}],
        },
    ),
    "scram": (
        "msk/scramSecretAssociation:ScramSecretAssociation",
        {"clusterArn": "@brokers.arn", "secretArnLists": ["@secret"]},
    ),
    "vpn": (
        "ec2clientvpn/endpoint:Endpoint",
        {
            "clientCidrBlock": "10.9.0.0/22",
            "serverCertificateArn": "@certificate",
            "splitTunnel": True,
            "authenticationOptions": [
                {"type": "certificate-authentication", "rootCertificateChainArn": "@certificate"}
            ],
            "connectionLogOptions": {"enabled": True, "cloudwatchLogGroup": "/vpc/flows"},
            "vpcId": "@vpc",
            "securityGroupIds": ["@databases"],
        },
    ),
    "vpn-network": (
        "ec2clientvpn/networkAssociation:NetworkAssociation",
        {"clientVpnEndpointId": "@vpn", "subnetId": "@a"},
    ),
    "vpn-rule": (
        "ec2clientvpn/authorizationRule:AuthorizationRule",
        {"clientVpnEndpointId": "@vpn", "targetNetworkCidr": "10.8.0.0/16", "authorizeAllGroups": True},
    ),
    "validated": ("acm/certificateValidation:CertificateValidation", {"certificateArn": "@certificate"}),
}
"""Name to type and inputs; ``@name`` is the id of another, ``@name.arn`` its output."""
