"""Alloy on the graph."""

from __future__ import annotations

import re

from components.kinds.alloy.configuration import configuration
from tests.components.graphs import inputs, recorded
from tests.systems import WATCHED


def test_it_reads_through_the_api_and_pushes_to_the_loki_it_uses() -> None:
    text = inputs(recorded(*WATCHED), "ConfigMap", "collect")["data"]["config.alloy"]
    assert 'names = ["shop-staging"]' in text
    assert 'url = "http://loki.shop-staging.svc.cluster.local:3100/loki/api/v1/push"' in text
    pod = inputs(recorded(*WATCHED), "Deployment", "collect")["spec"]["template"]["spec"]
    assert not any("hostPath" in volume for volume in pod["volumes"])
    assert pod["automountServiceAccountToken"] is True


def test_the_least_rights() -> None:
    role = inputs(recorded(*WATCHED), "Role", "collect")
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ]


def test_every_reference_is_to_a_block_that_is_there() -> None:
    text = configuration("shop", "http://loki:3100")
    blocks = {f"{kind}.{label}" for kind, label in re.findall(r'^([a-z.]+) "(\w+)" \{', text, re.MULTILINE)}
    references = re.findall(r"= \[?((?:discovery|loki)\.\w+\.\w+)\.(?:targets|output|receiver)\]?$", text, re.MULTILINE)
    assert len(references) == 4
    assert set(references) <= blocks


def test_its_way_to_loki_and_the_api_is_open() -> None:
    rules = inputs(recorded(*WATCHED), "NetworkPolicy", "collect-network")["spec"]["egress"]
    assert {
        "to": [{"podSelector": {"matchLabels": {"app": "loki"}}}],
        "ports": [{"protocol": "TCP", "port": 3100}],
    } in rules
    assert {
        "to": [{"ipBlock": {"cidr": "10.1.0.1/32"}}],
        "ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}],
    } in rules
