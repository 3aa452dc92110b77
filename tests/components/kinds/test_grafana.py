"""Grafana on the graph, and the script that starts it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kinds.grafana import START
from review.graph import graph
from tests.components.graphs import inputs, recorded
from tests.systems import WATCHED

STAGING = tuple(graph("staging"))


def sources(nodes: Any = STAGING, name: str = "grafana") -> dict[str, Any]:
    file = yaml.safe_load(inputs(nodes, "ConfigMap", name)["data"]["datasources.yaml"])
    return {source["uid"]: source for source in file["datasources"]}


def test_the_seeds_figures() -> None:
    """5 GB, 250 to 500m, 512 MB to 1 GB, port 3000; Prometheus, Jaeger, Elasticsearch: seed ``spacetime``."""
    claim = inputs(STAGING, "PersistentVolumeClaim", "data-grafana-0")
    assert claim["spec"]["resources"]["requests"]["storage"] == "5G"
    [container] = inputs(STAGING, "Deployment", "grafana")["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "250m", "memory": "512M"},
        "limits": {"cpu": "500m", "memory": "1G"},
    }
    assert inputs(STAGING, "Service", "grafana")["spec"]["ports"][0]["port"] == 3000
    assert {uid: source["type"] for uid, source in sources().items()} == {
        "prometheus": "prometheus",
        "jaeger": "jaeger",
        "elasticsearch": "elasticsearch",
    }


def test_where_the_sources_are() -> None:
    found = sources()
    assert found["prometheus"]["url"] == "http://prometheus.staging.svc.cluster.local:9090"
    assert found["prometheus"]["isDefault"] is True
    assert found["jaeger"]["url"] == "http://jaeger.staging.svc.cluster.local:16686"
    logs = found["elasticsearch"]
    assert logs["url"] == "https://elasticsearch.staging.svc.cluster.local:9200"
    assert logs["jsonData"]["index"] == "logs-staging-*"
    assert logs["secureJsonData"] == {
        "basicAuthPassword": "$ELASTICSEARCH_PASSWORD",
        "tlsCACert": "$__file{/etc/understudy/ca-elasticsearch/ca.crt}",
    }


def test_loki_where_there_is_one() -> None:
    found = sources(recorded(*WATCHED), "show")
    assert {uid: source["type"] for uid, source in found.items()} == {"watch": "prometheus", "loki": "loki"}
    assert found["loki"]["url"] == "http://loki.shop-staging.svc.cluster.local:3100"


def test_nobody_reads_a_password_in_the_graph() -> None:
    [container] = inputs(STAGING, "Deployment", "grafana")["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry for entry in container["env"]}
    for name, key in (
        ("GF_SECURITY_ADMIN_PASSWORD", {"name": "monitoring-credentials", "key": "grafana-password"}),
        ("ELASTICSEARCH_PASSWORD", {"name": "logging-credentials", "key": "reader-password"}),
    ):
        assert variables[name]["valueFrom"] == {"secretKeyRef": key}


def test_every_page_is_mounted_where_grafana_looks() -> None:
    pod = inputs(STAGING, "Deployment", "grafana")["spec"]["template"]["spec"]
    [volume] = [volume for volume in pod["volumes"] if volume["name"] == "dashboards"]
    mounted = {source["configMap"]["name"] for source in volume["projected"]["sources"]}
    made = {
        n["name"] for n in STAGING if n["type"].endswith(":ConfigMap") and n["name"].startswith("grafana-dashboards-")
    }
    assert mounted == made
    files = [file for name in made for file in inputs(STAGING, "ConfigMap", name)["data"]]
    assert len(files) == len(set(files)) == 5
    providers = yaml.safe_load(inputs(STAGING, "ConfigMap", "grafana")["data"]["providers.yaml"])
    [mount] = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "dashboards"]
    assert providers["providers"][0]["options"]["path"] == mount["mountPath"]
    for name in made:
        data = inputs(STAGING, "ConfigMap", name)["data"]
        assert sum(len(text) for text in data.values()) < 900_000  # a ConfigMap holds a mebibyte


@pytest.mark.parametrize("existing", [False, True])
def test_a_rotation_reaches_the_database(existing: bool, tmp_path: Path) -> None:
    """The script with programs that write down how they were called."""
    (tmp_path / "data").mkdir()
    if existing:
        (tmp_path / "data" / "grafana.db").touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    log = tmp_path / "log"
    (programs / "grafana").write_text(f'#!/bin/sh\necho "$@ < $(cat)" >>{log}\n')
    (programs / "grafana").chmod(0o755)
    run = tmp_path / "run.sh"
    run.write_text(f"#!/bin/sh\necho started >>{log}\n")
    run.chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GF_PATHS_DATA": str(tmp_path / "data"),
        "GF_PATHS_HOME": "/usr/share/grafana",
        "GF_SECURITY_ADMIN_PASSWORD": 's3"cret',
    }
    subprocess.run(["sh", "-c", START.replace("/run.sh", str(run))], env=environment, check=True)
    lines = log.read_text().splitlines()
    assert lines[-1] == "started"
    assert len(lines) == (2 if existing else 1)
    if existing:
        assert lines[0].endswith('admin reset-admin-password --password-from-stdin < s3"cret')
