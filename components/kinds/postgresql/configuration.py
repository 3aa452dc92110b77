"""PostgreSQL's configuration files (https://www.postgresql.org/docs/15/runtime-config.html); tests start servers with them."""

from __future__ import annotations

from components.core.sql import string
from config.kinds import PostgreSQL

PRELOADED = ("pg_stat_statements", "auto_explain", "pg_cron", "timescaledb", "pgaudit")
"""Extensions with a library that the server preloads."""

PG_HBA = """\
# Over the network only with TLS and a password; inside the pod by the user that the process runs as.
local    all          all          peer map=pod
hostssl  replication  replication  all  scram-sha-256
hostssl  all          all          all  scram-sha-256
"""
PG_IDENT = """\
# system user, database user
pod  postgres  postgres
pod  postgres  metrics
"""


def postgresql_conf(store: PostgreSQL, config: str, certs: str, run: str) -> str:
    """Returns ``postgresql.conf``; ``config``, ``certs`` and ``run`` are the folders of the files, certificate and socket."""
    memory = store.resources.requests.memory
    megabytes = int(memory.value) // 1024**2 if memory else 512
    settings = {
        "unix_socket_directories": string(run),
        "hba_file": string(f"{config}/pg_hba.conf"),
        "ident_file": string(f"{config}/pg_ident.conf"),
        "ssl": "on",
        "ssl_cert_file": string(f"{certs}/tls.crt"),
        "ssl_key_file": string(f"{certs}/tls.key"),
        "ssl_ca_file": string(f"{certs}/ca.crt"),
        "ssl_min_protocol_version": "'TLSv1.2'",
        "password_encryption": "'scram-sha-256'",
        # a quarter and three quarters of the memory, as the manual suggests for a dedicated server
        "shared_buffers": f"{max(megabytes // 4, 16)}MB",
        "effective_cache_size": f"{max(megabytes * 3 // 4, 16)}MB",
        "shared_preload_libraries": string(",".join(name for name in store.extensions if name in PRELOADED)),
        "log_min_duration_statement": str(int(store.slow_query_threshold.value * 1000)),
        "log_line_prefix": "'%m [%p] %q%u@%d '",
        "wal_level": "replica",
        "max_wal_senders": "5",
        # a standby drops a silent primary, and reconnects, sooner than by default (60 s and 5 s)
        "wal_receiver_timeout": "'20s'",
        "wal_retrieve_retry_interval": "'1s'",
        # the log kept for a standby that is unavailable must not fill the volume
        "max_slot_wal_keep_size": f"{max(int(store.storage.value) // 4 // 1024**2, 256)}MB",
    }
    if store.backup:
        settings |= {
            "archive_mode": "on",
            "archive_command": string(f"sh {config}/archive.sh %p %f"),
            "archive_timeout": "5min",
        }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def setup_sql(store: PostgreSQL) -> dict[str, str]:
    """Returns file to idempotent SQL; passwords come from the environment of psql."""
    quiet = (  # neither the log nor pg_stat_statements, which stores the text of utility statements, may contain a password
        "\\set ON_ERROR_STOP on\nSET log_min_duration_statement = -1;\nSET log_min_error_statement = panic;\n"
        "SET log_statement = 'none';\nSET pg_stat_statements.track_utility = off;\n"
        "\\getenv password PASSWORD\n\\getenv internal INTERNAL_PASSWORD\n"
    )
    user, database = string(store.user), string(store.database)
    roles = "\n".join(
        f"SELECT format('CREATE ROLE %I', {role}) WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {role}) \\gexec"
        for role in (user, "'replication'", "'metrics'")
    )
    slot = (
        "SELECT pg_create_physical_replication_slot('standby', true)\n"
        "  WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'standby');\n"
        if store.nodes > 1
        else ""
    )
    extensions = "".join(f'CREATE EXTENSION IF NOT EXISTS "{name}";\n' for name in store.extensions)
    return {
        "server.sql": f"{quiet}{roles}\n"
        f"SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', {user}, :'password') \\gexec\n"
        "SELECT format('ALTER ROLE replication LOGIN REPLICATION PASSWORD %L', :'internal') \\gexec\n"
        "ALTER ROLE metrics LOGIN;\nGRANT pg_monitor TO metrics;\n"
        f"SELECT format('CREATE DATABASE %I OWNER %I', {database}, {user})\n"
        f"  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {database}) \\gexec\n"
        f"SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', {database}) \\gexec\n"
        f"{slot}",
        # the superuser's password is last, because later statements would have to connect with it
        "database.sql": f"{quiet}{extensions}SELECT format('ALTER ROLE postgres PASSWORD %L', :'internal') \\gexec\n",
    }
