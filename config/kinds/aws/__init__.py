"""Kinds of an AWS account: network, cluster, managed stores, load balancer, CDN and DNS zone."""

from .cluster import Eks
from .databases import Aurora, Database, DocumentDB
from .managed import Managed, Platform
from .network import ClientVpn, Network
from .stores import Bucket, ElastiCache, Msk, OpenSearch
from .web import Cdn, LoadBalancer, Zone

__all__ = [
    "Aurora",
    "Bucket",
    "Cdn",
    "ClientVpn",
    "Database",
    "DocumentDB",
    "Eks",
    "ElastiCache",
    "LoadBalancer",
    "Managed",
    "Msk",
    "Network",
    "OpenSearch",
    "Platform",
    "Zone",
]
