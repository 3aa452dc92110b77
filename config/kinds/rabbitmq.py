"""RabbitMQ."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.model.base import Members, Model, Resources, SecretKey, Text, resources, secret_variable, version
from config.model.workloads import ClaimSpec, ContainerSpec, PortSpec, WorkloadSpec

from .stateful import Stateful

QueueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,255}$")]


class Queue(Model):
    """A quorum queue: durable, with a replica on each node; it accepts messages while a majority of the nodes runs."""

    delivery_limit: Annotated[int, Field(ge=1)] = 20
    """Number of deliveries without acknowledgement after which a message goes to ``deadLetter``, or is dropped."""
    max_length: Annotated[int, Field(ge=1)] | None = None
    """Largest number of messages; more are rejected, and their publishers are notified. Default: no limit."""
    dead_letter: QueueName | None = None
    """Queue that receives rejected messages and those over the delivery limit."""


class RabbitMQ(Stateful):
    """A RabbitMQ cluster: quorum queues over all nodes, TLS for clients, one user that may use all queues.

    Nodes and the setup Job authenticate each other by the Erlang cookie. The traffic between nodes is not encrypted;
    NetworkPolicies close its ports to all other pods. Messages are replicated, and not backed up.
    """

    backup_field = None
    metric_prefixes = ("rabbitmq_", "erlang_")

    kind: Literal["rabbitmq"]
    version: Annotated[Text, version(r"(\d+\.\d+)\.\d+", "3.12", "3.13", "4.0", "4.1", "4.2")]
    image: str = "rabbitmq"
    nodes: Members = 3
    virtual_host: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,63}$")] = "app"
    user: Text = "app"
    cookie: SecretKey | None = None
    """Erlang cookie. A rotation restarts the nodes one by one, and a node with another cookie joins no cluster: rotate it
    with all nodes stopped."""
    queues: Annotated[dict[QueueName, Queue], Field(min_length=1)]
    helper_resources: Resources = resources("100m", "1", "256M", "512M")
    """Resources of the Job that creates users and queues; its tools run in an Erlang virtual machine."""

    @model_validator(mode="after")
    def _secrets(self) -> Self:
        if not self.existing and not (self.password and self.cookie):
            raise ValueError("password and cookie are missing: clients and nodes authenticate with them")
        if self.password and self.password == self.cookie:
            raise ValueError("password and cookie are one key: its users could run commands on the nodes")
        return self

    @model_validator(mode="after")
    def _own_names(self) -> Self:
        if reserved := next((name for name in self.queues if name.startswith("amq.")), None):
            raise ValueError(f"queue {reserved!r}: names that begin with 'amq.' are RabbitMQ's own")
        return self

    @model_validator(mode="after")
    def _dead_letters(self) -> Self:
        for name, queue in self.queues.items():
            if queue.dead_letter and queue.dead_letter not in self.queues:
                raise ValueError(f"queue {name!r}: deadLetter {queue.dead_letter!r} is not among the queues")
            if queue.dead_letter == name:
                raise ValueError(f"queue {name!r} is its own deadLetter: a rejected message would come back for ever")
        return self

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        return {**super().environment(name, namespace), secret_variable(name, "virtual-host"): self.virtual_host}

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in (self.password, self.cookie) if key}))

    def trusted(self, name: str) -> str | None:
        return None if self.existing else f"{name}-tls"

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        listens = (
            PortSpec("amqps", 5671),
            PortSpec("metrics", 15692, "http"),
            PortSpec("epmd", 4369),
            PortSpec("clustering", 25672),
        )
        node = WorkloadSpec(
            name,
            "StatefulSet",
            (ContainerSpec(name, ports=listens),),
            role="node",
            pods=self.nodes,
            replicas="nodes",
            claims=(ClaimSpec("data", "storage"),),
            services=(f"{name}-nodes", name),
        )
        setup = (ContainerSpec("setup", "helperResources"),)
        return (node, WorkloadSpec(f"{name}-setup", "Job", setup, role="job", surge=1))
