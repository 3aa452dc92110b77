"""S3 buckets."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import s3

from config.kinds import Bucket as Declared
from config.kinds import Cdn

from .context import AwsContext, PlatformComponent, policy_document, policy_text
from .keys import protected


class Bucket(PlatformComponent):
    """Creates a private S3 bucket with versioning, encryption and TLS only; old versions and incomplete uploads expire."""

    def __init__(
        self,
        name: str,
        bucket: Declared,
        context: AwsContext,
        logs: Bucket | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        self._declared = bucket
        self.bucket = s3.Bucket(
            name,
            bucket=bucket.name,
            force_destroy=bucket.force_destroy,
            tags=self.tags(),
            opts=self.child_options(protect=protected(self)),
        )
        s3.BucketVersioning(
            name, bucket=self.bucket.id, versioning_configuration={"status": "Enabled"}, opts=self.child_options()
        )
        s3.BucketPublicAccessBlock(
            name,
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child_options(),
        )
        # CloudFront delivers its access logs through an access control list; other services through the bucket's policy
        ownership = "BucketOwnerPreferred" if bucket.receives_logs else "BucketOwnerEnforced"
        self.ownership = s3.BucketOwnershipControls(
            name, bucket=self.bucket.id, rule={"object_ownership": ownership}, opts=self.child_options()
        )
        s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=self.bucket.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self.child_options(),
        )
        s3.BucketLifecycleConfiguration(
            name,
            bucket=self.bucket.id,
            rules=_lifecycle(bucket),
            opts=self.child_options(),
        )
        self.policy: s3.BucketPolicy | None = None
        fronted = any(isinstance(c, Cdn) and c.bucket == name for c in context.resolved.components.values())
        if not fronted:
            self.write_policy()
        if logs:
            s3.BucketLogging(
                name,
                bucket=self.bucket.id,
                target_bucket=logs.bucket.id,
                target_prefix=f"{name}/",
                opts=self.child_options(*([logs.policy] if logs.policy else [])),
            )
        self.register_outputs({"bucket": self.bucket.id})

    def write_policy(self, *statements: dict[str, Any]) -> None:
        """Creates the bucket's only policy: TLS for all requests, log deliveries, and ``statements``."""
        arn = self.bucket.arn
        everything = [arn, arn.apply(lambda text: f"{text}/*")]
        plain = {
            "Sid": "TLS",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": everything,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        logs = self._deliveries() if self._declared.receives_logs else []
        self.policy = s3.BucketPolicy(
            self.key,
            bucket=self.bucket.id,
            policy=policy_text(policy_document(plain, *logs, *statements)),
            opts=self.child_options(),
        )

    def _deliveries(self) -> list[dict[str, Any]]:
        """Returns the statements that allow S3 and load balancers to write logs, for this account only."""
        ours = {"StringEquals": {"aws:SourceAccount": self.context.account.id}}
        objects = self.bucket.arn.apply(lambda text: f"{text}/*")
        balancers = {"Service": "delivery.logs.amazonaws.com"}
        return [
            {
                "Sid": "Buckets",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": objects,
                "Condition": ours,
            },
            {
                "Sid": "LoadBalancers",
                "Principal": balancers,
                "Action": "s3:PutObject",
                "Resource": objects,
                "Condition": ours,
            },
            {
                "Sid": "LoadBalancersLook",
                "Principal": balancers,
                "Action": "s3:GetBucketAcl",
                "Resource": self.bucket.arn,
                "Condition": ours,
            },
        ]


def _lifecycle(bucket: Declared) -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    def rule(name: str, **effect: Any) -> s3.BucketLifecycleConfigurationRuleArgs:
        return s3.BucketLifecycleConfigurationRuleArgs(
            id=name, status="Enabled", filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""), **effect
        )

    days = bucket.noncurrent_retention.seconds // 86400
    rules = [
        rule("earlier-versions", noncurrent_version_expiration={"noncurrent_days": days}),
        rule("unfinished-uploads", abort_incomplete_multipart_upload={"days_after_initiation": 7}),
    ]
    if bucket.retention:
        rules.append(rule("retention", expiration={"days": bucket.retention.seconds // 86400}))
    return rules
