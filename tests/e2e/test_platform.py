"""QuikApp's platform on the real engine, against an offline AWS and a cluster that stands for EKS."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.errors import ExternalError
from config.model.platform import Platform
from local.control_plane import kubectl
from local.stack import LocalStack
from review.graph import ROOT
from tests.components.core.test_platform import application as declare
from tests.components.graphs import shipped
from tests.e2e.quikapp import STACK, client, declared, of, steps
from tests.e2e.stacks import running

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("platform")]


def resources() -> int:
    """The number of resources of the stack, its root included."""
    return len(shipped(STACK)) + 1


"""Those of the graph, and the stack."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with running(STACK, tmp_path_factory.mktemp("platform")) as found:
        yield found


def test_a_first_preview_needs_nothing_that_is_not_there_yet(stack: LocalStack) -> None:
    result = stack.pulumi("preview", "--policy-pack", str(ROOT / "policies"), capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert f"{resources()} to create" in result.stdout


def application(stack: LocalStack, folder: Path) -> LocalStack:
    """A stack of the application on this platform."""
    platform = f"organization/understudy/{STACK}"
    found = LocalStack("quikapp-staging", stack.engine, declare(folder, "quikapp-staging", platform=platform))
    found.start()
    return found


def test_an_application_is_previewed_before_its_cluster_exists(stack: LocalStack, tmp_path: Path) -> None:
    result = application(stack, tmp_path).pulumi("preview", capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert "kubernetes:apps/v1:Deployment web create" in result.stdout


def test_up(stack: LocalStack) -> None:
    result = stack.pulumi("up", "--yes", "--skip-preview", "--policy-pack", str(ROOT / "policies"), capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert f"{resources()} created" in result.stdout
    made = {r["urn"] for r in stack.export()["resources"] if r["type"] != "pulumi:pulumi:Stack"}
    assert {node["urn"] for node in shipped(STACK)} == made
    levels = stack.levels()
    assert sum(levels.values()) == sum(node["type"].startswith("aws:") for node in shipped(STACK))
    assert levels["recorded"] == 1  # the wait for the certificate
    assert levels["real"] > 150


def test_again_changes_nothing(stack: LocalStack) -> None:
    result = stack.pulumi("preview", "--expect-no-changes", capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    refreshed = stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", capture=True)
    assert refreshed.returncode == 0, refreshed.stdout[-3000:]


def test_the_account_is_the_environments_own(stack: LocalStack) -> None:
    assert client(stack, "sts").get_caller_identity()["Account"] == "444455556666"


def test_aws_sees_a_network_that_is_closed(stack: LocalStack) -> None:
    ec2 = client(stack, "ec2")
    [network] = [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    assert network["CidrBlock"] == "10.50.0.0/16"
    inside = [{"Name": "vpc-id", "Values": [network["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    assert len(subnets) == 9
    assert {subnet["AvailabilityZone"] for subnet in subnets} == {"us-east-1a", "us-east-1b", "us-east-1c"}
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    groups = {group["GroupName"]: group for group in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]}
    assert groups["default"]["IpPermissions"] == groups["default"]["IpPermissionsEgress"] == []
    cluster = client(stack, "eks").describe_cluster(name="quikapp-staging")["cluster"]
    inner = groups["eks-cluster-sg-quikapp-staging"]["GroupId"]
    for store in ("postgres", "mysql", "mongodb", "redis", "kafka", "elasticsearch"):
        for rule in groups[f"quikapp-staging-{store}"]["IpPermissions"]:
            assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [inner], store
            assert rule["IpRanges"] == rule["Ipv6Ranges"] == []
    assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/28"]
    [flow] = ec2.describe_flow_logs()["FlowLogs"]
    assert (flow["ResourceId"], flow["TrafficType"]) == (network["VpcId"], "ALL")
    assert {e["State"] for e in ec2.describe_nat_gateways()["NatGateways"]} == {"available"}


def test_aws_sees_stores_encrypted_in_several_zones_and_tagged(stack: LocalStack) -> None:
    rds = client(stack, "rds")
    clusters = {cluster["DBClusterIdentifier"]: cluster for cluster in rds.describe_db_clusters()["DBClusters"]}
    assert clusters.keys() == {"quikapp-staging", "quikapp-staging-mysql"}
    for cluster in clusters.values():
        assert cluster["StorageEncrypted"] is True
        assert cluster["KmsKeyId"].startswith("arn:aws:kms:us-east-1:444455556666:key/")
        assert cluster["MasterUserSecret"]["SecretArn"]
        assert cluster["BackupRetentionPeriod"] == 15
        assert len(cluster["DBClusterMembers"]) == 2
        tags = {tag["Key"]: tag["Value"] for tag in cluster["TagList"]}
        assert tags["understudy:environment"] == "staging"
    members = rds.describe_db_instances()["DBInstances"]
    assert {member["DBInstanceClass"] for member in members} == {"db.r6g.xlarge"}
    assert not any(member["PubliclyAccessible"] for member in members)
    parameters = rds.describe_db_cluster_parameters(
        DBClusterParameterGroupName="quikapp-staging-postgres-aurora-postgresql16"
    )["Parameters"]
    assert ("rds.force_ssl", "1") in {(entry["ParameterName"], entry.get("ParameterValue")) for entry in parameters}
    [cache] = client(stack, "elasticache").describe_replication_groups()["ReplicationGroups"]
    assert (cache["MultiAZ"], cache["AutomaticFailover"]) == ("enabled", "enabled")
    assert cache["TransitEncryptionEnabled"] is cache["AtRestEncryptionEnabled"] is cache["AuthTokenEnabled"] is True
    assert len(cache["MemberClusters"]) == 3
    [found] = client(stack, "kafka").list_clusters_v2()["ClusterInfoList"]
    brokers = found["Provisioned"]
    assert brokers["NumberOfBrokerNodes"] == 3
    assert brokers["EncryptionInfo"]["EncryptionInTransit"]["ClientBroker"] == "TLS"
    domain = client(stack, "opensearch").describe_domain(DomainName="quikapp-staging")["DomainStatus"]
    assert domain["EncryptionAtRestOptions"]["Enabled"] is domain["NodeToNodeEncryptionOptions"]["Enabled"] is True
    assert domain["ClusterConfig"]["ZoneAwarenessEnabled"] is True
    assert domain["VPCOptions"]["SubnetIds"]
    kms = client(stack, "kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    ours = [key["KeyId"] for key in keys if key["Description"].startswith("quikapp-staging-")]
    assert len(ours) == 7
    assert all(kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] for key in ours)


def test_aws_sees_private_buckets_and_a_way_in(stack: LocalStack) -> None:
    s3 = client(stack, "s3")
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {
        f"quikapp-staging-{name}" for name in ("assets", "logs", "uploads")
    }
    for name in ("assets", "logs", "uploads"):
        bucket = f"quikapp-staging-{name}"
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    [distribution] = client(stack, "cloudfront").list_distributions()["DistributionList"]["Items"]
    assert distribution["Aliases"]["Items"] == ["cdn.staging.quikapp.com"]
    [zone] = client(stack, "route53").list_hosted_zones()["HostedZones"]
    records = client(stack, "route53").list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    names = {record["Name"].removesuffix(".") for record in records if record["Type"] == "A"}
    hosts = ("api", "ws", "cdn", "grafana", "jaeger", "logs")
    assert names == {"staging.quikapp.com", *(f"{host}.staging.quikapp.com" for host in hosts)}
    [balancer] = client(stack, "elbv2").describe_load_balancers()["LoadBalancers"]
    assert balancer["Type"] == "network"
    listeners = client(stack, "elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert {(entry["Port"], entry["Protocol"]) for entry in listeners} == {(443, "TLS"), (80, "TCP")}


def test_the_cluster_is_the_local_one(stack: LocalStack) -> None:
    platform = stack.outputs()["platform"]
    kubeconfig = json.loads(platform["cluster"]["kubeconfig"])
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    assert server == json.loads(stack.plane.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    Platform.model_validate(platform)
    assert platform["cluster"]["endpoint"] == server
    assert platform["cluster"]["identifier"] == "arn:aws:eks:us-east-1:444455556666:cluster/quikapp-staging"
    classes = json.loads(kubectl("get", "storageclass", "gp3", "-o", "json", plane=stack.plane))
    assert classes["parameters"] == {"encrypted": "true", "type": "gp3"}


def test_the_application_finds_its_platform(stack: LocalStack, tmp_path: Path) -> None:
    found = application(stack, tmp_path)
    assert found.plane == stack.plane
    result = found.pulumi("up", "--yes", "--skip-preview", "--policy-pack", str(ROOT / "policies"), capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    web = json.loads(kubectl("get", "deployment", "web", "-n", "quikapp-staging", "-o", "json", plane=stack.plane))
    [container] = web["spec"]["template"]["spec"]["containers"]
    told = {entry["name"]: entry.get("value") for entry in container["env"]}
    endpoints = stack.outputs()["platform"]["endpoints"]
    assert told["POSTGRES_HOST"] == endpoints["postgres"]["host"]
    assert told["POSTGRES_READ_HOST"] == endpoints["postgres"]["reader"]
    assert told["KAFKA_HOST"] == endpoints["kafka"]["host"]
    assert found.pulumi("preview", "--expect-no-changes", capture=True).returncode == 0
    assert found.pulumi("destroy", "--yes", "--skip-preview", capture=True).returncode == 0


def test_the_vpns_file_is_written_and_is_ones_own(stack: LocalStack, tmp_path: Path) -> None:
    values = tmp_path / "vpn.json"
    values.write_text(stack.secret_output("vpn"))
    command = [str(ROOT / ".venv" / "bin" / "python"), "-m", "cli", "vpn", str(values), "--stack", STACK]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    file = tmp_path / "quikapp-staging.ovpn"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "remote cvpn-endpoint-" in text
    assert "BEGIN PRIVATE KEY" in text
    (tmp_path / "client.pem").write_text(text.partition("<cert>")[2].partition("</cert>")[0].strip())
    (tmp_path / "ca.pem").write_text(text.partition("<ca>")[2].partition("</ca>")[0].strip())
    verify = ["openssl", "verify", "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "client.pem")]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0


def test_an_instance_class_is_changed_in_place(stack: LocalStack, tmp_path: Path) -> None:
    larger = declared(
        tmp_path / "larger",
        (
            "instance: db.r6g.2xlarge\n    nodes: 2\n    database",
            "instance: db.r6g.4xlarge\n    nodes: 2\n    database",
        ),
    )
    changed = of(stack, larger)
    found = steps(changed)
    members = {
        ("aws:rds/clusterInstance:ClusterInstance", f"{name}-{n}") for name in ("postgres", "mysql") for n in (1, 2)
    }
    assert {key: found[key] for key in members} == dict.fromkeys(members, "update")
    assert set(found.values()) == {"update"}


def test_a_subnet_that_changes_would_replace_a_store_and_is_refused(stack: LocalStack, tmp_path: Path) -> None:
    moved = ("data: [10.50.16.0/22", "data: [10.50.28.0/22")
    changed = of(stack, declared(tmp_path / "moved", moved))
    refused = changed.pulumi("up", "--yes", capture=True)
    assert refused.returncode != 0
    assert "kafka" in refused.stdout
    assert "protect" in refused.stdout
    networks = {subnet["CidrBlock"] for subnet in client(stack, "ec2").describe_subnets()["Subnets"]}
    assert "10.50.16.0/22" in networks
    assert "10.50.28.0/22" not in networks
    meant = of(stack, declared(tmp_path / "meant", moved, unprotected=["kafka"]))
    found = steps(meant)
    assert found["aws:msk/cluster:Cluster", "kafka"] in ("replace", "create-replacement", "delete-replaced")
    assert found["aws:ec2/subnet:Subnet", "network-data-1"] in ("replace", "create-replacement", "delete-replaced")
    guarded = {node["type"] for node in shipped(STACK) if node["protect"]}
    lost = {key for key, operation in found.items() if "replace" in operation and key[0] in guarded}
    assert lost == {("aws:msk/cluster:Cluster", "kafka")}


def test_what_an_offline_account_forgot_is_made_again(stack: LocalStack) -> None:
    account = stack.account
    assert account is not None
    account.down()
    again = of(stack, ROOT / f"Pulumi.{STACK}.yaml")
    result = again.pulumi("up", "--yes", "--skip-preview", capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert client(stack, "eks").list_clusters()["clusters"] == ["quikapp-staging"]


def test_production_is_in_an_account_of_its_own_and_stays(tmp_path: Path) -> None:
    with running("quikapp-production-platform", tmp_path) as production:
        result = production.pulumi(
            "up", "--yes", "--skip-preview", "--policy-pack", str(ROOT / "policies"), capture=True
        )
        assert result.returncode == 0, result.stdout[-3000:]
        assert client(production, "sts").get_caller_identity()["Account"] == "111122223333"
        clusters = client(production, "rds").describe_db_clusters()["DBClusters"]
        assert {(c["BackupRetentionPeriod"], c["DeletionProtection"]) for c in clusters} == {(30, True)}
        before = production.export()["resources"]
        with pytest.raises(ExternalError, match=r"protected environment .*; nothing was deleted"):
            production.destroy()
        assert production.export()["resources"] == before


def test_destroy_leaves_nothing(stack: LocalStack) -> None:
    """Last: the module's stack is gone after it."""
    refused = stack.pulumi("destroy", "--yes", capture=True)
    assert refused.returncode != 0
    assert "protect" in refused.stdout + refused.stderr
    stack.unprotect()
    result = stack.pulumi("destroy", "--yes", "--skip-preview", capture=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert not stack.export().get("resources")
    ec2 = client(stack, "ec2")
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] == [True]
    assert [group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]] == ["default"]
    assert not ec2.describe_addresses()["Addresses"]
    assert not client(stack, "rds").describe_db_clusters()["DBClusters"]
    assert not client(stack, "eks").list_clusters()["clusters"]
    assert not client(stack, "kafka").list_clusters()["ClusterInfoList"]
    assert not client(stack, "opensearch").list_domain_names()["DomainNames"]
    assert not client(stack, "s3").list_buckets()["Buckets"]
    assert not client(stack, "iam").list_roles()["Roles"]
    assert not client(stack, "secretsmanager").list_secrets()["SecretList"]
    assert not client(stack, "logs").describe_log_groups()["logGroups"]
    assert not client(stack, "route53").list_hosted_zones()["HostedZones"]
    assert not client(stack, "acm").list_certificates()["CertificateSummaryList"]
    assert not client(stack, "elbv2").describe_load_balancers()["LoadBalancers"]
    # moto 5.2.5 keeps a replication group for ever, as one that is being deleted
    groups = client(stack, "elasticache").describe_replication_groups()["ReplicationGroups"]
    assert {group["Status"] for group in groups} == {"deleting"}
