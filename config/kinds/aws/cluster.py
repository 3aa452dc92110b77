"""The cluster that the application runs on."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, field_validator

from config.model.base import Text
from config.model.charts import Charts, ChartVersion
from config.model.instances import InstanceClass, check

from .managed import Identifier, Instance, LogRetention, Platform

AddonVersion = Annotated[str, StringConstraints(pattern=r"^v\d+\.\d+\.\d+(-eksbuild\.\d+)?$")]
AddonName = Literal[
    "vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "metrics-server", "eks-pod-identity-agent"
]


class Eks(Platform):
    """EKS with node groups, add-ons, and the controllers for load balancers and names."""

    kind: Literal["eks"]
    after = ("network", "zone")
    identifier: Identifier = "{system}-{environment}"
    version: Annotated[Text, StringConstraints(pattern=r"^1\.\d{2}$")]
    instance: Instance
    """Instance type of the workers; ``cluster.nodes`` of the environment states their number and disks."""
    maximum: Annotated[int, Field(ge=1, le=10)] = 2
    """Largest number of workers in a zone, as a multiple of the declared number; updates need the difference."""
    addons: dict[AddonName, AddonVersion]
    load_balancer_controller: ChartVersion
    external_dns: ChartVersion = Field(alias="externalDns")
    external_secrets: ChartVersion
    charts: Charts
    """The repository of these charts, unless the stack names another (``understudy:charts``)."""
    log_retention: LogRetention = 90

    @field_validator("instance")
    @classmethod
    def _real(cls, instance: InstanceClass) -> InstanceClass:
        check(instance, "ec2")
        return instance

    @field_validator("addons")
    @classmethod
    def _whole(cls, addons: dict[AddonName, str]) -> dict[AddonName, str]:
        if missing := [name for name in get_args(AddonName) if name not in addons]:
            raise ValueError(f"{', '.join(missing)} missing: pods, names, volumes, autoscalers or roles would fail")
        return addons

    def charts_used(self) -> dict[str, str]:
        return {
            "aws-load-balancer-controller": self.load_balancer_controller,
            "external-dns": self.external_dns,
            "external-secrets": self.external_secrets,
        }

    def arn(self, region: str, account: str) -> str:
        """Returns the ARN, which is known before the cluster exists: the Kubernetes provider is pinned to it."""
        return f"arn:aws:eks:{region}:{account}:cluster/{self.identifier}"
