"""The network on the graph."""

from __future__ import annotations

from tests.components.aws.platform import changed, inputs, names, refers, shipped

STAGING = shipped()


def test_three_tiers_over_three_zones() -> None:
    assert names(STAGING, ":Subnet") == {f"network-{t}-{n}" for t in ("public", "private", "data") for n in (1, 2, 3)}
    subnet = inputs(STAGING, ":Subnet", "network-data-2")
    assert (subnet["cidrBlock"], subnet["availabilityZone"]) == ("10.50.20.0/22", "us-east-1b")
    assert inputs(STAGING, ":Subnet", "network-public-1")["tags"]["kubernetes.io/role/elb"] == "1"
    assert inputs(STAGING, ":Subnet", "network-private-1")["tags"]["kubernetes.io/role/internal-elb"] == "1"


def test_each_zone_goes_out_through_its_own_gateway_and_data_do_not() -> None:
    for index in (1, 2, 3):
        route = inputs(STAGING, ":Route", f"network-private-{index}")
        assert refers(route["natGatewayId"], ":NatGateway", f"network-nat-{index}")
    assert names(STAGING, ":Route") == {"network-public", *(f"network-private-{index}" for index in (1, 2, 3))}


def test_fewer_gateways_are_shared() -> None:
    nodes = changed(("natGateways: 3", "natGateways: 2"))
    assert names(nodes, ":NatGateway") == {"network-nat-1", "network-nat-2"}
    assert refers(inputs(nodes, ":Route", "network-private-3")["natGatewayId"], ":NatGateway", "network-nat-1")


def test_awss_services_are_reached_inside() -> None:
    services = {
        inputs(STAGING, ":VpcEndpoint", name)["serviceName"].removeprefix("com.amazonaws.us-east-1.")
        for name in names(STAGING, ":VpcEndpoint")
    }
    assert services == {"s3", "ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs"}
    assert len(inputs(STAGING, ":VpcEndpoint", "network-s3")["routeTableIds"]) == 4
    assert inputs(STAGING, ":VpcEndpoint", "network-sts")["privateDnsEnabled"] is True


def test_the_default_group_has_no_rule_and_flows_are_recorded() -> None:
    group = inputs(STAGING, ":DefaultSecurityGroup", "network-default")
    assert "ingress" not in group
    assert "egress" not in group
    assert inputs(STAGING, ":FlowLog", "network")["trafficType"] == "ALL"
    assert inputs(STAGING, ":LogGroup", "network-flow-logs")["retentionInDays"] == 365
