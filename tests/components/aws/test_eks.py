"""The cluster on the graph."""

from __future__ import annotations

import json

import pytest

from config.errors import ConfigError
from tests.components.aws.platform import changed, inputs, names, node, refers, shipped

STAGING, PRODUCTION = shipped(), shipped("production")


def test_the_control_plane() -> None:
    cluster = inputs(STAGING, "eks/cluster:Cluster", "cluster")
    assert (cluster["name"], cluster["version"]) == ("quikapp-staging", "1.33")
    assert cluster["enabledClusterLogTypes"] == ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    assert cluster["vpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/28"]
    assert refers(cluster["encryptionConfig"]["provider"]["keyArn"], "kms/key:Key", "cluster")
    assert cluster["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert inputs(PRODUCTION, "eks/cluster:Cluster", "cluster")["deletionProtection"] is True


def test_roles_are_complete_before_anybody_acts_in_them() -> None:
    cluster = node(STAGING, "eks/cluster:Cluster", "cluster")["depends_on"]
    assert any(urn.endswith("::cluster-control-plane-AmazonEKSClusterPolicy") for urn in cluster)
    workers = node(STAGING, ":NodeGroup", "cluster-1")["depends_on"]
    assert any(urn.endswith("::cluster-workers-AmazonEKSWorkerNodePolicy") for urn in workers)
    assert any(urn.endswith(":Addon::cluster-vpc-cni") for urn in workers)


def test_without_networks_that_deploy_it_answers_inside_only() -> None:
    nodes = changed(("      publicAccessCidrs: [203.0.113.0/28]\n", ""))
    network = inputs(nodes, "eks/cluster:Cluster", "cluster")["vpcConfig"]
    assert network["endpointPublicAccess"] is False
    assert "publicAccessCidrs" not in network


def test_workers_in_each_zone() -> None:
    groups = [inputs(STAGING, ":NodeGroup", f"cluster-{index}") for index in (1, 2, 3)]
    assert {group["instanceTypes"][0] for group in groups} == {"m6i.xlarge"}
    assert sum(group["scalingConfig"]["desiredSize"] for group in groups) == 6
    for index, group in enumerate(groups, start=1):
        [subnet] = group["subnetIds"]
        assert refers(subnet, ":Subnet", f"network-private-{index}")
    template = inputs(STAGING, ":LaunchTemplate", "cluster")
    assert template["metadataOptions"]["httpTokens"] == "required"
    assert template["blockDeviceMappings"][0]["ebs"]["encrypted"] == "true"
    assert template["blockDeviceMappings"][0]["ebs"]["volumeSize"] == 100


def test_people_and_what_they_may() -> None:
    policies = {
        inputs(STAGING, ":AccessPolicyAssociation", name)["principalArn"].rpartition("/")[2]: inputs(
            STAGING, ":AccessPolicyAssociation", name
        )["policyArn"].rpartition("/")[2]
        for name in names(STAGING, ":AccessPolicyAssociation")
    }
    assert policies == {"deployer": "AmazonEKSClusterAdminPolicy", "reader": "AmazonEKSViewPolicy"}


def test_add_ons_that_hold_what_is_promised() -> None:
    assert names(STAGING, ":Addon") == {
        f"cluster-{name}"
        for name in (
            "vpc-cni",
            "coredns",
            "kube-proxy",
            "aws-ebs-csi-driver",
            "metrics-server",
            "eks-pod-identity-agent",
        )
    }
    network = json.loads(inputs(STAGING, ":Addon", "cluster-vpc-cni")["configurationValues"])
    assert network == {"enableNetworkPolicy": "true"}


def test_the_default_class_is_gp3_and_encrypted() -> None:
    found = inputs(STAGING, ":StorageClass", "cluster-gp3")
    assert found["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert found["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}


def test_controllers_are_pinned_and_may_little() -> None:
    charts = {
        name: (inputs(STAGING, ":Release", name)["chart"], inputs(STAGING, ":Release", name)["version"])
        for name in names(STAGING, ":Release")
        if name.startswith("cluster-")
    }
    assert charts == {
        "cluster-aws-load-balancer-controller": (
            "oci://registry.quikapp.dev/charts/aws-load-balancer-controller",
            "1.13.4",
        ),
        "cluster-external-dns": ("oci://registry.quikapp.dev/charts/external-dns", "1.18.0"),
        "cluster-external-secrets": ("oci://registry.quikapp.dev/charts/external-secrets", "1.3.2"),
    }
    written = inputs(STAGING, ":RolePolicy", "cluster-load-balancer-controller")["policy"]
    actions = {a for s in json.loads(written)["Statement"] for a in s["Action"]}
    assert "elasticloadbalancing:RegisterTargets" in actions
    assert not any(action.startswith("elasticloadbalancing:Delete") for action in actions)
    names_policy = json.loads(inputs(STAGING, ":RolePolicy", "cluster-external-dns")["policy"])["Statement"]
    assert refers(names_policy[0]["Resource"], ":Zone", "names")


def test_external_secrets_reads_the_environments_own_and_decrypts_through_secrets_manager_only() -> None:
    policy = json.loads(inputs(STAGING, ":RolePolicy", "cluster-external-secrets")["policy"])["Statement"]
    names_of = {arn.rpartition(":secret:")[2] for arn in policy[0]["Resource"]}
    assert names_of == {"quikapp-staging/*", "AmazonMSK_quikapp-staging-*", "rds!cluster-*"}
    assert policy[1]["Condition"]["StringEquals"] == {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
    room = inputs(STAGING, ":Namespace", "cluster-external-secrets")["metadata"]["labels"]
    assert room["pod-security.kubernetes.io/enforce"] == "restricted"


def test_pods_that_act_in_the_account_have_a_role_each() -> None:
    acting = names(STAGING, ":PodIdentityAssociation") - {
        f"cluster-{name}" for name in ("volumes", "load-balancer-controller", "external-dns", "external-secrets")
    }
    assert acting == {f"cluster-{name}" for name in ("backend", "cloudwatch-exporter", "staging-data-sync")}
    statements = json.loads(inputs(STAGING, ":RolePolicy", "cluster-backend")["policy"])["Statement"]
    assert {action for s in statements for action in s["Action"]} == {
        "s3:ListBucket",
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
    }
    assert all("Bucket::uploads." in s["Resource"] for s in statements)


def test_a_repository_over_https() -> None:
    nodes = changed(("oci://registry.quikapp.dev/charts", "https://registry.quikapp.dev/charts"))
    release = inputs(nodes, ":Release", "cluster-external-dns")
    assert release["chart"] == "external-dns"
    assert release["repositoryOpts"] == {"repo": "https://registry.quikapp.dev/charts"}


def test_a_stacks_own_mirror_comes_first() -> None:
    nodes = changed(stack='{"charts": "./charts"}')
    files = {n["inputs"]["chart"] for n in nodes if n["type"].endswith(":Release")}
    istio = {f"./charts/{name}-1.31.1.tgz" for name in ("base", "cni", "istiod", "gateway")}
    controllers = {"aws-load-balancer-controller-1.13.4", "external-dns-1.18.0", "external-secrets-1.3.2"}
    assert files == {f"./charts/{name}.tgz" for name in controllers} | istio
    assert not any("repositoryOpts" in n["inputs"] for n in nodes if n["type"].endswith(":Release"))


def test_a_mirror_that_lacks_the_charts_is_said_before_anything_is_planned() -> None:
    with pytest.raises(ConfigError, match=r"Pulumi\.test\.yaml: understudy:charts: there is no folder \./none"):
        changed(stack='{"charts": "./none", "placeholders": false}')


def test_the_provider_is_pinned_and_its_kubeconfig_holds_no_secret() -> None:
    provider = node(STAGING, "pulumi:providers:kubernetes", "cluster")
    assert provider["inputs"]["clusterIdentifier"] == "arn:aws:eks:us-east-1:444455556666:cluster/quikapp-staging"
    kubeconfig = json.loads(provider["inputs"]["kubeconfig"])
    [user] = kubeconfig["users"]
    assert user["user"]["exec"]["command"] == "aws"
    assert "token" not in user["user"]
