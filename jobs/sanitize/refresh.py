"""The refresh: guards, plan, backup, copy, indexes, proof, swap, receipt. A failure before the swap changes nothing."""

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
from jobs.sanitize.copy.kubernetes_workers import KubernetesWorkers
from jobs.sanitize.copy.local_workers import LocalWorkers
from jobs.sanitize.plan import definitions
from jobs.sanitize.plan.model import Plan
from jobs.sanitize.plan.planner import select
from jobs.sanitize.preview import check_disk_space, check_target, planned
from jobs.sanitize.proof import fingerprints, receipt
from jobs.sanitize.proof import prover as proof

from . import names
from .connection import Connection, connect, translated_errors, trouble
from .dialect import Keys, quoted
from .errors import SnapshotGone
from .request import RefreshRequest

ATTEMPTS = 3
"""Number of snapshots that may be lost before a refresh gives up."""
ProgressReporter = Callable[[str, float], None]
"""Called with the phase and the share of it that is done, 0 … 1."""


def refresh(request: RefreshRequest, report_progress: ProgressReporter = lambda *_: None) -> dict[str, Any]:
    """Replaces the target's data by a proven copy; returns the receipt. Raises ``ConfigError``, ``ExternalError`` or ``Leak``."""
    environment = check_target(request)
    with connect(request.target, "target") as holder, _alone(holder, request):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _attempt(request, environment, report_progress)
            except SnapshotGone as error:
                if attempt == ATTEMPTS:
                    _tidy(request)
                    raise ExternalError(f"{error}{_advice(request)}") from None
                report_progress(f"the snapshot was lost; beginning again ({attempt + 1} of {ATTEMPTS})", 0)
            except psycopg.Error as error:
                _tidy(request)
                raise trouble("refreshing", error) from None
            except (ExternalError, ConfigError):
                _tidy(request)
                raise
    raise AssertionError("the loop returns or raises")


def verify(request: RefreshRequest) -> proof.Checks:
    """Proves the target's present data; raises ``ConfigError``, ``ExternalError`` or ``Leak``.

    The key of the refresh does not exist any more, so nothing is compared by fingerprint: masked values are checked by
    their masks' forms, where production has no value of the form.
    """
    check_target(request)
    with planned(request) as (refresh_plan, source, _):
        return proof.verify(
            request.target, refresh_plan, fingerprints.overlapping(source, refresh_plan), request.workers
        )


class _Phases:
    """Reports phases, and records their durations."""

    def __init__(self, report_progress: ProgressReporter) -> None:
        self.report_progress = report_progress
        self.begun = datetime.now(UTC)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[Callable[[float], None]]:
        start = time.monotonic()
        self.report_progress(name, 0)
        yield lambda share: self.report_progress(name, share)
        self.seconds[name] = time.monotonic() - start
        self.report_progress(name, 1)


def _attempt(request: RefreshRequest, environment: str, report_progress: ProgressReporter) -> dict[str, Any]:
    phases, keys = _Phases(report_progress), Keys()
    with request.target_of_its_own() as target:
        refresh_plan, schema = _copy(request, target, keys, phases)
        proved = proof.Proof(refresh_plan, names.shadow(refresh_plan.schema))
        if request.overrides.strip():
            proved.counted(target)
            proved.overrides = request.overrides
            _override(target, refresh_plan, request.overrides)
        with phases("indexes"):
            shadow.index(request.target, refresh_plan, schema, request.workers)
        with phases("proof"):
            beside = ("references", lambda connection: shadow.refer(connection, refresh_plan, schema))
            checks = proved.run(request.target, keys, request.workers, beside)
            shadow.finish(target, refresh_plan, schema)
            shadow.check_cross_schema_dependencies(target, refresh_plan.schema)
            proved.views(target)
        document = receipt.compose(
            refresh_plan, environment, checks, refresh_plan.declared.canaries, phases.begun, phases.seconds
        )
        with phases("swap"):
            try:
                shadow.swap(target, refresh_plan, receipt.canonical(document), request.wait)
            except ExternalError:
                if not _committed(request, document):
                    raise
        if not target.closed and (left := shadow.tidy(target, refresh_plan.schema, request.wait)):
            report_progress(f"the new data are in use; {left}", 0)
        return document


def _committed(request: RefreshRequest, document: dict[str, Any]) -> bool:
    """Returns whether the swap was committed although its connection broke: the receipt is written in the same transaction."""
    try:
        with connect(request.target, "target") as target:
            last = receipt.last(target, request.contract.system, request.database)
    except ExternalError as error:
        message = f"the connection broke during the swap, and whether that was committed is not known: {error}"
        raise ExternalError(message) from None
    return bool(last == json.loads(receipt.canonical(document)))


def _copy(
    request: RefreshRequest, target: Connection, keys: Keys, phases: _Phases
) -> tuple[Plan, definitions.Definitions]:
    """Fills the shadow schema and the fingerprints, all from one snapshot."""
    with planned(request) as (refresh_plan, source, moment):
        phases.seconds["plan"] = (datetime.now(UTC) - phases.begun).total_seconds()
        check_disk_space(refresh_plan, request)
        schema = refresh_plan.definitions
        shadow.rehearse(target, refresh_plan)
        shadow.clear(target, refresh_plan.schema)
        if request.backups is not None and catalog.read(target, refresh_plan.schema).tables:
            with phases("backup"):
                backup(request.target, refresh_plan.schema, request.backups)
        with phases("copy") as share, translated_errors("copying"):
            shadow.prepare(target, refresh_plan, schema)
            place = quoted(names.work(refresh_plan.schema))
            ranges.create(target, place, refresh_plan.dialect, moment)
            every = request.fingerprints or bool(request.overrides.strip())
            ranges.add(
                target, place, [*_copies(refresh_plan), *fingerprints.fingerprints(target, refresh_plan, every=every)]
            )
            settings = {**keys.settings(), **refresh_plan.dialect.settings}
            workers: LocalWorkers | KubernetesWorkers = LocalWorkers(
                request.workers, request.source, request.target, refresh_plan.schema, settings
            )
            if request.place is not None:
                workers = KubernetesWorkers(
                    replace(request.place, schema=refresh_plan.schema), request.workers, settings
                )
            _work(workers, target, place, source, share)
    return refresh_plan, schema


def _copies(refresh_plan: Plan) -> Iterator[ranges.Range]:
    for table in refresh_plan.tables.values():
        if table.rules.rows == "none":
            continue
        columns = f"({', '.join(quoted(item.name) for item in table.fields)}) " if table.fields else ""
        for leaf in table.leaves:
            whole = "SELECT" in (table.condition or "")  # a sub-select would be computed again for every range
            for within, size in ranges.divided(refresh_plan.dialect, leaf, table.before, whole=whole):
                place = f"{quoted(names.shadow(refresh_plan.schema))}.{quoted(leaf.name)}"
                rows = select(table, leaf, refresh_plan.dialect, within, shuffled=table.shuffled)
                yield ranges.Range(
                    f"COPY {place} {columns}FROM STDIN (FORMAT {table.form})",
                    f"COPY ({rows}) TO STDOUT (FORMAT {table.form})",
                    size,
                )


def _override(target: Connection, refresh_plan: Plan, sql: str) -> None:
    with translated_errors("running the overrides"), target.transaction():
        target.execute(f"SET LOCAL search_path = {quoted(names.shadow(refresh_plan.schema))}")
        target.execute(sql.encode())


def _work(
    workers: LocalWorkers | KubernetesWorkers,
    target: Connection,
    place: str,
    source: Connection,
    share: Callable[[float], None],
) -> None:
    """Waits for the workers until no range is left."""
    try:
        with workers:
            while ranges.left(target, place):
                _alive(source)
                workers.look()
                done, whole, _ = ranges.progress(target, place)
                share(done / whole if whole else 1)
                time.sleep(0.1)
    except (ExternalError, psycopg.Error):
        _alive(source)  # otherwise the snapshot was missing
        raise


def _alive(source: Connection) -> None:
    """Raises ``SnapshotGone`` when the connection with the snapshot has ended."""
    try:
        source.execute("SELECT 1")
    except psycopg.Error:
        raise SnapshotGone("the connection that held the snapshot died; the old data are as they were") from None


@contextmanager
def _alone(target: Connection, request: RefreshRequest) -> Iterator[None]:
    """Holds the target's lock, because two refreshes of one database would drop each other's work."""
    key = names.application(request.schema)

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
    # sessions of a killed refresh of this schema must not continue beside this one; others' refreshes continue
    target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid() "
        "AND datname = current_database() AND usename = current_user",
        [key],
    )
    yield


def _advice(request: RefreshRequest) -> str:
    """Returns advice for a standby that cancels long reads; empty for other sources."""
    try:
        with connect(request.source, "source") as source:
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


def _tidy(request: RefreshRequest) -> None:
    """Drops the unfinished copy; if that fails, the next refresh does it."""
    try:
        with request.target_of_its_own() as target:
            shadow.clear(target, request.schema)
    except (ExternalError, psycopg.Error):
        return
