"""PostgreSQL as generated, started for real by the scripts that run in the cluster, on loopback addresses."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from components.core.issuing import authority, leaf
from components.kinds.postgresql import files
from config.kinds import PostgreSQL
from tests.servers import Server, find, network, open_folder, require, until

STORE = PostgreSQL.model_validate(
    {
        "kind": "postgresql",
        "version": "15.10",
        "nodes": 2,
        "database": "shop_staging",
        "user": "shop",
        "resources": {"requests": {"cpu": "250m", "memory": "256M"}, "limits": {"cpu": "500m", "memory": "512M"}},
        "storage": "10G",
        "password": {"secret": "s", "key": "app"},
        "internalPassword": {"secret": "s", "key": "internal"},
        "slowQueryThreshold": "100ms",
        "backup": {"storage": "10G", "keep": 2},
    }
)
APP, INTERNAL = "app'secret\\1", "internal:secret-1"


class Cluster:
    """A primary and a standby; PostgreSQL does not run as root, so everything is the user's whose name is postgres."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        address = network(5432)
        self.hosts = [address(11), address(12)]
        self.config, self.certs = folder / "config", folder / "certs"
        for path in (self.config, self.certs):
            path.mkdir()
        root = authority("shop test", 3600)
        request = {"common_name": "db", "hosts": ["localhost"], "ips": self.hosts, "seconds": 3600}
        issued = leaf({**request, "authority_certificate": root["certificate"], "authority_key": root["key"]})
        texts = {"ca.crt": root["certificate"], "tls.crt": issued["certificate"], "tls.key": issued["key"]}
        for name, text in texts.items():
            (self.certs / name).write_text(text)
        (self.certs / "tls.key").chmod(0o600)
        self.servers = []
        for host in self.hosts:
            home = folder / host
            (home / "run").mkdir(parents=True)
            (self.config / host).mkdir()
            for name, text in files(STORE, str(self.config / host), str(self.certs), str(home / "run")).items():
                if os.geteuid() != 0:  # then this user is the one that the socket knows
                    text = text.replace("pod  postgres", f"pod  {getpass.getuser()}")  # noqa: PLW2901
                (self.config / host / name).write_text(text)
            self.servers.append(Server(self.script("start.sh", host), self.environment(host), folder / f"{host}.log"))
        self.own()

    def own(self) -> None:
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "postgres:postgres", str(self.folder)], check=True)

    def script(self, name: str, host: str) -> list[str]:
        drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        return [*drop, "sh", str(self.config / host / name)]

    def environment(self, host: str, **more: str) -> dict[str, str]:
        home = self.folder / host
        programs = Path(str(find("postgres"))).resolve().parent
        return {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "CONFIG": str(self.config / host),
            "CERTS": str(self.certs),
            "RUN": str(home / "run"),
            "PGDATA": str(home / "pgdata"),
            "ARCHIVE": str(home / "archive"),
            "KEEP": "2",
            "PRIMARY": self.hosts[0],
            "SELF": host,
            "BIND": host,
            "DATABASE": STORE.database,
            "PASSWORD": APP,
            "INTERNAL_PASSWORD": INTERNAL,
            **more,
        }

    def task(self, name: str, node: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        host = self.hosts[node]
        environment = self.environment(host, **more)
        return subprocess.run(self.script(name, host), env=environment, capture_output=True, text=True, check=False)

    def connect(self, password: str = APP, user: str = "shop", node: int = 0, **more: Any) -> Any:
        settings = {
            "dbname": STORE.database,
            "sslmode": "verify-full",
            "sslrootcert": str(self.certs / "ca.crt"),
            **more,
        }
        return psycopg.connect(
            host=self.hosts[node], user=user, password=password, autocommit=True, connect_timeout=5, **settings
        )

    def query(self, sql: str, **how: Any) -> Any:
        with self.connect(**how) as connection:
            return connection.execute(sql).fetchall()

    def logs(self) -> str:
        return "\n".join(server.text()[-3000:] for server in self.servers)


@contextmanager
def started() -> Iterator[Cluster]:
    """A cluster that was set up, and whose standby answers."""
    require("postgres")
    with open_folder() as folder:
        cluster = Cluster(folder)
        try:
            for server in cluster.servers:
                server.start()
            result = cluster.task("setup.sh")  # beside the nodes, as in the cluster
            assert result.returncode == 0, result.stderr + cluster.logs()
            until(lambda: cluster.query("SELECT pg_is_in_recovery()", node=1) == [(True,)], 60, cluster.logs)
            yield cluster
        finally:
            for server in cluster.servers:
                server.kill()
