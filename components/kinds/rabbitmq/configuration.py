"""RabbitMQ's configuration files and definitions.

Keys: https://www.rabbitmq.com/docs/configure#config-items; definitions: https://www.rabbitmq.com/docs/definitions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from components.core.rendered import as_json
from config.kinds import RabbitMQ
from config.kinds.rabbitmq import Queue

ENABLED_PLUGINS = "[rabbitmq_prometheus].\n"
_MEMORY, _DISK = Fraction(6, 10), Fraction(1, 10)
"""Share of the memory limit at which publishers are blocked, and share of the volume that has to stay free."""


def rabbitmq_conf(store: RabbitMQ, members: Sequence[str], certs: str) -> str:
    """Returns ``rabbitmq.conf``; ``members`` are Erlang names of all nodes, ``certs`` is the certificate's folder.

    A node that sees fewer than half of the others stops serving (``pause_minority``) instead of going on alone.
    """
    ports, limit = store.ports(), store.resources.limits.memory or store.resources.requests.memory
    settings: dict[str, object] = {
        "listeners.tcp": "none",
        "listeners.ssl.default": ports["amqps"],
        "ssl_options.cacertfile": f"{certs}/ca.crt",
        "ssl_options.certfile": f"{certs}/tls.crt",
        "ssl_options.keyfile": f"{certs}/tls.key",
        "ssl_options.verify": "verify_none",  # clients authenticate with a password
        "ssl_options.fail_if_no_peer_cert": "false",
        "ssl_options.versions.1": "tlsv1.3",
        "ssl_options.versions.2": "tlsv1.2",
        "prometheus.tcp.port": ports["metrics"],
        "cluster_formation.peer_discovery_backend": "classic_config",
        **{f"cluster_formation.classic_config.nodes.{n}": node for n, node in enumerate(members, start=1)},
        "cluster_partition_handling": "pause_minority",
        "disk_free_limit.absolute": int(store.storage.value * _DISK),
        **({"vm_memory_high_watermark.absolute": int(limit.value * _MEMORY)} if limit else {}),
        "loopback_users.guest": "true",
        "log.file": "false",
        "log.console": "true",
        "log.console.level": "info",
    }
    return "".join(f"{key} = {value}\n" for key, value in settings.items())


def definitions(store: RabbitMQ) -> str:
    """Returns the virtual host, its queues with their policies, and the user's permissions as RabbitMQ's definitions.

    Limits are policies: arguments of a queue that exists cannot be changed.
    """
    host, user = store.virtual_host, store.user
    everything = {"configure": "", "write": ".*", "read": ".*"}
    return as_json(
        {
            "vhosts": [{"name": host}],
            "permissions": [{"user": user, "vhost": host, **everything}],
            "policies": [
                {
                    "name": name,
                    "vhost": host,
                    "pattern": f"^{re.escape(name)}$",
                    "apply-to": "queues",
                    "priority": 0,
                    "definition": _limits(store.queues[name]),
                }
                for name in store.queues
            ],
            "queues": [
                {
                    "name": name,
                    "vhost": host,
                    "durable": True,
                    "auto_delete": False,
                    "arguments": {"x-queue-type": "quorum", "x-quorum-initial-group-size": store.nodes},
                }
                for name in store.queues
            ],
        }
    )


def _limits(queue: Queue) -> dict[str, Any]:
    dead_letter = {"dead-letter-exchange": "", "dead-letter-routing-key": queue.dead_letter}
    return {
        "delivery-limit": queue.delivery_limit,
        **({"max-length": queue.max_length, "overflow": "reject-publish"} if queue.max_length else {}),
        **(dead_letter if queue.dead_letter else {}),
    }
