"""What a placeholder is told of the container that it stands for."""

from __future__ import annotations

from typing import Any

from local.images.placeholder import Placeholders
from local.stack import LocalStack
from tests.components.graphs import shipped

STORE = "cockroachdb/cockroach:v23.1.13"


def _objects(stack: str) -> list[dict[str, Any]]:
    return [resource["inputs"] for resource in shipped(stack) if resource["type"].startswith("kubernetes:")]


def _of(stack: str, image: str, missing: set[str]) -> dict[str, Any]:
    return Placeholders(_objects(stack), LocalStack(stack).resolved(), frozenset(missing)).of(image)


def test_ports_probes_and_metrics_are_those_of_the_pods() -> None:
    told = _of("staging", "registry.spacetime.example.com/game-server:1.4.0", set())
    assert told["ports"] == [{"name": "http", "number": 8080}, {"name": "metrics", "number": 9464}]
    assert {"port": 8080, "path": "/health/ready", "ready": True} in told["probes"]
    assert {"port": 8080, "path": "/health/live", "ready": False} in told["probes"]
    assert told["metrics"]["http_requests_total"] == {"type": "counter", "help": "Requests answered"}
    assert told["commands"] == []


def test_a_service_is_simulated_when_no_pod_behind_it_runs() -> None:
    services = _of("staging", "registry.spacetime.example.com/game-server:1.4.0", {STORE})["services"]
    store = services["cockroachdb-public.staging.svc.cluster.local"]
    assert "26257" in store["ports"]
    assert STORE in store["simulated"]
    redis = services["redis-master.staging.svc.cluster.local"]
    assert redis["ports"]["6379"] == "redis"
    assert "simulated" not in redis


def test_the_pods_that_a_job_makes_stand_behind_no_service() -> None:
    def body(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        return {"kind": kind, "metadata": {"name": name, "namespace": "n"}, "spec": spec}

    def template(image: str) -> dict[str, Any]:
        return {"template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"image": image}]}}}

    service = body("Service", "a", {"selector": {"app": "a"}, "ports": [{"port": 80}]})
    job, store = body("Job", "j", template("b:1")), body("StatefulSet", "a", template("a:1"))
    known = Placeholders([service, job, store], None, frozenset({"a:1"})).of("b:1")["services"]
    assert "a:1" in known["a.n.svc.cluster.local"]["simulated"]
    known = Placeholders([service, job, store], None, frozenset({"b:1"})).of("b:1")["services"]
    assert "simulated" not in known["a.n.svc.cluster.local"]
    known = Placeholders([service], None, frozenset({"a:1"})).of("b:1")["services"]
    assert "simulated" not in known["a.n.svc.cluster.local"]  # nothing says what stands behind it


def test_a_command_of_the_application_is_the_placeholders_too() -> None:
    told = _of("quikapp-staging", "registry.quikapp.dev/backend:1.0.0", set())
    assert told["commands"] == [{"program": "/usr/bin/npm", "arguments": ["run", "migrate"], "does": "task"}]
    told = _of("quikapp-staging", "registry.quikapp.dev/db-tools:1.0.0", set())
    assert [(command["program"], command["does"]) for command in told["commands"]] == [("/bin/sh", "task")]


def test_probes_and_hooks_that_are_commands() -> None:
    container = {
        "image": "a:1",
        "ports": [{"containerPort": 53, "protocol": "UDP"}],
        "command": ["serve", "--now"],
        "readinessProbe": {"exec": {"command": ["/bin/ask", "ready"]}},
        "livenessProbe": {"exec": {"command": ["/bin/ask", "live"]}},
        "startupProbe": {"httpGet": {"port": 9000}},
        "lifecycle": {
            "preStop": {"exec": {"command": ["/bin/say", "goodbye"]}},
            "postStart": {"sleep": {"seconds": 1}},
        },
    }
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    told = Placeholders([pod], None, frozenset()).of("a:1")
    does = {(command["program"], *command["arguments"]): command["does"] for command in told["commands"]}
    assert does == {
        ("/usr/bin/serve", "--now"): "serve",
        ("/bin/ask", "ready"): "ready",
        ("/bin/ask", "live"): "live",
        ("/bin/say", "goodbye"): "nothing",
    }
    assert told["ports"] == []
    assert told["probes"] == [{"port": 9000, "path": "/", "ready": False}]
