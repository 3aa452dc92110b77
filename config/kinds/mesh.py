"""The service mesh: proxies between services, and gateways to and from the outside."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.kinds.aws.managed import Platform
from config.kinds.aws.web import Host
from config.model.base import DnsLabel, Hostname, Model, Range, Resources, SecretKey, Text, resources
from config.model.charts import Charts
from config.model.component import Component
from config.model.quantity import Duration, Percent
from config.model.workloads import PortSpec

from .backend import Backend

Path = Annotated[str, StringConstraints(pattern=r"^/\S*$")]
SECURE, REDIRECT = 8443, 8080
"""Ports of the gateways' pods: processes that are not root cannot listen below 1024."""


class Istio(Platform):
    """Istio.

    Control plane, node agent, an ingress and an egress gateway, each a pinned Helm release in a separate namespace.

    Every pod of the environment's namespace has a proxy of the size ``proxy`` (a native sidecar) and uses mutual TLS.
    """

    metric_prefixes = ("istio_",)

    kind: Literal["istio"]
    after = ("network", "eks", "zone", "load-balancer")
    version: Annotated[Text, StringConstraints(pattern=r"^1\.\d+\.\d+$")]
    """Version of the charts and of the images."""
    charts: Charts
    """The repository of the charts, unless the stack names another (``understudy:charts``)."""
    images: str
    """The repository of the images."""
    balancer: DnsLabel
    """The load balancer whose target groups the gateway's pods join."""
    proxy: Resources = resources("50m", "500m", "64M", "256M")
    control_plane: Resources = resources("500m", "2", "2048M", "4096M")
    gateway: Resources = resources("200m", "2", "256M", "1024M")
    replicas: Range = Range(min=2, max=5)
    """Resources of the control plane and of each gateway."""
    sampling: Percent = Percent.parse("1%")
    """Share of the requests from outside that are traced."""
    access_log: bool = True

    control_namespace: ClassVar[str] = "istio-system"
    agent_namespace: ClassVar[str] = "istio-cni"
    """Resources of the node agent, whose pods are the only privileged ones."""
    egress_namespace: ClassVar[str] = "istio-egress"
    ingress_name: ClassVar[str] = "istio-ingress"
    """Name of the ingress gateway's release, Service and service account; its pods have the label ``istio: ingress``."""
    egress_name: ClassVar[str] = "istio-egress"

    def charts_used(self) -> dict[str, str]:
        return dict.fromkeys(("base", "cni", "istiod", "gateway"), self.version)


class Route(Model):
    """A route from a host's requests to a service; the first match applies."""

    path: Path | None = None
    """The beginning of the path; default: every path."""
    to: DnsLabel
    """Component; its first port receives the requests."""
    timeout: Duration | None = Duration.parse("15s")
    """Time limit of a request; ``0s``: no limit, as WebSockets need."""


class Cors(Model):
    """Origins whose scripts may send requests from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

    origins: Annotated[tuple[str, ...], Field(min_length=1)]
    methods: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    headers: tuple[str, ...] = ("authorization", "content-type")
    max_age: Duration = Duration.parse("24h")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if any("*" in origin for origin in self.origins):
            raise ValueError("origins: '*' is everybody, with the user's own credentials; name them")
        return self


class VirtualHost(Model):
    """A name at the gateway."""

    host: Host
    routes: Annotated[tuple[Route, ...], Field(min_length=1)]
    cors: Cors | None = None
    authentication: DnsLabel | None = None
    """A component of kind ``oauth2-proxy``; users that are not signed in are redirected to it."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        seen: list[str] = []
        for route in self.routes:
            path = route.path or "/"
            if earlier := next((one for one in seen if path.startswith(one)), None):
                raise ValueError(f"{self.host}: the route for {path!r} is never reached, {earlier!r} comes before it")
            seen.append(path)
        return self


class RateLimit(Model):
    """Limit of requests for each pod of a routed component, from all callers together.

    Further requests are answered with 429.
    """

    requests: Annotated[int, Field(ge=1)]
    per: Duration = Duration.parse("1s")
    multiplier: str | None = None
    """Configuration key whose value, a whole number, multiplies ``requests``."""


class MeshGateway(Component):
    """Hosts at the mesh's ingress gateway: redirect to HTTPS, security headers, CORS, rate limit, routes."""

    namespaced = False
    kind: Literal["mesh-gateway"]
    hosts: Annotated[tuple[VirtualHost, ...], Field(min_length=1)]
    hsts: Duration = Duration.parse("365d")
    """Time for which browsers use HTTPS only (HSTS, RFC 6797)."""
    rate_limit: RateLimit | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [entry.host for entry in self.hosts]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice} is there twice: whose routes hold?")
        return self

    def needs(self) -> tuple[str, ...]:
        return self.targets()

    def targets(self) -> tuple[str, ...]:
        """Returns the components that hosts route to, each once."""
        signs_in = [entry.authentication for entry in self.hosts if entry.authentication]
        return tuple(dict.fromkeys([*(route.to for entry in self.hosts for route in entry.routes), *signs_in]))


class OAuth2Proxy(Backend):
    """OAuth2 Proxy: authenticates users with an OpenID Connect provider, for hosts whose programs do not."""

    kind: Literal["oauth2-proxy"]
    image: str = "quay.io/oauth2-proxy/oauth2-proxy"
    resources: Resources = resources("20m", "200m", "64M", "128M")
    issuer: Hostname
    """The provider; ``https://<issuer>`` is its issuer URL."""
    client: Text
    """The client id at the provider."""
    secret: SecretKey
    """The client secret at the provider."""
    cookie: SecretKey
    """Encrypts the session: 16, 24 or 32 characters."""
    emails: Annotated[tuple[Hostname, ...], Field(min_length=1)]
    """Domains of the email addresses that are admitted."""

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("http", 4180), PortSpec("metrics", 44180, "http"))

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({self.secret.secret, self.cookie.secret}))
