"""Istio's own messages, for the kinds that are used here.

Ids, names and what each is about: ``pkg/config/analysis/msg/messages.yaml`` of istio.io/istio at
v0.0.0-20260827124520-eed52ebb66ad (published at https://istio.io/latest/docs/reference/config/analysis/); IST0113 is of earlier
versions, which found in the configuration what is now seen in the proxies only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from .world import Object, Pod, World, at, name, namespace

Found = Iterator[tuple[Object, str]]
Analyzer = Callable[[World], Found]
_INJECTION = "istio-injection"
_POD_ANNOTATIONS = ("sidecar.istio.io/", "traffic.sidecar.istio.io/", "proxy.istio.io/")
_PROTOCOLS = ("http", "http2", "https", "tcp", "tls", "grpc", "grpc-web", "mongo", "mysql", "redis", "udp")
_OWN_PORTS = re.compile(rf"^({'|'.join(_PROTOCOLS)})(-.+)?$")
_UID = 1337


@dataclass(frozen=True)
class Message:
    """One finding."""

    code: str
    name: str
    resource: str
    """``<kind> <namespace>/<name>``."""
    text: str


def analyze(world: World) -> list[Message]:
    """Returns the messages of all analyzers."""
    return [
        Message(code, object_name, f"{body['kind']} {namespace(body)}/{name(body)}", text)
        for code, (object_name, analyzer) in ANALYZERS.items()
        for body, text in analyzer(world)
    ]


def _routes(body: Object) -> Iterator[Mapping[str, Any]]:
    """Yields destinations of a VirtualService."""
    for protocol in ("http", "tls", "tcp"):
        for rule in at(body, "spec", protocol) or ():
            for route in rule.get("route", ()):
                yield route["destination"]


def _gateways(world: World, body: Object) -> Iterator[tuple[str, Object | None]]:
    """Yields the gateways that a VirtualService names, each with its object or ``None``."""
    for written in at(body, "spec", "gateways") or ():
        if written != "mesh":
            namespace_name, _, object_name = written.rpartition("/")
            yield (
                written,
                next(
                    (
                        gateway
                        for gateway in world.kind("Gateway", "networking.istio.io")
                        if name(gateway) == object_name and namespace(gateway) == (namespace_name or namespace(body))
                    ),
                    None,
                ),
            )


def _servers(gateway: Object) -> list[Any]:
    return list(at(gateway, "spec", "servers") or ())


def _workloads(world: World, gateway: Object) -> list[Pod]:
    """Returns the workloads of a Gateway, whose selector applies to every namespace."""
    return [pod for pod in world.pods if pod.matches(at(gateway, "spec", "selector"))]


def _not_found(world: World) -> Found:
    for body in world.kind("VirtualService"):
        yield from ((body, text) for text in _lost_routes(world, body))
    for gateway in world.kind("Gateway", "networking.istio.io"):
        yield from ((gateway, text) for text in _lost_gateway(world, gateway))
    for kind, path in (("Sidecar", ("workloadSelector", "labels")), ("Telemetry", ("selector", "matchLabels"))):
        for body in world.kind(kind):
            if at(body, "spec", *path) and not world.selected(body, *path):
                yield body, f"selector {at(body, 'spec', *path)}"


def _lost_routes(world: World, body: Object) -> Iterator[str]:
    for written, gateway in _gateways(world, body):
        if gateway is None:
            yield f"gateway {written!r}"
    for destination in _routes(body):
        host, subset = destination["host"], destination.get("subset")
        if host not in world.hosts:
            yield f"host {host!r}"
        elif subset and subset not in _subsets(world, host):
            yield f"host+subset in destinationrule {host}+{subset}"


def _lost_gateway(world: World, gateway: Object) -> Iterator[str]:
    pods = _workloads(world, gateway)
    if not pods:
        yield f"selector {at(gateway, 'spec', 'selector')}"
    for server in _servers(gateway):
        credential = at(server, "tls", "credentialName")
        if credential and pods and not any(_secret(world, pod.namespace, credential) for pod in pods):
            yield f"credentialName {credential!r}"


def _subsets(world: World, host: str) -> set[str]:
    rules = [rule for rule in world.kind("DestinationRule") if at(rule, "spec", "host") == host]
    return {subset["name"] for rule in rules for subset in at(rule, "spec", "subsets") or ()}


def _secret(world: World, namespace_name: str, object_name: str) -> Object | None:
    return next((s for s in world.kind("Secret") if name(s) == object_name and namespace(s) == namespace_name), None)


def _meshed(world: World) -> set[str]:
    """Returns namespaces with objects for proxies of their own pods."""
    return {namespace(body) for kind in ("PeerAuthentication", "Sidecar") for body in world.kind(kind)}


def _not_injected(world: World) -> Found:
    namespaces = _meshed(world)
    for body in world.kind("Namespace"):
        labels = body["metadata"].get("labels", {})
        if name(body) in namespaces and labels.get(_INJECTION) != "enabled" and "istio.io/rev" not in labels:
            yield body, "is not enabled for injection"


def _misplaced(world: World) -> Found:
    for body in world.objects:
        for annotation in body["metadata"].get("annotations") or {}:
            if annotation.startswith(_POD_ANNOTATIONS):
                yield body, f"{annotation} can only be applied to Pod"


def _conflicting_hosts(world: World) -> Found:
    seen: dict[tuple[str, str], str] = {}
    for body in world.kind("VirtualService"):
        if "mesh" in (at(body, "spec", "gateways") or ["mesh"]):
            for host in at(body, "spec", "hosts"):
                first = seen.setdefault((namespace(body), host), name(body))
                if first != name(body):
                    yield body, f"{first} and {name(body)} define the same host {host}"


def _conflicting_sidecars(world: World) -> Found:
    yield from _twice(world, "Sidecar", "workloadSelector", "labels")


def _conflicting_telemetries(world: World) -> Found:
    yield from _twice(world, "Telemetry", "selector", "matchLabels")


def _twice(world: World, kind: str, *path: str) -> Found:
    chosen: dict[tuple[str, str], str] = {}
    for body in world.kind(kind):
        for pod in world.selected(body, *path) if at(body, "spec", *path) else ():
            first = chosen.setdefault((pod.namespace, pod.workload), name(body))
            if first != name(body):
                yield body, f"{first} and {name(body)} select the same workload pod {pod.workload!r}"


def _whole_sidecars(world: World) -> Found:
    yield from _several(world, "Sidecar", "workloadSelector")


def _whole_telemetries(world: World) -> Found:
    yield from _several(world, "Telemetry", "selector")


def _several(world: World, kind: str, selector: str) -> Found:
    namespace_wide: dict[str, list[Object]] = defaultdict(list)
    for body in world.kind(kind):
        if not at(body, "spec", selector):
            namespace_wide[namespace(body)].append(body)
    for bodies in namespace_wide.values():
        for body in bodies[1:]:
            yield body, f"{name(bodies[0])} and {name(body)} have no workload selector"


def _port_needed(world: World) -> Found:
    for body in world.kind("VirtualService"):
        for destination in _routes(body):
            ports = world.hosts.get(destination["host"], ())
            if "port" not in destination and len(ports) > 1:
                yield body, f"{destination['host']} exposes multiple ports {ports}"


def _mutual_tls(world: World) -> Found:
    strict = {namespace(p) for p in world.kind("PeerAuthentication") if at(p, "spec", "mtls", "mode") == "STRICT"}
    namespaces = {service.host: service.namespace for service in world.services}
    for rule in world.kind("DestinationRule"):
        mode = at(rule, "spec", "trafficPolicy", "tls", "mode")
        if namespaces.get(at(rule, "spec", "host")) in strict and mode not in (None, "ISTIO_MUTUAL"):
            yield rule, f"specifies {mode}, and the pods of {at(rule, 'spec', 'host')} take STRICT only"


def _one_workload_two_protocols(world: World) -> Found:
    for pod in world.pods:
        used: dict[Any, str] = {}
        for body in world.kind("Service", "v1"):
            if namespace(body) != pod.namespace or not pod.matches(at(body, "spec", "selector")):
                continue
            for port in at(body, "spec", "ports") or ():
                protocol = str(port.get("name", "")).partition("-")[0]
                first = used.setdefault(port.get("targetPort", port["port"]), protocol)
                if first != protocol:
                    yield body, f"{pod.workload}: port {port['port']} is {first} and {protocol}"


def _port_names(world: World) -> Found:
    namespaces = _meshed(world)
    for body in world.kind("Service", "v1"):
        for port in at(body, "spec", "ports") or () if namespace(body) in namespaces else ():
            if not port.get("appProtocol") and not _OWN_PORTS.match(str(port.get("name", ""))):
                yield body, f"port {port.get('name')!r} ({port['port']}) does not follow the naming convention"


def _two_labels(world: World) -> Found:
    for body in world.kind("Namespace"):
        labels = body["metadata"].get("labels", {})
        if _INJECTION in labels and "istio.io/rev" in labels:
            yield body, "has more than one type of injection labels"


def _nobody_authorized(world: World) -> Found:
    for body in world.kind("AuthorizationPolicy"):
        selector = at(body, "spec", "selector", "matchLabels")
        if selector and not world.selected(body, "selector", "matchLabels"):
            yield body, f"no matching workloads for {selector}"


def _unverified(world: World) -> Found:
    for rule in world.kind("DestinationRule"):
        tls = at(rule, "spec", "trafficPolicy", "tls")
        if at(tls, "mode") in ("SIMPLE", "MUTUAL") and not at(tls, "caCertificates") and not at(tls, "credentialName"):
            yield rule, f"mode {at(tls, 'mode')} and no caCertificates"


def _unverified_port(world: World) -> Found:
    for rule in world.kind("DestinationRule"):
        for setting in at(rule, "spec", "trafficPolicy", "portLevelSettings") or ():
            tls = at(setting, "tls")
            if at(tls, "mode") in ("SIMPLE", "MUTUAL") and not at(tls, "caCertificates"):
                yield rule, f"port {at(setting, 'port', 'number')}: mode {at(tls, 'mode')} and no caCertificates"


def _unreachable(world: World) -> Found:
    for body in world.kind("VirtualService"):
        everything = False
        for rule in at(body, "spec", "http") or ():
            if everything:
                yield body, f"rule {rule.get('name')!r} not used (only the last rule can have no matches)"
            everything = everything or not rule.get("match")


def _ineffective(world: World) -> Found:
    for body in world.kind("VirtualService"):
        seen: list[Any] = []
        for rule in at(body, "spec", "http") or ():
            for match in rule.get("match", ()):
                if match in seen:
                    yield body, f"rule {rule.get('name')!r} match {match} duplicates an earlier one"
                seen.append(match)


def _host_not_in_gateway(world: World) -> Found:
    for body in world.kind("VirtualService"):
        for written, gateway in _gateways(world, body):
            if gateway is not None:
                served = [host.rpartition("/")[2] for server in _servers(gateway) for host in server["hosts"]]
                if not any(_covers(one, host) for one in served for host in at(body, "spec", "hosts")):
                    yield body, f"hosts {at(body, 'spec', 'hosts')} not found in Gateway {written}"


def _covers(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _addresses(world: World) -> Found:
    for body in world.kind("ServiceEntry"):
        protocols = {str(port.get("protocol", "")).upper() for port in at(body, "spec", "ports") or ()}
        if not at(body, "spec", "addresses") and protocols & {"", "TCP"}:
            yield body, "addresses are required for this protocol"


def _duplicate_certificate(world: World) -> Found:
    for one, other in _on_one_workload(world):
        if {at(s, "tls", "credentialName") for s in _servers(one)} & {
            at(s, "tls", "credentialName") for s in _servers(other)
        } - {None}:
            yield other, f"duplicate certificate in {name(one)} and {name(other)}"


def _on_one_workload(world: World) -> Iterator[tuple[Object, Object]]:
    for one, other in combinations(world.kind("Gateway", "networking.istio.io"), 2):
        if any(pod.matches(at(other, "spec", "selector")) for pod in _workloads(world, one)):
            yield one, other


def _conflicting_gateways(world: World) -> Found:
    for one, other in _on_one_workload(world):
        for left in _servers(one):
            for right in _servers(other):
                both = [h for h in right["hosts"] if any(_covers(g, h) or _covers(h, g) for g in left["hosts"])]
                if left["port"]["number"] == right["port"]["number"] and both:
                    yield other, f"conflict with {name(one)} (port {right['port']['number']}, hosts {both})"


def _uid(world: World) -> Found:
    by_name = {(namespace(b), name(b)): b for b in world.objects if b["kind"] in ("Deployment", "Job", "CronJob")}
    for pod in world.pods:
        users = [at(pod.spec, "securityContext", "runAsUser")]
        users += [at(container, "securityContext", "runAsUser") for container in pod.spec.get("containers", ())]
        if _UID in users:
            yield by_name[pod.namespace, pod.workload], "user 1337 is reserved for the sidecar proxy"


def _relative(world: World) -> Found:
    for body in world.kind("EnvoyFilter"):
        operations = {at(p, "patch", "operation") for p in at(body, "spec", "configPatches") or ()}
        if operations & {"INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "REMOVE"} and not at(body, "spec", "priority"):
            yield body, "a relative operation and no priority"


def _add_incorrectly(world: World) -> Found:
    for body in world.kind("EnvoyFilter"):
        for patch in at(body, "spec", "configPatches") or ():
            if at(patch, "patch", "operation") == "ADD" and patch["applyTo"] in ("ROUTE_CONFIGURATION", "HTTP_ROUTE"):
                yield body, f"ADD is ignored for {patch['applyTo']}"


def _no_provider(world: World) -> Found:
    for body in world.kind("Telemetry"):
        for part in ("accessLogging", "tracing", "metrics"):
            for entry in at(body, "spec", part) or ():
                if not entry.get("providers"):
                    yield body, f"{part} with empty providers will be ignored"


def _credential(world: World) -> Found:
    for gateway in world.kind("Gateway", "networking.istio.io"):
        for server in _servers(gateway):
            object_name = at(server, "tls", "credentialName")
            for pod in _workloads(world, gateway) if object_name else ():
                secret = _secret(world, pod.namespace, object_name)
                keys = {*(at(secret, "data") or {}), *(at(secret, "stringData") or {})}
                if secret and not {"tls.crt", "tls.key"} <= keys:
                    yield gateway, f"credential {object_name!r} lacks tls.crt or tls.key"


def _gateway_port(world: World) -> Found:
    for gateway in world.kind("Gateway", "networking.istio.io"):
        pods = _workloads(world, gateway)
        service_ports = {
            number
            for service in world.services
            for pod in pods
            if service.namespace == pod.namespace and pod.matches(service.selector)
            for port in service.ports
            for number in (port["port"], port.get("targetPort"))
        }
        for server in _servers(gateway) if pods else ():
            if server["port"]["number"] not in service_ports:
                yield gateway, f"port {server['port']['number']} is not defined on its workload's Service"


def _empty_subset(world: World) -> Found:
    services = {service.host: service for service in world.services}
    for rule in world.kind("DestinationRule"):
        service = services.get(at(rule, "spec", "host"))
        for subset in at(rule, "spec", "subsets") or () if service else ():
            labels = {**service.selector, **subset.get("labels", {})} if service else {}
            if service and not any(p.namespace == service.namespace and p.matches(labels) for p in world.pods):
                yield rule, f"subset {subset['name']} selects no pods"


def _unknown_host(world: World) -> Found:
    for rule in world.kind("DestinationRule"):
        if at(rule, "spec", "host") not in world.hosts:
            yield rule, f"host {at(rule, 'spec', 'host')!r} matches no service"


def _conflicting_protocols(world: World) -> Found:
    seen: dict[tuple[str, int], str] = {}
    for body in world.kind("ServiceEntry"):
        for host in at(body, "spec", "hosts"):
            for port in at(body, "spec", "ports") or ():
                first = seen.setdefault((host, port["number"]), port["protocol"])
                if first != port["protocol"]:
                    yield body, f"host {host} and port {port['number']} are {first} and {port['protocol']}"


ANALYZERS: Mapping[str, tuple[str, Analyzer]] = {
    "IST0101": ("ReferencedResourceNotFound", _not_found),
    "IST0102": ("NamespaceNotInjected", _not_injected),
    "IST0107": ("MisplacedAnnotation", _misplaced),
    "IST0109": ("ConflictingMeshGatewayVirtualServiceHosts", _conflicting_hosts),
    "IST0110": ("ConflictingSidecarWorkloadSelectors", _conflicting_sidecars),
    "IST0111": ("MultipleSidecarsWithoutWorkloadSelectors", _whole_sidecars),
    "IST0112": ("VirtualServiceDestinationPortSelectorRequired", _port_needed),
    "IST0113": ("MTLSPolicyConflict", _mutual_tls),
    "IST0116": ("DeploymentAssociatedToMultipleServices", _one_workload_two_protocols),
    "IST0118": ("PortNameIsNotUnderNamingConvention", _port_names),
    "IST0123": ("NamespaceMultipleInjectionLabels", _two_labels),
    "IST0127": ("NoMatchingWorkloadsFound", _nobody_authorized),
    "IST0128": ("NoServerCertificateVerificationDestinationLevel", _unverified),
    "IST0129": ("NoServerCertificateVerificationPortLevel", _unverified_port),
    "IST0130": ("VirtualServiceUnreachableRule", _unreachable),
    "IST0131": ("VirtualServiceIneffectiveMatch", _ineffective),
    "IST0132": ("VirtualServiceHostNotFoundInGateway", _host_not_in_gateway),
    "IST0134": ("ServiceEntryAddressesRequired", _addresses),
    "IST0138": ("GatewayDuplicateCertificate", _duplicate_certificate),
    "IST0144": ("InvalidApplicationUID", _uid),
    "IST0145": ("ConflictingGateways", _conflicting_gateways),
    "IST0151": ("EnvoyFilterUsesRelativeOperation", _relative),
    "IST0153": ("EnvoyFilterUsesAddOperationIncorrectly", _add_incorrectly),
    "IST0157": ("InvalidTelemetryProvider", _no_provider),
    "IST0159": ("ConflictingTelemetryWorkloadSelectors", _conflicting_telemetries),
    "IST0160": ("MultipleTelemetriesWithoutWorkloadSelectors", _whole_telemetries),
    "IST0161": ("InvalidGatewayCredential", _credential),
    "IST0162": ("GatewayPortNotDefinedOnService", _gateway_port),
    "IST0173": ("DestinationRuleSubsetNotSelectPods", _empty_subset),
    "IST0174": ("UnknownDestinationRuleHost", _unknown_host),
    "IST0177": ("ConflictingServiceEntryProtocol", _conflicting_protocols),
}
"""Id to name and analyzer. What is about a running cluster, other clusters, or kinds that are not used is not among them."""
