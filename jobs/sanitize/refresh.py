"""The refresh: guards, plan, backup, copy, indexes, proof, swap, receipt. What fails before the swap changes nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from config.errors import ConfigError, ExternalError
from jobs.sanitize import catalog
from jobs.sanitize.copy import ranges, shadow
from jobs.sanitize.copy.backup import backup
from jobs.sanitize.copy.kubernetes_workers import Fleet
from jobs.sanitize.copy.local_workers import Crew
from jobs.sanitize.plan import definitions
from jobs.sanitize.plan.model import Plan
from jobs.sanitize.plan.planner import select
from jobs.sanitize.preview import check_target, planned, room
from jobs.sanitize.proof import fingerprints, receipt
from jobs.sanitize.proof import prover as proof

from . import names
from .connection import Connection, connect, spoken, trouble
from .dialect import Keys, quoted
from .errors import SnapshotGone
from .request import Asked

ATTEMPTS = 3
"""Snapshots that may be lost before a refresh gives up."""
Tell = Callable[[str, float], None]
"""Told what goes on and which share of it is done, 0 … 1."""


def refresh(asked: Asked, tell: Tell = lambda *_: None) -> dict[str, Any]:
    """Replaces the target's data by a proven copy; returns the receipt. Raises ``ConfigError``, ``ExternalError`` or ``Leak``."""
    environment = check_target(asked)
    with connect(asked.target, "target") as holder, _alone(holder, asked):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _attempt(asked, environment, tell)
            except SnapshotGone as error:
                if attempt == ATTEMPTS:
                    _tidy(asked)
                    raise ExternalError(f"{error}{_advice(asked)}") from None
                tell(f"the snapshot was lost; beginning again ({attempt + 1} of {ATTEMPTS})", 0)
            except psycopg.Error as error:
                _tidy(asked)
                raise trouble("refreshing", error) from None
            except (ExternalError, ConfigError):
                _tidy(asked)
                raise
    raise AssertionError("the loop returns or raises")


def verify(asked: Asked) -> proof.Checks:
    """Proves what the target has now; raises ``ConfigError``, ``ExternalError`` or ``Leak``.

    The key of the refresh is gone, so no row is found again: every masked value is compared with all of production's.
    """
    check_target(asked)
    with planned(asked) as (made, source, _):
        return proof.verify(asked.target, made, fingerprints.overlapping(source, made), asked.workers)


class _Phases:
    """Tells what goes on, and keeps how long it took."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.begun = datetime.now(UTC)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[Callable[[float], None]]:
        start = time.monotonic()
        self.tell(name, 0)
        yield lambda share: self.tell(name, share)
        self.seconds[name] = time.monotonic() - start
        self.tell(name, 1)


def _attempt(asked: Asked, environment: str, tell: Tell) -> dict[str, Any]:
    phases, keys = _Phases(tell), Keys()
    with asked.target_of_its_own() as target:
        made, schema = _copy(asked, target, keys, phases)
        proved = proof.Proof(made, names.shadow(made.schema))
        if asked.overrides.strip():
            proved.counted(target)
            proved.overrides = asked.overrides
            _override(target, made, asked.overrides)
        with phases("indexes"):
            shadow.index(asked.target, made, schema, asked.workers)
        with phases("proof"):
            beside = ("references", lambda connection: shadow.refer(connection, made, schema))
            checks = proved.run(asked.target, keys, asked.workers, beside)
            shadow.finish(target, made, schema)
            shadow.strays(target, made.schema)
            proved.views(target)
        document = receipt.compose(made, environment, checks, made.declared.canaries, phases.begun, phases.seconds)
        with phases("swap"):
            try:
                shadow.swap(target, made, receipt.canonical(document), asked.wait)
            except ExternalError:
                if not _committed(asked, document):
                    raise
        if not target.closed and (left := shadow.tidy(target, made.schema, asked.wait)):
            tell(f"the new data are in use; {left}", 0)
        return document


def _committed(asked: Asked, document: dict[str, Any]) -> bool:
    """Whether the swap took place although its connection broke: the receipt is written in the same transaction."""
    try:
        with connect(asked.target, "target") as target:
            last = receipt.last(target, asked.contract.system, asked.database)
    except ExternalError as error:
        message = f"the connection broke during the swap, and whether that was committed is not known: {error}"
        raise ExternalError(message) from None
    return bool(last == json.loads(receipt.canonical(document)))


def _copy(asked: Asked, target: Connection, keys: Keys, phases: _Phases) -> tuple[Plan, definitions.Definitions]:
    """Fills the shadow schema and brings the fingerprints, all from one snapshot."""
    with planned(asked) as (made, source, moment):
        phases.seconds["plan"] = (datetime.now(UTC) - phases.begun).total_seconds()
        room(made, asked)
        schema = made.definitions
        shadow.rehearse(target, made)
        shadow.clear(target, made.schema)
        if asked.backups is not None and catalog.read(target, made.schema).tables:
            with phases("backup"):
                backup(asked.target, made.schema, asked.backups)
        with phases("copy") as share, spoken("copying"):
            shadow.prepare(target, made, schema)
            place = quoted(names.work(made.schema))
            ranges.create(target, place, made.dialect, moment)
            every = asked.fingerprints or bool(asked.overrides.strip())
            ranges.add(target, place, [*_copies(made), *fingerprints.fingerprints(target, made, every=every)])
            settings = {**keys.settings(), **made.dialect.settings}
            crew: Crew | Fleet = Crew(asked.workers, asked.source, asked.target, made.schema, settings)
            if asked.place is not None:
                crew = Fleet(replace(asked.place, schema=made.schema), asked.workers, settings)
            _work(crew, target, place, source, share)
    return made, schema


def _copies(made: Plan) -> Iterator[ranges.Range]:
    for table in made.tables.values():
        if table.rules.rows == "none":
            continue
        columns = f"({', '.join(quoted(item.name) for item in table.fields)}) " if table.fields else ""
        for leaf in table.leaves:
            whole = "SELECT" in (table.condition or "")  # a sub-select would be computed again for every range
            for within, size in ranges.divided(made.dialect, leaf, table.before, whole=whole):
                place = f"{quoted(names.shadow(made.schema))}.{quoted(leaf.name)}"
                rows = select(table, leaf, made.dialect, within, shuffled=table.shuffled)
                yield ranges.Range(
                    f"COPY {place} {columns}FROM STDIN (FORMAT {table.form})",
                    f"COPY ({rows}) TO STDOUT (FORMAT {table.form})",
                    size,
                )


def _override(target: Connection, made: Plan, sql: str) -> None:
    with spoken("running the overrides"), target.transaction():
        target.execute(f"SET LOCAL search_path = {quoted(names.shadow(made.schema))}")
        target.execute(sql.encode())


def _work(
    crew: Crew | Fleet, target: Connection, place: str, source: Connection, share: Callable[[float], None]
) -> None:
    """Waits for the workers until no range is left."""
    try:
        with crew:
            while ranges.left(target, place):
                _alive(source)
                crew.look()
                done, whole, _ = ranges.progress(target, place)
                share(done / whole if whole else 1)
                time.sleep(0.1)
    except (ExternalError, psycopg.Error):
        _alive(source)  # else it was for want of the snapshot
        raise


def _alive(source: Connection) -> None:
    """Raises ``SnapshotGone`` when the connection that holds the snapshot is no more."""
    try:
        source.execute("SELECT 1")
    except psycopg.Error:
        raise SnapshotGone("the connection that held the snapshot died; the old data are as they were") from None


@contextmanager
def _alone(target: Connection, asked: Asked) -> Iterator[None]:
    """Holds the target's lock: two refreshes of one database would drop each other's work."""
    key = names.application(asked.schema)

    def held() -> bool:
        row = target.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
        return bool(row and row[0])

    retrying = Retrying(
        retry=retry_if_result(lambda got: not got),
        stop=stop_after_delay(10),
        wait=wait_fixed(0.5),
        retry_error_callback=lambda _: False,
    )
    if not retrying(held):
        raise ExternalError("another refresh of this database is running; the old data are as they were")
    # what a killed refresh of this schema left working must not work on beside this one; others' refreshes go on
    target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid() "
        "AND datname = current_database() AND usename = current_user",
        [key],
    )
    yield


def _advice(asked: Asked) -> str:
    """Returns advice for a standby that cancels long reads; empty for other sources."""
    try:
        with connect(asked.source, "source") as source:
            row = source.execute(
                "SELECT pg_is_in_recovery() AND current_setting('hot_standby_feedback') = 'off', "
                "current_setting('max_standby_streaming_delay')"
            ).fetchone()
    except (ExternalError, psycopg.Error):
        return ""
    if not row or not row[0]:
        return ""
    return (
        f"; the source is a standby that cancels sessions in the way of its recovery after {row[1]}: set "
        "hot_standby_feedback = on there, or raise max_standby_streaming_delay"
    )


def _tidy(asked: Asked) -> None:
    """Drops the unfinished copy; when even that fails, the next refresh does it."""
    try:
        with asked.target_of_its_own() as target:
            shadow.clear(target, asked.schema)
    except (ExternalError, psycopg.Error):
        return
