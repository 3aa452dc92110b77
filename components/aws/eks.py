"""The EKS cluster: control plane, workers, add-ons and controllers."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_aws import ec2, eks

from config.kinds import Eks as Declared
from config.kinds.aws.cluster import AddonName

from .context import AwsContext, PlatformComponent
from .controllers import controllers
from .keys import encryption_key, log_group, protected
from .network import Network
from .releases import inside
from .roles import pod_role, service_role
from .zone import Zone

LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""The log types of the control plane (all that exist)."""
_WORKER_POLICIES = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
)
_ACCESS = {"deployers": "AmazonEKSClusterAdminPolicy", "readers": "AmazonEKSViewPolicy"}


class Eks(PlatformComponent):
    """Creates a private control plane and a node group in each zone.

    With Pod Identity, encrypted secrets and volumes, and all logs.
    """

    def __init__(
        self,
        name: str,
        cluster: Declared,
        context: AwsContext,
        network: Network,
        zone: Zone,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        self._declared = cluster
        account = context.account
        own = encryption_key(self, "the cluster's secrets")
        role, may = service_role(self, "control-plane", "eks.amazonaws.com", ("AmazonEKSClusterPolicy",))
        log = log_group(self, f"/aws/eks/{cluster.identifier}/cluster", cluster.log_retention)
        self.cluster = eks.Cluster(
            name,
            name=cluster.identifier,
            version=cluster.version,
            role_arn=role.arn,
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
            bootstrap_self_managed_addons=False,
            deletion_protection=context.resolved.environment.protect,
            enabled_cluster_log_types=list(LOGS),
            encryption_config={"provider": {"key_arn": own.arn}, "resources": ["secrets"]},
            vpc_config=eks.ClusterVpcConfigArgs(
                subnet_ids=network.ids("private"),
                endpoint_private_access=True,
                endpoint_public_access=bool(account.public_access_cidrs),
                public_access_cidrs=list(account.public_access_cidrs) or None,
            ),
            upgrade_policy={"support_type": "STANDARD"},
            tags=self.tags(),
            opts=self.child_options(*may, log, network.flow_log, protect=protected(self)),
        )
        self._authority = self.cluster.certificate_authority.apply(lambda data: data["data"])
        self.security_group = self.cluster.vpc_config.apply(lambda data: data["cluster_security_group_id"])
        entries = self._entries()
        before: tuple[AddonName, ...] = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
        early = [self._addon(addon) for addon in before]
        workers = self._workers(network, early)
        volumes = pod_role(
            self,
            self.cluster,
            "volumes",
            ("kube-system", "ebs-csi-controller-sa"),
            managed=("AmazonEBSCSIDriverPolicy",),
        )
        late = [
            self._addon("coredns", *workers),
            self._addon("metrics-server", *workers),
            self._addon("aws-ebs-csi-driver", *workers, *volumes),
        ]
        self.kubernetes = self._access(entries)
        self._storage_class(self.kubernetes, late)
        controllers(self, cluster, self.cluster, network, zone, self.kubernetes, workers)
        self.workers = workers
        self.register_outputs({"name": self.cluster.name, "endpoint": self.cluster.endpoint})

    def _entries(self) -> list[pulumi.Resource]:
        """Makes the access entries of users and roles; the creator gets no implicit admin access."""
        entries: list[pulumi.Resource] = []
        for group, policy in _ACCESS.items():
            for index, principal in enumerate(getattr(self.context.account, group)):
                label = f"{self.key}-{group}-{index + 1}"
                entry = eks.AccessEntry(
                    label,
                    cluster_name=self.cluster.name,
                    principal_arn=principal,
                    tags=self.tags(group),
                    opts=self.child_options(),
                )
                association = eks.AccessPolicyAssociation(
                    label,
                    cluster_name=self.cluster.name,
                    principal_arn=principal,
                    policy_arn=f"arn:aws:eks::aws:cluster-access-policy/{policy}",
                    access_scope={"type": "cluster"},
                    opts=self.child_options(entry),
                )
                entries += [entry, association]
        return entries

    def _addon(self, name: AddonName, *depends_on: pulumi.Resource) -> eks.Addon:
        # NetworkPolicies have an effect only where an agent enforces them
        enforce = json.dumps({"enableNetworkPolicy": "true"})
        return eks.Addon(
            f"{self.key}-{name}",
            cluster_name=self.cluster.name,
            addon_name=name,
            addon_version=self._declared.addons[name],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=self.tags(name),
            configuration_values=enforce if name == "vpc-cni" else None,
            opts=self.child_options(*depends_on),
        )

    def _workers(self, network: Network, depends_on: list[eks.Addon]) -> list[eks.NodeGroup]:
        """Creates a node group in each zone: the pod of a zonal volume is always rescheduled in the volume's zone."""
        declared, nodes = self._declared, self.context.resolved.environment.cluster.nodes
        role, may = service_role(self, "workers", "ec2.amazonaws.com", _WORKER_POLICIES)
        template = ec2.LaunchTemplate(
            self.key,
            name=self.name_in_account("workers"),
            update_default_version=True,
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "volume_size": int(nodes.storage.value / 2**30),
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            # IMDSv2 only, and not reachable from pods: a pod has the role of its service account
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                "http_put_response_hop_limit": 1,
            },
            monitoring={"enabled": True},
            tags=self.tags("workers"),
            opts=self.child_options(),
        )
        zones = len(self.context.account.zones)
        groups = []
        for index, subnet in enumerate(network.subnets["private"]):
            count = nodes.count // zones + (1 if index < nodes.count % zones else 0)
            groups.append(
                eks.NodeGroup(
                    f"{self.key}-{index + 1}",
                    cluster_name=self.cluster.name,
                    node_group_name=f"workers-{index + 1}",
                    node_role_arn=role.arn,
                    subnet_ids=[subnet.id],
                    version=declared.version,
                    ami_type="AL2023_x86_64_STANDARD",
                    instance_types=[str(declared.instance)],
                    launch_template={
                        "id": template.id,
                        "version": template.latest_version.apply(str),
                    },
                    scaling_config={
                        "min_size": count,
                        "desired_size": count,
                        "max_size": max(count, 1) * declared.maximum,
                    },
                    update_config={"max_unavailable": 1},
                    tags=self.tags(f"workers-{index + 1}"),
                    opts=pulumi.ResourceOptions.merge(
                        # an autoscaler may have changed it
                        self.child_options(*depends_on, *may),
                        pulumi.ResourceOptions(ignore_changes=["scalingConfig.desiredSize"]),
                    ),
                )
            )
        return groups

    def _access(self, entries: list[pulumi.Resource]) -> kubernetes.Provider:
        """Returns the pinned kubeconfig. A newly computed one would replace the provider and every object that it manages."""
        kubeconfig = pulumi.Output.json_dumps(self._kubeconfig())
        identifier = self._declared.arn(self.context.account.region, self.context.account.id)
        self.access = {
            "name": self._declared.identifier,
            "identifier": identifier,
            "endpoint": self.cluster.endpoint,
            "certificateAuthority": self._authority,
            "kubeconfig": kubeconfig,
        }
        return kubernetes.Provider(
            self.key,
            cluster_identifier=identifier,
            kubeconfig=kubeconfig,
            enable_server_side_apply=True,
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            opts=self.child_options(*entries),
        )

    def _kubeconfig(self) -> dict[str, Any]:
        """Returns the kubeconfig without a secret: a client gets a token from AWS with its own identity."""
        name, region = self._declared.identifier, self.context.account.region
        command = ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"]
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [
                {
                    "name": name,
                    "cluster": {"server": self.cluster.endpoint, "certificate-authority-data": self._authority},
                }
            ],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [
                {
                    "name": name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "aws",
                            "args": command,
                            "interactiveMode": "Never",
                        }
                    },
                }
            ],
        }

    def _storage_class(self, provider: kubernetes.Provider, depends_on: list[eks.Addon]) -> None:
        """Creates an encrypted storage class whose volumes are created in the zone of their pod.

        EKS' own class gp2 is neither encrypted nor gp3.
        """
        body = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "gp3",
                "labels": {"app.kubernetes.io/managed-by": "pulumi"},
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"type": "gp3", "encrypted": "true"},
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
            "allowVolumeExpansion": True,
        }
        inside(self, provider, f"{self.key}-gp3", body, depends_on)
