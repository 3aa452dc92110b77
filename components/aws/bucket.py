"""S3 buckets."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import s3

from config.kinds import Bucket as Declared
from config.kinds import Cdn

from .cloud import Cloud, Part, document, written
from .keys import guarded


class Bucket(Part):
    """A private S3 bucket with versions, encryption and TLS only; old versions and incomplete uploads expire."""

    def __init__(self, name: str, bucket: Declared, cloud: Cloud, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, cloud, opts)
        self._declared = bucket
        self.bucket = s3.Bucket(
            name,
            bucket=bucket.name,
            force_destroy=bucket.force_destroy,
            tags=self.tags(),
            opts=self.under(protect=guarded(self)),
        )
        s3.BucketVersioning(
            name, bucket=self.bucket.id, versioning_configuration={"status": "Enabled"}, opts=self.under()
        )
        s3.BucketPublicAccessBlock(
            name,
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.under(),
        )
        # CloudFront delivers its access logs by an access control list; everybody else by the bucket's policy
        ownership = "BucketOwnerPreferred" if bucket.receives_logs else "BucketOwnerEnforced"
        self.ownership = s3.BucketOwnershipControls(
            name, bucket=self.bucket.id, rule={"object_ownership": ownership}, opts=self.under()
        )
        s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=self.bucket.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self.under(),
        )
        s3.BucketLifecycleConfiguration(
            name,
            bucket=self.bucket.id,
            rules=_lifecycle(bucket),
            opts=self.under(),
        )
        self.policies: list[s3.BucketPolicy] = []
        fronted = any(isinstance(c, Cdn) and c.bucket == name for c in cloud.resolved.components.values())
        if not fronted:
            self.allow()
        if bucket.logs:
            s3.BucketLogging(
                name,
                bucket=self.bucket.id,
                target_bucket=cloud.buckets[bucket.logs].bucket.id,
                target_prefix=f"{name}/",
                opts=self.under(*cloud.buckets[bucket.logs].policies),
            )
        cloud.buckets[name] = self
        self.register_outputs({"bucket": self.bucket.id})

    def allow(self, *statements: dict[str, Any]) -> None:
        """The bucket's one policy: whoever reads or writes it from outside the account's roles, and TLS for all."""
        arn = self.bucket.arn
        everything = [arn, arn.apply(lambda found: f"{found}/*")]
        plain = {
            "Sid": "TLS",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": everything,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        logs = self._deliveries() if self._declared.receives_logs else []
        policy = s3.BucketPolicy(
            self.key,
            bucket=self.bucket.id,
            policy=written(document(plain, *logs, *statements)),
            opts=self.under(),
        )
        self.policies.append(policy)

    def _deliveries(self) -> list[dict[str, Any]]:
        """S3 and load balancers write for this account alone."""
        ours = {"StringEquals": {"aws:SourceAccount": self.cloud.account.id}}
        objects = self.bucket.arn.apply(lambda found: f"{found}/*")
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
