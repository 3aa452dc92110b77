"""Systems of any size."""

from __future__ import annotations

from pathlib import Path

SERVICE = """\
  service-{n}:
    kind: service
    image: registry.example.com/service-{n}
    uses: {uses}
    replicas: {{min: 2, max: 4}}
    resources:
      requests: {{cpu: 500m, memory: 512Mi}}
      limits: {{cpu: 1, memory: 1Gi}}
    readiness: {{path: /ready}}
    liveness: {{path: /live}}
    configuration: [LOG_LEVEL]
"""
REST = """\
shared: [{{because: one registry for all of them, values: [registry.example.com, 10.0.0.1/32]}}]
configuration: {{data: {{LOG_LEVEL: info}}}}
environments:
  production:
    namespace: production
    domain: example.com
    cluster: {{apiServerCidrs: [10.0.0.1/32], nodes: {{count: {nodes}, cpu: 64, memory: 256Gi, storage: 100Gi}}}}
  staging:
    namespace: staging
    domain: staging.example.com
    cluster: {{apiServerCidrs: [10.0.0.1/32], nodes: {{count: {nodes}, cpu: 64, memory: 256Gi, storage: 100Gi}}}}
    scale: {{cpu: 50%, memory: 50%}}
    changes: [{{because: find mistakes before users do, set: {{configuration.data.LOG_LEVEL: debug}}}}]
"""


def system(folder: Path, services: int) -> Path:
    """Writes a stack's file for a system of that many services, each using the one before it."""
    parts = [SERVICE.format(n=n, uses=f"[service-{n - 1}]" if n else "[]") for n in range(services)]
    text = f"system: bench\ntitle: Bench\ncomponents:\n{''.join(parts)}{REST.format(nodes=services)}"
    declared = folder / f"bench-{services}.yaml"
    declared.write_text(text, encoding="utf-8")
    images = ", ".join(f"service-{n}: 1.0.0" for n in range(services))
    file = folder / f"Pulumi.bench-{services}.yaml"
    file.write_text(
        "config:\n"
        f"  understudy:system: {declared}\n  understudy:environment: staging\n  understudy:images: {{{images}}}\n",
        encoding="utf-8",
    )
    return file
