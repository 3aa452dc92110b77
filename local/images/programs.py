"""Go modules whose programs are put into images; versions are in ``local/tools/<name>/go.mod``."""

from __future__ import annotations

from ..builds import Module
from ..tools import PROMETHEUS

_COMMON = "github.com/prometheus/common/version"
ALERTMANAGER = Module(
    "alertmanager",
    "github.com/prometheus/alertmanager",
    {"alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager"},
    (f"{_COMMON}.Version={{number}}",),
)
POSTGRES_EXPORTER = Module(
    "postgres_exporter",
    "github.com/prometheus-community/postgres_exporter",
    {"postgres_exporter": "github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter"},
    (f"{_COMMON}.Version={{number}}",),
)
KUBE_STATE_METRICS = Module(
    "kube-state-metrics",
    "k8s.io/kube-state-metrics/v2",
    {"kube-state-metrics": "k8s.io/kube-state-metrics/v2"},
    (f"{_COMMON}.Version={{version}}",),
)
JAEGER = Module(
    "jaeger",
    "github.com/jaegertracing/jaeger",
    {"all-in-one": "github.com/jaegertracing/jaeger/cmd/all-in-one"},
    ("github.com/jaegertracing/jaeger/pkg/version.latestVersion={version}",),
)
PLACEHOLDER = Module("placeholder", "", {"placeholder": "."})
"""The placeholder, which replaces an application whose image is missing."""
MODULES = {
    module.name: module
    for module in (
        PROMETHEUS,
        ALERTMANAGER,
        POSTGRES_EXPORTER,
        KUBE_STATE_METRICS,
        JAEGER,
    )
}
"""Modules by their name in ``table.yaml``."""
