"""kube-proxy and CoreDNS, through which running pods reach Services by address and by name."""

from __future__ import annotations

import httpx

from config.errors import ExternalError
from local.tools import NODE

from .layout import ADDRESS, DNS_ADDRESS, DOMAIN, NAME, POD_NETWORK, Layout

_DNS_PORT = 53
COREFILE = """\
.:{port} {{
    bind {address}
    errors
    cache 30
    kubernetes {domain} in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 30
    }}
}}
"""
"""The times to live are those of kubeadm's CoreDNS."""


def kube_proxy(layout: Layout) -> list[str]:
    """Returns the command that starts kube-proxy."""
    return [
        str(NODE.program("kube-proxy")),
        f"--kubeconfig={layout.kubeconfig('kube-proxy')}",
        f"--hostname-override={NAME}",
        "--proxy-mode=iptables",  # Debian's network plugins depend on iptables; nft may be missing
        f"--cluster-cidr={POD_NETWORK}",
        "--oom-score-adj=0",
        "--metrics-bind-address=127.0.0.1:10249",
        "--healthz-bind-address=127.0.0.1:10256",
        # connection tracking is configured for the whole machine, so it is not changed
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]


def coredns(layout: Layout) -> list[str]:
    """Writes its configuration; returns the command that starts it."""
    file = layout.folder / "Corefile"
    content = COREFILE.format(port=_DNS_PORT, address=ADDRESS, domain=DOMAIN, kubeconfig=layout.kubeconfig("coredns"))
    file.write_text(content, encoding="utf-8")
    return [str(NODE.program("coredns")), "-conf", str(file)]


def publish(client: httpx.Client) -> None:
    """Creates the Service ``kube-dns``; raises ``ExternalError``."""
    ports = [{"name": f"dns-{p.lower()}", "port": _DNS_PORT, "protocol": p} for p in ("UDP", "TCP")]
    name = {"name": "kube-dns", "namespace": "kube-system"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**name, "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": DNS_ADDRESS, "ports": ports},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**name, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
    }
    for path, body in (
        ("/api/v1/namespaces/kube-system/services", service),
        ("/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", endpoints),
    ):
        if client.get(f"{path}/{name['name']}").is_success:
            continue
        response = client.post(path, json=body)
        if not response.is_success:
            raise ExternalError(f"the API server refused {body['kind']} kube-dns: {response.text}")
