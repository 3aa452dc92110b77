"""SQL statements that set up a running CockroachDB cluster; they are idempotent.

Statements and cluster settings are those documented for v23.1
(https://www.cockroachlabs.com/docs/v23.1/sql-statements, …/cluster-settings). Names that a later version changed are
chosen by the declared version.
"""

from __future__ import annotations

import hashlib

from components.core.sql import identifier, string
from config.kinds import CockroachDB


def settings(store: CockroachDB) -> dict[str, str]:
    """Returns cluster setting to SQL value."""
    # renamed in v23.2, where the old name still works
    statements = "sql.log.all_statements.enabled" if store.series >= (23, 2) else "sql.trace.log_statement_execute"
    values = {
        statements: _boolean(store.query_execution_logging),
        "sql.log.slow_query.latency_threshold": string(str(store.slow_query_threshold)),
        "sql.trace.stmt.enable_threshold": string(str(store.trace_threshold)),
        "sql.metrics.statement_details.enabled": _boolean(store.performance_statistics),
        "sql.stats.automatic_collection.enabled": "true",
    }
    if store.series >= (23, 2):  # earlier versions have no other isolation level
        values["sql.txn.read_committed_isolation.enabled"] = "false"
    return values


def _boolean(value: bool) -> str:  # noqa: FBT001 - the value is the subject
    return "true" if value else "false"


def statements(store: CockroachDB) -> list[str]:
    """Returns all statements but the password, the licence and the backup.

    setup.sh adds the first two; the backup needs the licence.
    """
    assert store.user is not None
    database, user = identifier(store.database), identifier(store.user)
    return [
        *(f"SET CLUSTER SETTING {name} = {value};" for name, value in settings(store).items()),
        f"CREATE DATABASE IF NOT EXISTS {database};",
        f"CREATE USER IF NOT EXISTS {user};",
        f"GRANT ALL ON DATABASE {database} TO {user};",
        f"ALTER ROLE ALL SET default_transaction_isolation = {string(store.isolation)};",
    ]


def schedules(store: CockroachDB) -> list[str]:
    """Returns statements that drop the schedules of an earlier declaration and create the declared one unless it exists."""
    ours = "WITH x AS (SHOW SCHEDULES) SELECT id FROM x WHERE label LIKE 'understudy-%'"
    if store.backup is None:
        return [f"DROP SCHEDULES {ours};"]
    backup = store.backup
    words = f"{backup.destination}\n{backup.full}\n{backup.incremental}"
    label = f"understudy-{hashlib.sha256(words.encode()).hexdigest()[:8]}"
    return [
        f"DROP SCHEDULES {ours} AND label != {string(label)};",
        f"CREATE SCHEDULE IF NOT EXISTS {string(label)} FOR BACKUP INTO {string(backup.destination)} "
        f"RECURRING {string(backup.incremental)} FULL BACKUP {string(backup.full)} "
        "WITH SCHEDULE OPTIONS first_run = 'now', ignore_existing_backups;",
    ]


def as_file(lines: list[str]) -> str:
    """Returns statements as the content of a SQL file."""
    return "".join(f"{line}\n" for line in lines)
