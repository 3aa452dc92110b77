"""The exporter of CloudWatch's metrics, on the graph."""

from __future__ import annotations

import json
from typing import Any

from ruamel.yaml import YAML

from components.kinds.cloudwatch_exporter.metrics import READ
from config.kinds.aws import Managed
from config.loader import load
from tests.components.application import body, shipped, spec

STAGING, PLATFORM = shipped(), shipped("quikapp-staging-platform")
STORES = {"postgres", "mysql", "mongodb", "redis", "kafka", "elasticsearch"}


def configuration() -> Any:
    return YAML(typ="safe").load(body(STAGING, "ConfigMap", "cloudwatch-exporter")["data"]["config.yml"])


def test_every_managed_store_is_read_by_its_tags() -> None:
    file = configuration()
    assert file["apiVersion"] == "v1alpha1"
    assert file["sts-region"] == "us-east-1"
    jobs = {job["customTags"][0]["value"]: job for job in file["discovery"]["jobs"]}
    assert jobs.keys() == STORES
    declared = {name for name, c in load("quikapp").components.items() if isinstance(c, Managed)}
    assert declared == STORES
    assert jobs["kafka"]["type"] == "AWS/Kafka"
    assert {"key": "understudy:component", "value": "^kafka$"} in jobs["kafka"]["searchTags"]
    assert {m["name"] for m in jobs["redis"]["metrics"]} == set(READ["elasticache"].metrics)


def test_the_tags_are_those_that_the_platform_gives() -> None:
    clusters = [n for n in PLATFORM if n["type"] in ("aws:rds/cluster:Cluster", "aws:msk/cluster:Cluster")]
    assert {n["inputs"]["tags"]["understudy:component"] for n in clusters} == {"postgres", "mysql", "kafka"}
    assert {n["inputs"]["tags"]["understudy:environment"] for n in clusters} == {"staging"}


def test_series_are_named_as_the_exporter_names_them() -> None:
    assert READ["aurora"].series("CPUUtilization") == "aws_rds_cpuutilization_average"
    assert READ["elasticache"].series("EngineCPUUtilization") == "aws_elasticache_engine_cpuutilization_average"
    assert READ["opensearch"].series("ClusterStatus.red") == "aws_es_cluster_status_red_maximum"
    assert READ["msk"].series("UnderReplicatedPartitions") == "aws_kafka_under_replicated_partitions_maximum"


def test_it_may_read_metrics_and_nothing_else() -> None:
    [policy] = [n for n in PLATFORM if n["type"].endswith(":RolePolicy") and n["name"].endswith("-cloudwatch-exporter")]
    [statement] = json.loads(policy["inputs"]["policy"])["Statement"]
    assert statement["Action"] == ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "tag:GetResources"]


def test_it_reaches_aws_and_no_store() -> None:
    ports = {
        port["port"]
        for rule in spec(STAGING, "NetworkPolicy", "cloudwatch-exporter")["egress"]
        for port in rule["ports"]
    }
    assert ports == {8443, 80}  # the gateway out, and the agent that gives it its role
    hosts = spec(STAGING, "ServiceEntry", "cloudwatch-exporter")["hosts"]
    assert hosts == ["monitoring.us-east-1.amazonaws.com", "tagging.us-east-1.amazonaws.com"]


def test_each_store_has_alerts() -> None:
    for name in STORES:
        file = body(STAGING, "ConfigMap", f"prometheus-rules-{name}")["data"][f"{name}.yml"]
        rules = [rule for group in YAML(typ="safe").load(file)["groups"] for rule in group["rules"]]
        assert "StoreCPUHigh" in {rule["alert"] for rule in rules}
        assert all(f'custom_tag_store="{name}"' in rule["expr"] for rule in rules)
        assert {rule["labels"]["component"] for rule in rules} == {name}
