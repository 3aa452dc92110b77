"""Checks before the copy: guards, plan, definitions and the target. ``sanitize plan`` makes the same checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from config.errors import ConfigError, Problem
from jobs.sanitize import guards
from jobs.sanitize.connection import Connection, connect, translated_errors
from jobs.sanitize.contract import parts
from jobs.sanitize.copy import shadow
from jobs.sanitize.dialect import of
from jobs.sanitize.errors import Leak
from jobs.sanitize.proof import prover as proof
from jobs.sanitize.proof import receipt, surroundings
from jobs.sanitize.request import RefreshRequest

from .plan.model import Plan
from .plan.planner import FULL, plan


@contextmanager
def planned(request: RefreshRequest) -> Iterator[tuple[Plan, Connection, str]]:
    """Yields the plan, the connection with its snapshot, and the moment to read; the guards have passed."""
    dialect = of(request.contract.databases[request.database].engine)
    with connect(request.source, "source") as source:
        guards.source(request.source, source, request.contract, request.database, masked=request.masked)
        with translated_errors("reading the source"):
            source.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            moment = source.execute(dialect.moment.encode()).fetchone()
            assert moment is not None, "a function answers"
            try:
                refresh_plan = plan(source, request.contract, request.database, request.as_of, masked=request.masked)
                new = list(parts.unnamed(request.contract, request.database, refresh_plan.parts, _last(request)))
                if new:
                    raise ConfigError(*new)
                if request.masked:
                    proof.sanitised(source, refresh_plan)
                else:
                    absent(source, refresh_plan)
                spelled_out(source, refresh_plan)
                yield refresh_plan, source, moment[0]
            finally:
                if not source.closed:
                    source.rollback()


@contextmanager
def previewed(request: RefreshRequest) -> Iterator[Plan]:
    """Yields the plan, after every check before the copy, and for the source's rows those after it."""
    if request.target:
        check_target(request)
    with planned(request) as (refresh_plan, source, _):
        if broken := proof.unclean(source, refresh_plan):
            raise Leak("what would be copied as it is, is not clean; class it otherwise", broken)
        if request.target:
            check_disk_space(refresh_plan, request)
            with request.target_of_its_own() as target:
                shadow.rehearse(target, refresh_plan)
        yield refresh_plan


def _last(request: RefreshRequest) -> dict[str, Any] | None:
    """Returns the parts that the target's last refresh copied beside tables; None before the first, or without a target."""
    if not request.target:
        return None
    with connect(request.target, "target") as target:
        last = receipt.last(target, request.contract.system, request.database)
    return last.get("parts") if last else None


def spelled_out(source: Connection, refresh_plan: Plan) -> None:
    """Raises ``Leak`` when a definition contains a canary, detected data, or another database's address."""
    declared = refresh_plan.declared
    definitions = surroundings.definitions(
        source, refresh_plan.definitions.statements(), declared.canaries, declared.unchecked
    )
    if definitions:
        lines = "\n  ".join(f"{where}: {what}" for what, where in definitions)
        fix = "take it out of the definition, or name it under 'unchecked' with the reason"
        message = f"definitions spell out what must not be in staging, and nothing was copied; {fix}\n  {lines}"
        raise Leak(
            message, proof.unclean(source, refresh_plan)
        )  # findings in rows are added, so that one run reports all


def absent(source: Connection, plan: Plan) -> None:
    """Raises ``ConfigError`` for canaries that are not in production, because the proof would not prove anything with them."""
    unseen = set(plan.declared.canaries)
    for table in plan.tables.values():
        texts = [text for column in table.live.columns.values() if (text := proof.text_of(column, "s"))]
        for canary in sorted(unseen) if texts else ():
            anywhere = f"strpos(concat_ws(chr(31), {', '.join(texts)}), %s) > 0"
            rows = source.execute(
                f"SELECT EXISTS (SELECT FROM {table.live.place} s WHERE {anywhere})".encode(), [canary]
            ).fetchone()
            if rows and rows[0]:
                unseen.discard(canary)
    if unseen:
        at = f"databases.{plan.database}.canaries"
        missing = [f"{canary!r} is not in production" for canary in sorted(unseen)]
        raise ConfigError(*(Problem(plan.system, None, at, message, "plant it there first") for message in missing))


def check_target(request: RefreshRequest) -> str:
    """Returns the environment of the target; raises ``ConfigError`` when it must not be written to."""
    with connect(request.target, "target") as target, connect(request.source, "source") as source:
        guards.require_distinct_servers(source, target)
        name = guards.target(request.target, target, request.contract, request.database)
        guards.require_create_privilege(target, request.schema)
        guards.alone(target, request.schema)
        return name


def check_disk_space(refresh_plan: Plan, request: RefreshRequest) -> tuple[int, int | None]:
    """Returns the bytes of the copy and of the existing data, and the target's volume.

    Raises ``ConfigError`` above 80 % of it.
    """
    with connect(request.target, "target") as target:
        row = target.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None, "a function answers"
    needed = sum(table.estimate for table in refresh_plan.tables.values()) + int(row[0])
    volume = int(refresh_plan.declared.volume.value) if refresh_plan.declared.volume else None
    if volume is not None and needed > FULL * volume:
        at = ("databases", request.database, "volume")
        message = (
            f"the copy and the old data take {needed / 1e9:.2f} GB, above {FULL:.0%} of {refresh_plan.declared.volume}"
        )
        raise ConfigError(
            request.contract.problem(at, message, "copy fewer rows (a limit or a window), or enlarge the volume")
        )
    return needed, volume
