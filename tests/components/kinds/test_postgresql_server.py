"""PostgreSQL as generated, started for real by the scripts that run in the cluster."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from components.core.issuing import authority
from tests.components.postgresql_servers import APP, INTERNAL, STORE, Cluster, started
from tests.servers import Server, until

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("postgresql")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with started() as found:
        yield found


def test_only_tls_and_the_right_password_get_in(cluster: Cluster) -> None:
    [(encrypted, version)] = cluster.query("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert encrypted
    assert version in ("TLSv1.2", "TLSv1.3")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        cluster.connect(sslmode="disable")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect("wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect(APP, "postgres")
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        cluster.connect(sslrootcert=_stranger(cluster))
    stored = cluster.query(
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'shop'", user="postgres", password=INTERNAL
    )
    assert stored[0][0].startswith("SCRAM-SHA-256$")


def _stranger(cluster: Cluster) -> str:
    file = cluster.folder / "stranger.crt"
    file.write_text(authority("a stranger", 3600)["certificate"])
    return str(file)


def test_the_declaration_holds(cluster: Cluster) -> None:
    assert cluster.query("SELECT count(*) >= 0 FROM pg_stat_statements") == [(True,)]
    shown = {
        name: cluster.query(f"SHOW {name}")[0][0]
        for name in ("log_min_duration_statement", "archive_mode", "data_checksums")
    }
    assert shown == {"log_min_duration_statement": "100ms", "archive_mode": "on", "data_checksums": "on"}
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert cluster.query(owner) == [("shop",)]
    assert cluster.query("SELECT rolsuper, rolreplication FROM pg_roles WHERE rolname = 'shop'") == [(False, False)]


def test_the_exporter_reads_over_the_socket_and_only_there(cluster: Cluster) -> None:
    run = cluster.folder / cluster.hosts[0] / "run"
    command = [
        "psql",
        "-h",
        str(run),
        "-U",
        "metrics",
        "-d",
        "postgres",
        "-Atc",
        "SELECT count(*) > 0 FROM pg_stat_activity",
    ]
    environment = cluster.environment(cluster.hosts[0])
    drop = cluster.script("x", cluster.hosts[0])[:-2]
    assert (
        subprocess.run([*drop, *command], env=environment, capture_output=True, text=True, check=True).stdout == "t\n"
    )
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect(INTERNAL, "metrics")


def test_the_standby_follows_and_does_not_write(cluster: Cluster) -> None:
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS followed (n int)")
        connection.execute("INSERT INTO followed VALUES (1)")
    until(lambda: bool(cluster.query("SELECT n FROM followed", node=1)), 30, cluster.logs)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        cluster.query("INSERT INTO followed VALUES (2)", node=1)


def test_a_killed_primary_comes_back_with_what_it_acknowledged(cluster: Cluster) -> None:
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        for n in range(100):
            connection.execute("INSERT INTO kept VALUES (%s)", (n,))
    cluster.servers[0].kill()
    cluster.servers[0].start()
    until(lambda: cluster.query("SELECT count(*) FROM kept") == [(100,)], 60, cluster.logs)


def test_setting_up_again_changes_nothing(cluster: Cluster) -> None:
    roles = "SELECT oid, rolname FROM pg_roles ORDER BY 1"
    before = cluster.query(roles)
    result = cluster.task("setup.sh")
    assert result.returncode == 0, result.stderr
    assert cluster.query(roles) == before


def test_a_backup_restores_to_a_moment(cluster: Cluster) -> None:
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE restored (n int)")
        connection.execute("INSERT INTO restored VALUES (1)")
        result = cluster.task("backup.sh")
        assert result.returncode == 0, result.stderr
        connection.execute("INSERT INTO restored VALUES (2)")
        [(moment,)] = connection.execute("SELECT clock_timestamp()::text").fetchall()
        connection.execute("DROP TABLE restored")
    with cluster.connect(INTERNAL, "postgres") as connection:
        [(segment,)] = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()
    archive = cluster.folder / cluster.hosts[0] / "archive"
    until(lambda: (archive / "wal" / segment).exists(), 30, cluster.logs)

    [base] = [path for path in (archive / "base").iterdir() if path.is_dir()]
    restored, run = cluster.folder / "restored", cluster.folder / "restored-run"
    shutil.copytree(base, restored)
    restored.chmod(0o700)
    run.mkdir()
    (restored / "recovery.signal").touch()
    cluster.own()
    settings = {
        "restore_command": f"cp {archive}/wal/%f %p",
        "recovery_target_time": moment,
        "recovery_target_action": "promote",
        "listen_addresses": "",
        "unix_socket_directories": str(run),
    }
    drop = cluster.script("x", cluster.hosts[0])[:-2]
    command = [*drop, "postgres", "-D", str(restored), *(f"--{name}={value}" for name, value in settings.items())]
    server = Server(command, cluster.environment(cluster.hosts[0]), cluster.folder / "restored.log")
    server.start()
    try:
        ask = [
            "psql",
            "-h",
            str(run),
            "-U",
            "postgres",
            "-d",
            STORE.database,
            "-Atc",
            "SELECT n FROM restored ORDER BY n",
        ]

        def found() -> bool:
            environment = cluster.environment(cluster.hosts[0])
            return (
                subprocess.run([*drop, *ask], env=environment, capture_output=True, text=True, check=False).stdout
                == "1\n2\n"
            )

        until(found, 60, server.text)
    finally:
        server.kill()


def test_old_backups_go_with_their_wal(cluster: Cluster) -> None:
    archive = cluster.folder / cluster.hosts[0] / "archive"
    for _ in range(3):
        until(lambda: cluster.task("backup.sh").returncode == 0, 30)
        until(
            lambda: cluster.query("SELECT clock_timestamp() > date_trunc('second', clock_timestamp())") == [(True,)], 5
        )
        with cluster.connect(INTERNAL, "postgres") as connection:
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("SELECT pg_sleep(1.1)")
    bases = sorted(path.name for path in (archive / "base").iterdir() if path.is_dir())
    assert len(bases) == 2
    needed = (archive / "base" / f"{bases[0]}.wal").read_text().strip()
    segments = sorted(path.name for path in (archive / "wal").iterdir() if len(path.name) == 24)
    assert segments
    assert segments[0] >= needed


def test_a_rotation_is_told_to_the_database_first(cluster: Cluster) -> None:
    """Last: the server has other passwords after it."""
    new = {"PASSWORD": "app-secret-2", "INTERNAL_PASSWORD": "internal-secret-2"}
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect(new["PASSWORD"])
    for _ in range(2):  # it may be done again
        result = cluster.task("setup.sh", 0, **new, PASSWORD_PREVIOUS=APP, INTERNAL_PASSWORD_PREVIOUS=INTERNAL)
        assert result.returncode == 0, result.stderr
    assert cluster.query("SELECT 1", password=new["PASSWORD"]) == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect()
    for server in cluster.servers:
        server.environment |= new
        server.kill()
        server.start()
    until(lambda: cluster.query("SELECT 1", password=new["PASSWORD"], node=1) == [(1,)], 60, cluster.logs)
    streaming = "SELECT state FROM pg_stat_replication"
    until(
        lambda: cluster.query(streaming, user="postgres", password=new["INTERNAL_PASSWORD"], dbname="postgres")
        == [("streaming",)],
        60,
        cluster.logs,
    )
    stranger = cluster.task("setup.sh", INTERNAL_PASSWORD="neither", INTERNAL_PASSWORD_PREVIOUS="of them")
    assert stranger.returncode != 0
    seen = cluster.query("SELECT query FROM pg_stat_statements", user="postgres", password=new["INTERNAL_PASSWORD"])
    everything = cluster.logs() + "".join(text for (text,) in seen) + result.stdout + result.stderr
    for secret in (APP, INTERNAL, *new.values()):
        assert secret not in everything
