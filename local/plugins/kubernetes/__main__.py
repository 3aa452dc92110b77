"""``python -m local.plugins.kubernetes``: what ``pulumi-resource-kubernetes`` runs."""

from ..serve import serve
from .helm import KubernetesAndHelm

serve(KubernetesAndHelm())
