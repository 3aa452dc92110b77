"""Declarations for tests."""

from __future__ import annotations

from pathlib import Path

from config.loader import parse
from config.system import System

MINIMAL = """\
system: shop
title: Shop
components:
  web:
    kind: service
    image: registry.example.com/web
    listens: {http: 8080, metrics: 9090}
    uses: [db]
    replicas: {min: 2, max: 4}
    resources:
      requests: {cpu: 500m, memory: 512Mi}
      limits: {cpu: 1, memory: 1Gi}
    readiness: {path: /ready}
    liveness: {path: /live}
    configuration: [LOG_LEVEL]
    secrets:
      TOKEN: {secret: app, key: token}
  worker:
    kind: service
    image: registry.example.com/worker
    replicas: {min: 1, max: 2}
    resources:
      requests: {cpu: 100m, memory: 128Mi}
      limits: {cpu: 200m, memory: 256Mi}
    readiness: {path: /ready}
    liveness: {path: /live}
    configuration: [QUEUE]
  db:
    kind: postgresql
    version: "16.4"
    database: shop_{environment}
    resources:
      requests: {cpu: 1, memory: 2Gi}
      limits: {cpu: 2, memory: 4Gi}
    storage: 20Gi
    password: {secret: app, key: db}
    internalPassword: {secret: app, key: internal}
configuration:
  data:
    LOG_LEVEL: info
    QUEUE: orders
    WORKERS: 4
secrets:
  app:
    keys:
      token: {bytes: 32}
      db: {length: 24}
      internal: {length: 24}
shared:
  - because: one registry for all; images are promoted
    values: [registry.example.com]
environments:
  production:
    namespace: shop
    domain: shop.example.com
    protect: true
    cluster:
      apiServerCidrs: [10.0.0.1/32]
      nodes: {count: 3, cpu: 8, memory: 32Gi, storage: 200Gi, zones: 3}
  staging:
    namespace: shop-staging
    domain: staging.shop.example.com
    cluster:
      apiServerCidrs: [10.1.0.1/32]
      nodes: {count: 3, cpu: 4, memory: 16Gi, storage: 100Gi, zones: 3}
    scale: {cpu: 50%, memory: 50%, storage: 25%}
    changes:
      - because: find mistakes before users do
        set:
          configuration.data.LOG_LEVEL: debug
"""

_WATCHING = """\
  watch:
    kind: prometheus
    version: v2.53.3
    retention: 30d
    storage: 100Gi
    resources: {requests: {cpu: 1, memory: 2Gi}, limits: {cpu: 1, memory: 2Gi}}
    runbooks: https://wiki.example.com/runbooks
    uses: [tell]
  state: {kind: kube-state-metrics, version: v2.13.0}
  tell:
    kind: alertmanager
    version: v0.27.0
    resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 100m, memory: 128Mi}}
    slack: {url: {secret: alerting, key: slack}, channel: "#alerts"}
  show:
    kind: grafana
    version: 10.4.14
    storage: 10Gi
    resources: {requests: {cpu: 500m, memory: 512Mi}, limits: {cpu: 500m, memory: 512Mi}}
    admin: {secret: app, key: grafana}
    uses: [watch, loki]
  loki:
    kind: loki
    version: 3.2.1
    retention: 14d
    storage: 40Gi
    resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 500m, memory: 1Gi}}
  collect: {kind: alloy, version: v1.4.3, uses: [loki]}
configuration:
"""
WATCHED: tuple[tuple[str, str], ...] = (
    ("configuration:\n  data", f"{_WATCHING}  data"),
    (
        "      internal: {length: 24}\n",
        """\
      internal: {length: 24}
      grafana: {length: 24}
  alerting:
    keys:
      slack: {given: true, optional: true}
""",
    ),
    ("    values: [registry.example.com]", "    values: [registry.example.com, wiki.example.com]"),
    ("      apiServerCidrs: [10.0.0.1/32]\n", "      apiServerCidrs: [10.0.0.1/32]\n      nodeCidrs: [10.0.8.0/21]\n"),
    ("      apiServerCidrs: [10.1.0.1/32]\n", "      apiServerCidrs: [10.1.0.1/32]\n      nodeCidrs: [10.1.8.0/21]\n"),
    ("storage: 25%}", "storage: 25%, retention: 50%}"),
    (
        "    configuration: [LOG_LEVEL]\n",
        """\
    configuration: [LOG_LEVEL]
    metrics:
      orders_total: {type: counter, help: Orders taken, unit: ops}
      order_seconds: {type: histogram, help: Time to take an order, unit: s}
    alerts:
      OrdersStopped:
        expr: sum(rate(orders_total{job="web"}[5m])) < 0.1
        for: 5m
        severity: critical
        summary: Nobody can order
""",
    ),
)
"""What gives the small system metrics, alerts, dashboards and logs."""

QUEUED: tuple[tuple[str, str], ...] = (
    ("    uses: [db]\n", "    uses: [db, queue]\n"),
    (
        "configuration:\n  data",
        """\
  queue:
    kind: rabbitmq
    version: 4.1.4
    resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 1, memory: 2Gi}}
    storage: 10Gi
    password: {secret: app, key: queue}
    cookie: {secret: app, key: cookie}
    queues:
      orders: {deliveryLimit: 5, deadLetter: failed}
      failed: {maxLength: 1000}
configuration:
  data""",
    ),
    ("      db: {length: 24}\n", "      db: {length: 24}\n      queue: {length: 24}\n      cookie: {length: 32}\n"),
)
"""A broker with two queues."""


def minimal(*replacements: tuple[str, str]) -> str:
    """The declaration with pieces replaced; each piece has to be there."""
    text = MINIMAL
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def system(*replacements: tuple[str, str]) -> System:
    return parse(minimal(*replacements), "shop.yaml")


def write(folder: Path, *replacements: tuple[str, str]) -> Path:
    """As a file."""
    file = folder / "shop.yaml"
    file.write_text(minimal(*replacements), encoding="utf-8")
    return file
