"""Logstash's pipeline, and who sends to it."""

from __future__ import annotations

from typing import Any

import pytest
from lark import Lark, Token, Tree

from review.graph import graph
from tests.components.graphs import inputs

STAGING = tuple(graph("staging"))
GRAMMAR = r"""
start: section+
section: NAME "{" statement* "}"
statement: branch | plugin
branch: "if" condition "{" statement* "}"
condition: test ("and" test)*
test: "!"? FIELD
plugin: NAME "{" setting* "}"
setting: NAME "=>" value
value: STRING | NUMBER | BOOLEAN | array | hash
array: "[" [value ("," value)*] "]"
hash: "{" (STRING "=>" value)* "}"
NAME: /[a-z_]+/
FIELD: /(\[[a-z_@]+\])+/
STRING: /"[^"]*"/
NUMBER: /\d+/
BOOLEAN.2: "true" | "false"
%import common.WS
%ignore WS
"""
"""The part of Logstash's own grammar (``logstash-core/lib/logstash/config/grammar.treetop`` of 8.11) that is used here."""


def pipeline() -> str:
    return str(inputs(STAGING, "ConfigMap", "logstash")["data"]["logstash.conf"])


def settings(name: str) -> dict[str, str]:
    """Of the one plugin of that name."""
    found: Tree[Token] = Lark(GRAMMAR).parse(pipeline())
    [plugin] = [p for p in found.find_data("plugin") if p.children[0] == name]
    return {
        str(s.children[0]): "".join(str(t) for t in s.scan_values(lambda _: True)).removeprefix(str(s.children[0]))
        for s in plugin.children[1:]
    }


def test_it_is_written_in_logstashs_language() -> None:
    tree = Lark(GRAMMAR).parse(pipeline())
    assert [section.children[0] for section in tree.children] == ["input", "filter", "output"]


def test_it_listens_where_the_seed_says() -> None:
    assert settings("tcp") == {"port": "5000", "codec": '"json_lines"'}
    ports = [port["port"] for port in inputs(STAGING, "Service", "logstash")["spec"]["ports"]]
    assert ports[0] == 5000


def test_it_writes_the_stream_that_kibana_reads() -> None:
    found = settings("elasticsearch")
    assert found["hosts"] == '"https://elasticsearch.staging.svc.cluster.local:9200"'
    assert (found["data_stream_type"], found["data_stream_dataset"]) == ('"logs"', '"staging"')
    assert found["user"] == '"logs_writer"'
    assert found["password"] == '"${WRITER_PASSWORD}"'
    assert found["ssl_certificate_authorities"] == '"/etc/understudy/ca-elasticsearch/ca.crt"'


@pytest.mark.parametrize("name", ["level", "service", "message"])
def test_every_event_has_what_people_search_by(name: str) -> None:
    assert f"if ![{name}] {{" in pipeline()


def test_the_service_is_told_where_to_send() -> None:
    [container] = inputs(STAGING, "Deployment", "game-server")["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert variables["LOGSTASH_HOST"] == "logstash.staging.svc.cluster.local"
    assert variables["LOGSTASH_PORT"] == "5000"
    rules: list[Any] = inputs(STAGING, "NetworkPolicy", "logstash-network")["spec"]["ingress"]
    [users] = [rule for rule in rules if {"podSelector": {"matchLabels": {"app": "game-server"}}} in rule["from"]]
    assert 5000 in [port["port"] for port in users["ports"]]
