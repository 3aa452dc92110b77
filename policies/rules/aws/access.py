"""IAM: least privilege, no other account, and rotated keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...references import fsbp
from ...resource import Path, Resource, child, items
from ...rule import Problem, Rule
from ...settings import Setting, given, is_, listed, settings, statements
from ...stack import Stack

_DOCUMENTS: Mapping[str, str] = {
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws:iam/policy:Policy": "policy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "policy",
    "aws:opensearch/domain:Domain": "accessPolicies",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "policyDocument",
}
"""Type to the field with its IAM policy."""
_ACCOUNT = re.compile(r"^(?:arn:aws[a-z-]*:(?:iam|sts)::)?(\d{12})\b")
_SETTINGS = settings(
    {
        "aws:kms/key:Key": [Setting(("enableKeyRotation",), is_(True), "the key is not rotated")],
        "aws:rds/cluster:Cluster": [
            Setting(("manageMasterUserPassword",), is_(True), "its master password is not kept and rotated by AWS")
        ],
        "aws:docdb/cluster:Cluster": [
            Setting(("manageMasterUserPassword",), is_(True), "its master password is not kept and rotated by AWS")
        ],
        "aws:elasticache/replicationGroup:ReplicationGroup": [
            Setting(("authToken",), given, "it accepts connections without a password")
        ],
        "aws:opensearch/domain:Domain": [
            Setting(("advancedSecurityOptions", "enabled"), is_(True), "it has no users of its own")
        ],
        "aws:secretsmanager/secret:Secret": [Setting(("kmsKeyId",), given, "it is not under the component's own key")],
        "aws:ec2/launchTemplate:LaunchTemplate": [
            Setting(
                ("metadataOptions", "httpTokens"), is_("required"), "a request forged in a pod gets the node's role"
            )
        ],
        "aws:eks/cluster:Cluster": [
            Setting(("accessConfig", "authenticationMode"), is_("API"), "a ConfigMap says who administers it"),
            Setting(
                ("accessConfig", "bootstrapClusterCreatorAdminPermissions"),
                is_(False),
                "its creator stays its administrator",
            ),
        ],
    }
)


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    yield from _SETTINGS(resource, stack)
    if field := _DOCUMENTS.get(resource.type):
        own = str(stack.declared("resolved", "environment", "account", "id"))
        all_statements = list(statements(resource.get(field)))
        for index, statement in all_statements:
            yield from _statement(resource, (field, "Statement", index), statement, own)
        if (
            resource.type == "aws:s3/bucketPolicy:BucketPolicy"
            and all_statements
            and not any(_tls(s) for _, s in all_statements)
        ):
            yield (field,), "the bucket answers without TLS"
    if resource.type == "aws:cloudfront/distribution:Distribution":
        for index, origin in items(resource.get("origins")):
            if not child(origin, "originAccessControlId"):
                yield ("origins", index), "the bucket cannot tell the distribution from others"


def _statement(resource: Resource, path: Path, statement: Any, own: str) -> Iterator[Problem]:
    if child(statement, "Effect") != "Allow":
        return
    if resource.type.startswith("aws:iam/") and "*" in [str(a) for a in listed(child(statement, "Action"))]:
        yield (*path, "Action"), "everything is allowed"
    principal = child(statement, "Principal")
    principals = listed(child(principal, "AWS")) if isinstance(principal, Mapping) else listed(principal)
    for name in principals:
        inside = resource.type == "aws:opensearch/domain:Domain" and resource.get("vpcOptions")
        if name == "*" and not inside and not child(statement, "Condition"):
            yield (*path, "Principal"), "everybody is allowed"
        elif (match := _ACCOUNT.match(str(name))) and match[1] != own:
            yield (*path, "Principal"), f"account {match[1]} is allowed; the environment's is {own}"


def _tls(statement: Mapping[str, Any]) -> bool:
    plain = child(child(child(statement, "Condition"), "Bool"), "aws:SecureTransport")
    return child(statement, "Effect") == "Deny" and str(plain).lower() == "false"


RULE = Rule(
    id="aws-access",
    description="Policies allow neither everything nor everybody nor another account; keys are rotated; AWS stores passwords.",
    severity="critical",
    remediation="Name the actions, and principals of the environment's own account.",
    check=check,
    references=(
        fsbp("IAM.1", 'IAM policies should not allow full "*" administrative privileges'),
        fsbp("S3.5", "S3 general purpose buckets should require requests to use SSL"),
        fsbp("S3.6", "S3 general purpose bucket policies should restrict access to other AWS accounts"),
        fsbp("CloudFront.13", "CloudFront distributions should use origin access control"),
        fsbp("KMS.4", "AWS KMS key rotation should be enabled"),
        fsbp("EC2.170", "EC2 launch templates should use Instance Metadata Service Version 2 (IMDSv2)"),
        fsbp("Opensearch.7", "OpenSearch domains should have fine-grained access control enabled"),
    ),
)
