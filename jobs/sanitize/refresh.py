"""The refresh: guards, plan, backup, copy, indexes, proof, swap, receipt. What fails before the swap changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from config.contract import Contract
from config.errors import ConfigError, Problem

from . import catalog, definitions, fingerprints, guards, names, proof, ranges, receipt, shadow
from .backup import backup
from .connection import Connection, connect, spoken, trouble
from .crew import Crew
from .dialect import Keys, of, quoted
from .errors import SnapshotGone, Trouble
from .fleet import Fleet, Place
from .names import APPLICATION
from .plan import FULL, Plan, plan, select

ATTEMPTS = 3
"""Snapshots that may be lost before a refresh gives up."""
Tell = Callable[[str, float], None]
"""Told what goes on and which share of it is done, 0 … 1."""


@dataclass(frozen=True)
class Asked:
    """What a refresh is asked for."""

    contract: Contract
    database: str
    source: str
    target: str
    workers: int = 2
    as_of: datetime | None = None
    """The time that the snapshot is of; default now."""
    backups: Path | None = None
    """Where staging's backup goes; None: none is made."""
    overrides: str = ""
    """SQL that is run in the copy before it is proved: what only staging has."""
    masked: bool = False
    """The source is a sanitised copy already."""
    place: Place | None = None
    """Where the workers run, when not on this machine."""
    fingerprints: bool = False
    """Compare every masked column by fingerprint, also those whose form production does not have."""


@contextmanager
def planned(asked: Asked) -> Iterator[tuple[Plan, Connection, str]]:
    """The plan, the connection that holds its snapshot, and the moment to read at; guards have passed."""
    dialect = of(asked.contract.databases[asked.database].engine)
    with connect(asked.source, "source") as source:
        guards.source(asked.source, source, asked.contract, asked.database)
        with spoken("reading the source"):
            source.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            moment = source.execute(dialect.moment.encode()).fetchone()
            assert moment is not None, "a function answers"
            try:
                made = plan(source, asked.contract, asked.database, asked.as_of, masked=asked.masked)
                if not asked.masked:
                    absent(source, made)
                yield made, source, moment[0]
            finally:
                if not source.closed:
                    source.rollback()


def absent(source: Connection, plan: Plan) -> None:
    """Raises ``ConfigError`` for canaries that are not in production: what is not there cannot be missed."""
    wanted = set(plan.declared.canaries)
    for table in plan.tables.values():
        texts = [text for column in table.live.columns.values() if (text := proof.text_of(column, "s"))]
        for canary in sorted(wanted) if texts else ():
            anywhere = f"strpos(concat_ws(chr(31), {', '.join(texts)}), %s) > 0"
            found = source.execute(
                f"SELECT EXISTS (SELECT FROM {quoted(table.name)} s WHERE {anywhere})".encode(), [canary]
            ).fetchone()
            if found and found[0]:
                wanted.discard(canary)
    if wanted:
        at = f"databases.{plan.database}.canaries"
        missing = [f"{canary!r} is not in production" for canary in sorted(wanted)]
        raise ConfigError(*(Problem(plan.system, None, at, message, "plant it there first") for message in missing))


def check_target(asked: Asked) -> str:
    """The environment that the target is; raises ``ConfigError`` when it must not be written to, or is too small."""
    with connect(asked.target, "target") as target, connect(asked.source, "source") as source:
        guards.different(source, target)
        name = guards.target(asked.target, target, asked.contract, asked.database)
        guards.able(target, asked.contract.databases[asked.database].schema_)
        return name


def room(made: Plan, asked: Asked) -> tuple[int, int | None]:
    """Bytes that the copy takes beside what is there, and the target's volume; raises ``ConfigError`` above 80 % of it."""
    with connect(asked.target, "target") as target:
        row = target.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None, "a function answers"
    needed = sum(table.estimate for table in made.tables.values()) + int(row[0])
    volume = int(made.declared.volume.value) if made.declared.volume else None
    if volume is not None and needed > FULL * volume:
        at = ("databases", asked.database, "volume")
        message = f"the copy and the old data take {needed / 1e9:.2f} GB, above {FULL:.0%} of {made.declared.volume}"
        raise ConfigError(
            asked.contract.problem(at, message, "copy fewer rows (a limit or a window), or enlarge the volume")
        )
    return needed, volume


def refresh(asked: Asked, tell: Tell = lambda *_: None) -> dict[str, Any]:
    """Replaces the target's data by a proven copy; returns the receipt. Raises ``ConfigError``, ``Trouble`` or ``Leak``."""
    environment = check_target(asked)
    with connect(asked.target, "target") as holder, _alone(holder, asked):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _attempt(asked, environment, tell)
            except SnapshotGone:
                if attempt == ATTEMPTS:
                    raise
                tell(f"the snapshot was lost; beginning again ({attempt + 1} of {ATTEMPTS})", 0)
            except psycopg.Error as error:
                _tidy(asked)
                raise trouble("refreshing", error) from None
            except (Trouble, ConfigError):
                _tidy(asked)
                raise
    raise AssertionError("the loop returns or raises")


def verify(asked: Asked) -> proof.Checks:
    """Proves what the target has now; raises ``ConfigError``, ``Trouble`` or ``Leak``.

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
    with connect(asked.target, "target") as target:
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
        document = receipt.compose(made, environment, checks, made.declared.canaries, phases.begun, phases.seconds)
        with phases("swap"):
            shadow.swap(target, made, receipt.canonical(document))
        return document


def _copy(asked: Asked, target: Connection, keys: Keys, phases: _Phases) -> tuple[Plan, definitions.Definitions]:
    """Fills the shadow schema and brings the fingerprints, all from one snapshot."""
    with planned(asked) as (made, source, moment):
        phases.seconds["plan"] = (datetime.now(UTC) - phases.begun).total_seconds()
        room(made, asked)
        schema = definitions.read(source, made.catalog)
        shadow.clear(target, made.schema)
        if asked.backups is not None and catalog.read(target, made.schema).tables:
            with phases("backup"):
                backup(asked.target, made.schema, asked.backups)
        with phases("copy") as share, spoken("copying"):
            shadow.prepare(target, made, schema)
            ranges.create(target, made.dialect, moment)
            every = asked.fingerprints or bool(asked.overrides.strip())
            ranges.add(target, [*_copies(made), *fingerprints.fingerprints(target, made, every=every)])
            settings = {**keys.settings(), **made.dialect.settings}
            crew: Crew | Fleet = Crew(asked.workers, asked.source, asked.target, settings)
            if asked.place is not None:
                crew = Fleet(asked.place, asked.workers, settings)
            _work(crew, target, source, share)
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
                yield ranges.Range(
                    f"COPY {place} {columns}FROM STDIN (FORMAT {table.form})",
                    f"COPY ({select(table, leaf, made.dialect, within)}) TO STDOUT (FORMAT {table.form})",
                    size,
                )


def _override(target: Connection, made: Plan, sql: str) -> None:
    with spoken("running the overrides"), target.transaction():
        target.execute(f"SET LOCAL search_path = {quoted(names.shadow(made.schema))}")
        target.execute(sql.encode())


def _work(crew: Crew | Fleet, target: Connection, source: Connection, share: Callable[[float], None]) -> None:
    """Waits for the workers until no range is left."""
    try:
        with crew:
            while ranges.left(target):
                _alive(source)
                crew.look()
                done, whole, _ = ranges.progress(target)
                share(done / whole if whole else 1)
                time.sleep(0.1)
    except (Trouble, psycopg.Error):
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
    key = f"{APPLICATION}/{asked.contract.databases[asked.database].schema_}"

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
        raise Trouble("another refresh of this database is running; the old data are as they were")
    # what a killed refresh left working must not work on beside this one
    target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid() "
        "AND datname = current_database() AND usename = current_user",
        [APPLICATION],
    )
    yield


def _tidy(asked: Asked) -> None:
    """Drops the unfinished copy; when even that fails, the next refresh does it."""
    try:
        with connect(asked.target, "target") as target:
            shadow.clear(target, asked.contract.databases[asked.database].schema_)
    except (Trouble, psycopg.Error):
        return
