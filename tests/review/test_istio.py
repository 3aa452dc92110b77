"""Istio's own messages: none for what is shipped, and each for what it is about."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from review.istio.analyzers import ANALYZERS, analyze
from review.istio.world import World
from tests.components.application import CANARY, CANARY_IMAGE, changed, shipped

Spoil = Callable[[list[Any]], None]
SERVICE = "backend.quikapp-staging.svc.cluster.local"
SELECTED = {"matchLabels": {"app": "backend"}}


def objects(*stacks: str) -> World:
    return World.of(*(shipped(stack) for stack in stacks))


SHIPPED = objects("quikapp-staging", "quikapp-staging-platform")


def edit(kind: str, name: str, change: Callable[[Any], Any]) -> Spoil:
    """Changes one object."""

    def spoil(bodies: list[Any]) -> None:
        [body] = [b for b in bodies if b["kind"] == kind and b["metadata"]["name"] == name]
        change(body)

    return spoil


def add(kind: str, name: str, spec: Any, version: str = "networking.istio.io/v1") -> Spoil:
    """One object more."""

    def spoil(bodies: list[Any]) -> None:
        metadata = {"name": name, "namespace": "quikapp-staging"}
        bodies.append({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})

    return spoil


def update(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        for part in path[:-1]:
            body = body[part]
        body[path[-1]] = value

    return change


def route(host: str, **more: Any) -> Any:
    return {"hosts": ["x.example.com"], "http": [{"route": [{"destination": {"host": host, **more}}]}]}


def entry(**more: Any) -> Any:
    ports = [{"number": 443, "name": "tls", "protocol": "TLS"}]
    return {"hosts": ["x.example.com"], "location": "MESH_EXTERNAL", "resolution": "DNS", "ports": ports, **more}


FIRST = ("spec", "http", 0, "route", 0, "destination")
GATEWAY = ("Gateway", "hosts")
TELEMETRY = "telemetry.istio.io/v1"
SECURITY = "security.istio.io/v1"
TLS = {"tls": {"mode": "SIMPLE"}}
CASES: dict[str, list[Spoil]] = {
    "IST0101": [
        edit("VirtualService", "hosts-api", update("spec", "gateways", value=["nowhere"])),
        edit("VirtualService", "hosts-api", update(*FIRST, "host", value="gone.quikapp-staging.svc.cluster.local")),
        edit("VirtualService", "hosts-api", update(*FIRST, "subset", value="canary")),
        edit(*GATEWAY, update("spec", "servers", 0, "tls", "credentialName", value="lost")),
        edit(*GATEWAY, update("spec", "selector", value={"istio": "nobody"})),
        edit("Sidecar", "backend", update("spec", "workloadSelector", "labels", value={"app": "nobody"})),
    ],
    "IST0102": [edit("Namespace", "quikapp-staging", update("metadata", "labels", value={}))],
    "IST0107": [
        edit("Deployment", "backend", update("metadata", "annotations", value={"sidecar.istio.io/inject": "false"}))
    ],
    "IST0109": [add("VirtualService", "a", {**route(SERVICE, port={"number": 8080}), "hosts": [SERVICE]})],
    "IST0110": [add("Sidecar", "second", {"workloadSelector": {"labels": {"app": "backend"}}})],
    "IST0111": [add("Sidecar", "one", {"egress": []})],
    "IST0112": [add("VirtualService", "x", route(SERVICE))],
    "IST0113": [edit("DestinationRule", "backend", update("spec", "trafficPolicy", "tls", value={"mode": "DISABLE"}))],
    "IST0116": [
        add(
            "Service",
            "again",
            {"selector": {"app": "backend"}, "ports": [{"name": "tcp-x", "port": 80, "targetPort": "http"}]},
            "v1",
        )
    ],
    "IST0118": [edit("Service", "backend", lambda body: body["spec"]["ports"][1].pop("appProtocol"))],
    "IST0123": [
        edit("Namespace", "quikapp-staging", lambda body: body["metadata"]["labels"].update({"istio.io/rev": "x"}))
    ],
    "IST0127": [add("AuthorizationPolicy", "x", {"selector": {"matchLabels": {"app": "nobody"}}}, SECURITY)],
    "IST0128": [
        edit(
            "DestinationRule",
            "elasticsearch",
            lambda body: body["spec"]["trafficPolicy"]["tls"].pop("caCertificates"),
        )
    ],
    "IST0129": [
        edit(
            "DestinationRule",
            "elasticsearch",
            update("spec", "trafficPolicy", "portLevelSettings", value=[{"port": {"number": 443}, **TLS}]),
        )
    ],
    "IST0130": [edit("VirtualService", "hosts-api", lambda body: body["spec"]["http"].reverse())],
    "IST0131": [
        edit("VirtualService", "hosts-api", lambda body: body["spec"]["http"].insert(0, body["spec"]["http"][0]))
    ],
    "IST0132": [edit("VirtualService", "hosts-api", update("spec", "hosts", value=["other.quikapp.com"]))],
    "IST0134": [add("ServiceEntry", "x", entry(ports=[{"number": 5000, "name": "tcp", "protocol": "TCP"}]))],
    "IST0138": [
        add(
            "Gateway",
            "x",
            {
                "selector": {"istio": "ingress"},
                "servers": [
                    {
                        "port": {"number": 8443, "name": "https", "protocol": "HTTPS"},
                        "hosts": ["other.quikapp.com"],
                        "tls": {"mode": "SIMPLE", "credentialName": "gateway-certificate"},
                    }
                ],
            },
        )
    ],
    "IST0144": [
        edit(
            "Deployment",
            "backend",
            update("spec", "template", "spec", "securityContext", "runAsUser", value=1337),
        )
    ],
    "IST0145": [
        add(
            "Gateway",
            "x",
            {
                "selector": {"istio": "ingress"},
                "servers": [{"port": {"number": 8443, "name": "x", "protocol": "HTTPS"}, "hosts": ["*"]}],
            },
        )
    ],
    "IST0151": [
        edit(
            "EnvoyFilter",
            "backend-rate-limit",
            lambda body: (
                body["spec"].pop("priority"),
                body["spec"]["configPatches"][0]["patch"].update({"operation": "INSERT_BEFORE"}),
            ),
        )
    ],
    "IST0153": [
        edit(
            "EnvoyFilter",
            "backend-rate-limit",
            lambda body: body["spec"]["configPatches"].append({"applyTo": "HTTP_ROUTE", "patch": {"operation": "ADD"}}),
        )
    ],
    "IST0157": [add("Telemetry", "x", {"selector": SELECTED, "tracing": [{"randomSamplingPercentage": 1}]}, TELEMETRY)],
    "IST0159": [add("Telemetry", "x", {"selector": SELECTED}, TELEMETRY)],
    "IST0160": [add("Telemetry", "x", {}, TELEMETRY)],
    "IST0161": [edit("Secret", "gateway-certificate", lambda body: body["stringData"].pop("tls.key"))],
    "IST0162": [edit(*GATEWAY, update("spec", "servers", 0, "port", "number", value=9443))],
    "IST0173": [
        edit("DestinationRule", "backend", update("spec", "subsets", 0, "labels", value={"understudy.dev/track": "x"}))
    ],
    "IST0174": [edit("DestinationRule", "backend", update("spec", "host", value="gone.example.com"))],
    "IST0177": [
        add(
            "ServiceEntry",
            "x",
            entry(hosts=["hooks.slack.com"], ports=[{"number": 443, "name": "x", "protocol": "HTTP"}]),
        )
    ],
}
ALSO: dict[str, tuple[Spoil, ...]] = {
    "IST0109": (add("VirtualService", "b", {**route(SERVICE, port={"number": 8080}), "hosts": [SERVICE]}),),
    "IST0111": (add("Sidecar", "two", {"egress": []}),),
}
"""What some need besides."""


def world(*spoils: Spoil) -> World:
    bodies = [json.loads(json.dumps(body)) for body in SHIPPED.objects]
    for spoil in spoils:
        spoil(bodies)
    return World(tuple(bodies), copy.deepcopy(SHIPPED.releases))


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_what_is_shipped_has_none(environment: str) -> None:
    assert analyze(objects(f"quikapp-{environment}", f"quikapp-{environment}-platform")) == []


def test_nor_has_a_canary() -> None:
    nodes = changed(CANARY, images=CANARY_IMAGE)
    assert analyze(World.of(nodes, shipped("quikapp-staging-platform"))) == []


def test_every_message_has_a_fixture() -> None:
    assert CASES.keys() == ANALYZERS.keys()


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        pytest.param(code, spoil, id=f"{code}-{index}")
        for code, spoils in CASES.items()
        for index, spoil in enumerate(spoils)
    ],
)
def test_is_seen(code: str, spoil: Spoil) -> None:
    found = {message.code for message in analyze(world(spoil, *ALSO.get(code, ())))}
    assert code in found
