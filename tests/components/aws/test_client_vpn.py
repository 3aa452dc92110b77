"""The VPN on the graph."""

from __future__ import annotations

from tests.components.aws.platform import inputs, names, refers, shipped

STAGING = shipped()


def test_who_comes_in_has_a_certificate_of_the_environments_authority() -> None:
    endpoint = inputs(STAGING, "ec2clientvpn/endpoint:Endpoint", "vpn")
    [way] = endpoint["authenticationOptions"]
    assert way["type"] == "certificate-authentication"
    assert refers(way["rootCertificateChainArn"], "acm/certificate:Certificate", "vpn-server")
    certificate = inputs(STAGING, "acm/certificate:Certificate", "vpn-server")
    assert list(certificate["privateKey"]) == ["[secret]"]
    for name in ("vpn-server", "vpn-client"):
        assert inputs(STAGING, "certificates:Certificate", name)["key_type"] == "RSA-2048"


def test_only_the_network_goes_through_it_and_it_is_logged() -> None:
    endpoint = inputs(STAGING, "ec2clientvpn/endpoint:Endpoint", "vpn")
    assert endpoint["splitTunnel"] is True
    assert endpoint["clientCidrBlock"] == "10.52.0.0/22"
    assert endpoint["connectionLogOptions"]["enabled"] is True
    assert inputs(STAGING, ":AuthorizationRule", "vpn")["targetNetworkCidr"] == "10.50.0.0/16"
    assert endpoint["dnsServers"] == ["10.50.0.2"]
    assert inputs(STAGING, ":SecurityGroupEgressRule", "vpn-out")["cidrIpv4"] == "10.50.0.0/16"
    api = inputs(STAGING, ":SecurityGroupIngressRule", "vpn-api")
    assert refers(api["securityGroupId"], "eks/cluster:Cluster", "cluster")
    assert api["fromPort"] == api["toPort"] == 443
    assert names(STAGING, ":NetworkAssociation") == {"vpn-1", "vpn-2", "vpn-3"}
