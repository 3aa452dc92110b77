"""Redis', Sentinel's and HAProxy's own configuration files.

Passwords are not in them: the scripts beside this file add them when a pod starts. Directives as documented for Redis 7
(https://redis.io/docs/latest/operate/oss_and_stack/management/config/, …/sentinel/) and HAProxy 2.6
(https://docs.haproxy.org/2.6/configuration.html); the tests start the real programs with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from config.kinds import Redis

MASTER = "mymaster"
DOWN_AFTER = 5
"""Seconds of silence after which a Sentinel considers a node down."""


def redis_conf(store: Redis) -> str:
    """Returns the configuration of all nodes; start.sh adds role, names and passwords.

    A replica that was disconnected for a short time receives what it missed from the backlog instead of a full copy.
    """
    limit = store.resources.limits.memory
    # the rest is for buffers and rewriting the AOF
    memory = f"maxmemory {int(limit.value * 3 // 4)}\nrepl-backlog-size {int(limit.value // 16)}\n" if limit else ""
    # a master refuses writes until a replica has its data, so it does not wait for more replicas before it sends them
    several = "min-replicas-to-write 1\nmin-replicas-max-lag 10\nrepl-diskless-sync-delay 0\n"
    replicas = several if store.nodes > 1 else ""
    return (
        "protected-mode yes\n"
        "appendonly yes\n"
        f"appendfsync {store.append_fsync}\n"
        f"loglevel {store.log_level}\n"
        f"latency-monitor-threshold {int(store.latency_monitor_threshold.value * 1000)}\n"
        "maxmemory-policy noeviction\n"
        f"{memory}{replicas}"
    )


def sentinel_conf() -> str:
    """Returns the configuration of all Sentinels; sentinel.sh adds the monitored master and passwords."""
    return (
        "protected-mode yes\n"
        "sentinel resolve-hostnames yes\n"
        "sentinel announce-hostnames yes\n"
        f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER * 1000}\n"
        f"sentinel failover-timeout {MASTER} 30000\n"
        f"sentinel parallel-syncs {MASTER} 1\n"
    )


def haproxy_cfg(nodes: Sequence[str], sentinels: Sequence[str], ports: dict[str, int]) -> str:
    """A TCP proxy that leads to the master, and one that leads to replicas, by what they say of themselves.

    Two nodes may say ``master`` for a moment: one that was cut off, or comes back, has not heard of its successor. The one
    that a majority of the Sentinels names is preferred; without a majority, each node's own report counts.
    """
    redis, sentinel = ports["redis"], ports["sentinel"]
    names = [f"node-{index}" for index in range(len(nodes))]
    masters = "".join(
        f"  use-server {name} if {{ nbsrv(named-{name}) ge {len(sentinels) // 2 + 1} }}\n" for name in names
    )
    servers = "".join(f"  server {name} {host}:{redis}\n" for name, host in zip(names, nodes, strict=True))
    return "\n".join(
        [
            _GLOBAL,
            f'frontend master\n  bind "${{BIND}}:{redis}"\n  default_backend master\n',
            f'frontend replicas\n  bind "${{BIND}}:{ports["replicas"]}"\n'
            "  use_backend replicas if { nbsrv(replicas) gt 0 }\n  default_backend master\n",
            f"backend master\n  balance first\n{masters}{_asks('INFO replication', 'string role:master')}{servers}",
            f"backend replicas\n  balance leastconn\n{_asks('INFO replication', 'string master_link_status:up')}{servers}",
            *(_named(name, host, sentinels, sentinel) for name, host in zip(names, nodes, strict=True)),
        ]
    )


_GLOBAL = """\
global
  maxconn 4000
  # after the soft stop (SIGUSR1) connections may go on for this long
  hard-stop-after 30s
  log stdout format raw local0 info

defaults
  mode tcp
  log global
  option dontlognull
  option tcpka
  timeout connect 2s
  timeout check 1s
  timeout client 1h
  timeout server 1h
  # a node that refuses is left at once, and its client tries again: to try the same one again is a second each time
  retries 0
  default-server observe layer4 error-limit 1 on-error mark-down
  # checks are quick because writes wait for them; a demoted node's connections are closed, not left to a replica
  default-server check inter 1s fastinter 200ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
  default-server init-addr libc,none resolvers dns

resolvers dns
  parse-resolv-conf
  accepted_payload_size 8192
  hold valid 1s
  # members' names stand for Services, which keep their addresses: that DNS does not answer says nothing about a member
  hold nx 24h
  hold timeout 24h
  hold refused 24h
  hold other 24h

frontend health
  mode http
  bind "${BIND}:8404"
  monitor-uri /healthz

# before the first checks every node counts as up
frontend started
  mode http
  bind "${BIND}:8405"
  monitor-uri /started
  monitor fail if ! { nbsrv(master) eq 1 }
"""


def _asks(command: str, expected: str) -> str:
    """Returns a check.

    QUIT follows the command, so that a node closes the connection even without a reply (a Sentinel has no QUIT).
    """
    return (
        "  option tcp-check\n"
        "  tcp-check connect\n"
        f'  tcp-check send "AUTH health ${{INTERNAL_PASSWORD}}\\r\\n{command}\\r\\nQUIT\\r\\n"\n'
        f"  tcp-check expect {expected}\n"
    )


def _named(name: str, host: str, sentinels: Sequence[str], port: int) -> str:
    """Returns a backend whose servers are the Sentinels; one is up when it names this node as the master."""
    servers = "".join(f"  server sentinel-{index} {watcher}:{port}\n" for index, watcher in enumerate(sentinels))
    expected = f'rstring "\\n{host.replace(".", "[.]")}\\r"'
    return f"backend named-{name}\n{_asks(f'SENTINEL get-master-addr-by-name {MASTER}', expected)}{servers}"
