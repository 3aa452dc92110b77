"""Audit and access logs are enabled."""

from __future__ import annotations

from collections.abc import Iterator

from ...references import fsbp
from ...resource import Resource, child, items
from ...rule import Problem, Rule
from ...settings import Setting, given, holds, is_, settings
from ...stack import Stack

_NOTHING = "actions in it cannot be traced afterwards"
_SETTINGS = settings(
    {
        "aws:eks/cluster:Cluster": [
            Setting(
                ("enabledClusterLogTypes",),
                holds("api", "audit", "authenticator", "controllerManager", "scheduler"),
                _NOTHING,
            )
        ],
        "aws:docdb/cluster:Cluster": [Setting(("enabledCloudwatchLogsExports",), holds("audit"), _NOTHING)],
        "aws:rds/cluster:Cluster": [Setting(("enabledCloudwatchLogsExports",), given, _NOTHING)],
        "aws:cloudfront/distribution:Distribution": [Setting(("loggingConfig", "bucket"), given, _NOTHING)],
        "aws:lb/loadBalancer:LoadBalancer": [Setting(("accessLogs", "enabled"), is_(True), _NOTHING)],
        "aws:ec2clientvpn/endpoint:Endpoint": [Setting(("connectionLogOptions", "enabled"), is_(True), _NOTHING)],
        "aws:msk/cluster:Cluster": [
            Setting(("loggingInfo", "brokerLogs", "cloudwatchLogs", "enabled"), is_(True), _NOTHING)
        ],
        "aws:cloudwatch/logGroup:LogGroup": [Setting(("retentionInDays",), given, "its entries never expire")],
    }
)


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    yield from _SETTINGS(resource, stack)
    if resource.type == "aws:opensearch/domain:Domain":
        kinds = {child(entry, "logType") for _, entry in items(resource.get("logPublishingOptions"))}
        for kind in ("AUDIT_LOGS", "ES_APPLICATION_LOGS"):
            if kind not in kinds:
                yield ("logPublishingOptions",), f"{kind} is not published: {_NOTHING}"
    # the engine shows a flow log before the resources in its network
    if resource.type == "aws:eks/cluster:Cluster" and not stack.of_kind("FlowLog"):
        yield ("vpcConfig",), "nothing records what flows in its network"


RULE = Rule(
    id="aws-logging",
    description="Control plane, databases, load balancer, CDN, VPN and network write who did what; each log has an end.",
    severity="medium",
    remediation="Turn the log on, into a group with a retention.",
    check=check,
    references=(
        fsbp("EKS.8", "EKS clusters should have audit logging enabled"),
        fsbp("EC2.6", "VPC flow logging should be enabled in all VPCs"),
        fsbp("EC2.51", "EC2 Client VPN endpoints should have client connection logging enabled"),
        fsbp("DocumentDB.4", "Amazon DocumentDB clusters should publish audit logs to CloudWatch Logs"),
        fsbp("RDS.34", "Aurora MySQL DB clusters should publish audit logs to CloudWatch Logs"),
        fsbp("Opensearch.4", "OpenSearch domain error logging to CloudWatch Logs should be enabled"),
        fsbp("Opensearch.5", "OpenSearch domains should have audit logging enabled"),
        fsbp("CloudFront.5", "CloudFront distributions should have logging enabled"),
        fsbp("ELB.5", "Application and Classic Load Balancers logging should be enabled"),
    ),
)
