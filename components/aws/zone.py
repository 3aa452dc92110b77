"""The environment's DNS zone, and the certificate for its names."""

from __future__ import annotations

import pulumi
from pulumi_aws import acm, route53

from config.kinds import Zone as Declared

from .cloud import Cloud, Part
from .keys import guarded


class Zone(Part):
    """A public zone and a certificate for the domain and every name right below it, proved by a record in the zone."""

    def __init__(self, name: str, zone: Declared, cloud: Cloud, opts: pulumi.ResourceOptions | None = None) -> None:  # noqa: ARG002 - builders are alike
        super().__init__(name, cloud, opts)
        domain = cloud.resolved.environment.domain
        self.zone = route53.Zone(
            name,
            name=domain,
            comment=f"{cloud.name}: delegated to by the zone above",
            force_destroy=False,
            tags=self.tags(),
            opts=self.under(protect=guarded(self)),
        )
        requested = acm.Certificate(
            name,
            domain_name=domain,
            subject_alternative_names=[f"*.{domain}"],
            validation_method="DNS",
            tags=self.tags(),
            opts=self.under(),
        )
        # one record proves both names
        proof = requested.domain_validation_options.apply(lambda options: options[0])
        record = route53.Record(
            f"{name}-proof",
            zone_id=self.zone.zone_id,
            name=proof.apply(lambda found: found["resource_record_name"]),
            type=proof.apply(lambda found: found["resource_record_type"]),
            records=[proof.apply(lambda found: found["resource_record_value"])],
            ttl=300,
            opts=self.under(),
        )
        self.certificate = acm.CertificateValidation(
            name, certificate_arn=requested.arn, validation_record_fqdns=[record.fqdn], opts=self.under()
        ).certificate_arn
        cloud.zone = self
        cloud.outputs["nameServers"] = self.zone.name_servers
        self.register_outputs({"nameServers": self.zone.name_servers})

    def lead(self, part: Part, host: str, target: pulumi.Input[str], zone_id: pulumi.Input[str]) -> None:
        """A name that leads to a load balancer or a distribution."""
        label = host.removesuffix(self.cloud.resolved.environment.domain).removesuffix(".") or "domain"
        route53.Record(
            f"{part.key}-{label}",
            zone_id=self.zone.zone_id,
            name=host,
            type="A",
            aliases=[{"name": target, "zone_id": zone_id, "evaluate_target_health": False}],
            opts=part.under(),
        )
