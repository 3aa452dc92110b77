"""Backs up staging before it is replaced: ``staging-backup-<time>.sql.gz``."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from config.errors import ExternalError
from jobs.sanitize.connection import program

KEEP = 7
"""Number of backups; older ones are removed after a new one is complete."""


def backup(conninfo: str, schema: str, folder: Path, keep: int = KEEP) -> Path:
    """Writes the schema with its rows (``gunzip -c … | psql`` restores it) and prunes; raises ``ExternalError``.

    An incomplete file is called ``.part``, so a name that ends in ``.sql.gz`` is a complete backup.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backup_file = folder / f"staging-backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sql.gz"
    part = backup_file.with_suffix(".part")
    given, environment = program(conninfo)
    file = os.open(
        part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
    )  # rows of staging are sanitised; other schemas are not written
    os.close(file)
    command = [
        "pg_dump",
        "--schema",
        f'"{schema}"',
        "--clean",
        "--if-exists",
        "--compress",
        "6",
        "--file",
        str(part),
        given,
    ]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        part.unlink(missing_ok=True)
        reason = next((line for line in result.stderr.splitlines() if "error" in line), result.stderr.strip()[:200])
        raise ExternalError(f"backing up the target: {reason}; the old data are as they were")
    part.rename(backup_file)
    for old in sorted(folder.glob("staging-backup-*.sql.gz"))[:-keep]:
        old.unlink()
    return backup_file
