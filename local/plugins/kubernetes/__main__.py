"""``python -m local.plugins.kubernetes``: what ``pulumi-resource-kubernetes`` runs."""

from ..serve import serve
from .provider import Kubernetes

serve(Kubernetes())
