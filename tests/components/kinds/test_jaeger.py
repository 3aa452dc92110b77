"""Jaeger on the graph."""

from __future__ import annotations

import json

from review.graph import graph
from tests.components.graphs import inputs

STAGING, PRODUCTION = tuple(graph("staging")), tuple(graph("production"))


def test_otlp_zipkin_and_the_ui() -> None:
    ports = {port["name"]: port["port"] for port in inputs(STAGING, "Service", "jaeger")["spec"]["ports"]}
    assert ports == {"http": 16686, "otlp-grpc": 4317, "otlp-http": 4318, "zipkin": 9411, "metrics": 14269}
    [container] = inputs(STAGING, "Deployment", "jaeger")["spec"]["template"]["spec"]["containers"]
    assert "--collector.otlp.enabled=true" in container["args"]
    assert "--collector.zipkin.host-port=:9411" in container["args"]


def test_sampling_by_environment() -> None:
    for nodes, share in ((STAGING, 1), (PRODUCTION, 0.1)):
        file = json.loads(inputs(nodes, "ConfigMap", "jaeger")["data"]["sampling.json"])
        assert file["default_strategy"] == {"type": "probabilistic", "param": share}
        [container] = inputs(nodes, "Deployment", "game-server")["spec"]["template"]["spec"]["containers"]
        variables = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert float(variables["OTEL_TRACES_SAMPLER_ARG"]) == share
        assert variables["OTEL_SERVICE_NAME"] == "game-server"
        namespace = inputs(nodes, "Namespace", "namespace")["metadata"]["name"]
        assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://jaeger.{namespace}.svc.cluster.local:4317"
