"""CloudFront in front of a bucket."""

from __future__ import annotations

import pulumi
from pulumi_aws import cloudfront

from config.kinds import Cdn as Declared

from .bucket import Bucket
from .context import AwsContext, PlatformComponent
from .zone import Zone

_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
"""Policies that AWS manages, the same in every account (CloudFront Developer Guide, "Use managed … policies")."""


class Cdn(PlatformComponent):
    """Creates a distribution that alone may read the bucket (origin access control).

    Viewers get TLS 1.2 and security headers.
    """

    def __init__(
        self,
        name: str,
        cdn: Declared,
        context: AwsContext,
        origin: Bucket,
        logs: Bucket,
        zone: Zone,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        control = cloudfront.OriginAccessControl(
            name,
            name=self.name_in_account(),
            description=f"{cdn.bucket}, for the distribution alone",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self.child_options(),
        )
        distribution = cloudfront.Distribution(
            name,
            enabled=True,
            comment=self.name_in_account(),
            aliases=[cdn.host_name],
            default_root_object="index.html",
            http_version="http2and3",
            is_ipv6_enabled=True,
            price_class=cdn.price_class,
            origins=[
                {
                    "origin_id": cdn.bucket,
                    "domain_name": origin.bucket.bucket_regional_domain_name,
                    "origin_access_control_id": control.id,
                }
            ],
            default_cache_behavior={
                "target_origin_id": cdn.bucket,
                "allowed_methods": ["GET", "HEAD", "OPTIONS"],
                "cached_methods": ["GET", "HEAD"],
                "viewer_protocol_policy": "redirect-to-https",
                "compress": True,
                "cache_policy_id": _CACHING_OPTIMIZED,
                "response_headers_policy_id": _SECURITY_HEADERS,
            },
            logging_config={
                "bucket": logs.bucket.bucket_domain_name,
                "prefix": f"{name}/",
                "include_cookies": False,
            },
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate={
                "acm_certificate_arn": zone.certificate,
                "minimum_protocol_version": "TLSv1.2_2021",
                "ssl_support_method": "sni-only",
            },
            tags=self.tags(),
            opts=self.child_options(logs.ownership),
        )
        origin.write_policy(
            {
                "Sid": "Distribution",
                "Principal": {"Service": "cloudfront.amazonaws.com"},
                "Action": "s3:GetObject",
                "Resource": origin.bucket.arn.apply(lambda arn: f"{arn}/*"),
                "Condition": {"StringEquals": {"AWS:SourceArn": distribution.arn}},
            }
        )
        zone.add_alias_record(self, cdn.host_name, distribution.domain_name, distribution.hosted_zone_id)
        self.register_outputs({"domainName": distribution.domain_name})
