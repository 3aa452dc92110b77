"""Coarser values instead of masks: times are shifted or rounded, numbers rounded, rare values left out."""

from __future__ import annotations

from config.model.contract import Column as Declared
from config.model.quantity import Duration
from jobs.sanitize.catalog import Column, Table
from jobs.sanitize.dialect import quoted

from .expressions import Mask, Unmaskable

BEGIN = "2000-01-01"
"""Intervals of time are counted from this date."""
DAY = 86400


def generalised(declared: Declared, column: Column, table: Table, condition: str | None) -> Mask | None:
    """Returns the mask of a public column that is generalised, or None when it is not; raises ``Unmaskable``.

    ``condition``, over the alias ``r``, is true for the copied rows.
    """
    if declared.jitter is None and declared.bucket is None and declared.k is None:
        return None
    if column.array or column.category not in (
        "date",
        "timestamp",
        "integer",
        "number",
        "text",
        "enum",
        "boolean",
        "uuid",
        "inet",
    ):
        raise Unmaskable(f"{column.type} cannot be made coarser")
    if table.is_unique(column.name):
        raise Unmaskable("a unique index looks at this column, so its values cannot be made coarser")
    expression, holds = "{raw}", "true"
    if declared.jitter is not None:
        expression = _jitter(declared.jitter, column)
    if declared.bucket is not None:
        expression = _bucket(declared.bucket, column, expression)
        holds = f"{{value}} = {_bucket(declared.bucket, column, '{value}')}"
    if declared.k is not None:
        expression = _frequent(declared, column, table, condition, expression)
    return Mask(f"({expression})::{column.plain}", holds, "shape")


def _jitter(most: Duration, column: Column) -> str:
    if column.category == "date":
        days = int(most.seconds // DAY)
        if days < 1:
            raise Unmaskable("a date moves by whole days: give a jitter of a day or more")
        return f"({{raw}} + round((2 * random() - 1) * {days})::integer)"
    if column.category == "timestamp":
        return f"({{raw}} + (2 * random() - 1) * interval '{int(most.seconds)} seconds')"
    raise Unmaskable(f"only dates and times have a jitter, and this is {column.type}")


def _bucket(step: Duration | float, column: Column, value: str) -> str:
    if column.category in ("date", "timestamp"):
        if not isinstance(step, Duration):
            raise Unmaskable("a bucket of times is a duration, such as 7d")
        if column.category == "date":
            days = max(1, int(step.seconds // DAY))
            return f"(date '{BEGIN}' + floor(({value} - date '{BEGIN}')::numeric / {days})::integer * {days})"
        return f"date_bin(interval '{int(step.seconds)} seconds', {value}, '{BEGIN}'::{column.plain})"
    if (
        column.category in ("integer", "number")
        and column.base not in ("money", "oid")
        and not isinstance(step, Duration)
    ):
        return f"(floor({value}::numeric / {step}) * {step})::{column.plain}"
    raise Unmaskable(f"{column.type} has no bucket of {step}")


def _frequent(declared: Declared, column: Column, table: Table, condition: str | None, value: str) -> str:
    if column.not_null:
        raise Unmaskable("a rare value becomes NULL, and this column may not be NULL")
    if declared.jitter is not None:
        raise Unmaskable("what is moved by chance is not counted: give 'jitter' or 'k'")
    name, where = quoted(column.name), f" WHERE {condition}" if condition else ""
    counted = f"r.{name}" if declared.bucket is None else _bucket(declared.bucket, column, f"r.{name}")
    often = f"SELECT {counted} FROM {table.place} r{where} GROUP BY 1 HAVING count(*) >= {declared.k}"
    return f"CASE WHEN {value}::text IN (SELECT k.v::text FROM ({often}) k(v)) THEN {value} END"
