"""Which component resource makes which kind of the platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from .aurora import Aurora
from .bucket import Bucket
from .cdn import Cdn
from .client_vpn import ClientVpn
from .cloud import Cloud, Part
from .documentdb import DocumentDB
from .eks import Eks
from .elasticache import ElastiCache
from .istio import Istio
from .load_balancer import LoadBalancer
from .msk import Msk
from .network import Network
from .opensearch import OpenSearch
from .zone import Zone

PARTS: Mapping[str, Callable[[str, Any, Cloud, pulumi.ResourceOptions], Part]] = {
    "aurora": Aurora,
    "bucket": Bucket,
    "cdn": Cdn,
    "client-vpn": ClientVpn,
    "documentdb": DocumentDB,
    "eks": Eks,
    "elasticache": ElastiCache,
    "istio": Istio,
    "load-balancer": LoadBalancer,
    "msk": Msk,
    "network": Network,
    "opensearch": OpenSearch,
    "zone": Zone,
}
"""Kind to builder."""
