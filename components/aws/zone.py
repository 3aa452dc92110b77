"""The environment's DNS zone, and the certificate for its names."""

from __future__ import annotations

import pulumi
from pulumi_aws import acm, route53

from .context import AwsContext, PlatformComponent
from .keys import protected


class Zone(PlatformComponent):
    """A public zone and a certificate for the domain and every name right below it, proved by a record in the zone."""

    def __init__(self, name: str, context: AwsContext, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, context, opts)
        domain = context.resolved.environment.domain
        self.zone = route53.Zone(
            name,
            name=domain,
            comment=f"{context.name}: delegated to by the zone above",
            force_destroy=False,
            tags=self.tags(),
            opts=self.child_options(protect=protected(self)),
        )
        requested = acm.Certificate(
            name,
            domain_name=domain,
            subject_alternative_names=[f"*.{domain}"],
            validation_method="DNS",
            tags=self.tags(),
            opts=self.child_options(),
        )
        # one record proves both names
        proof = requested.domain_validation_options.apply(lambda options: options[0])
        record = route53.Record(
            f"{name}-proof",
            zone_id=self.zone.zone_id,
            name=proof.apply(lambda option: option["resource_record_name"]),
            type=proof.apply(lambda option: option["resource_record_type"]),
            records=[proof.apply(lambda option: option["resource_record_value"])],
            ttl=300,
            opts=self.child_options(),
        )
        self.certificate = acm.CertificateValidation(
            name, certificate_arn=requested.arn, validation_record_fqdns=[record.fqdn], opts=self.child_options()
        ).certificate_arn
        self.register_outputs({"nameServers": self.zone.name_servers})

    def add_alias_record(
        self, component: PlatformComponent, host: str, target: pulumi.Input[str], zone_id: pulumi.Input[str]
    ) -> None:
        """Creates a host name that leads to a load balancer or a distribution, as a child of ``component``."""
        label = host.removesuffix(self.context.resolved.environment.domain).removesuffix(".") or "domain"
        route53.Record(
            f"{component.key}-{label}",
            zone_id=self.zone.zone_id,
            name=host,
            type="A",
            aliases=[{"name": target, "zone_id": zone_id, "evaluate_target_health": False}],
            opts=component.child_options(),
        )
