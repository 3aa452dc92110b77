"""Parses PromQL: the series that an expression reads, and the threshold that it compares with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql


@dataclass(frozen=True)
class Selector:
    """The series that an expression reads."""

    metric: str
    equal: tuple[tuple[str, str], ...]
    """Labels with an exact value; other matchers (``=~``, ``!=``) are left out."""

    def __str__(self) -> str:
        labels = ", ".join(f'{name}="{value}"' for name, value in self.equal)
        return f"{self.metric}{{{labels}}}" if labels else self.metric


def checked(text: str) -> str:
    """Returns the expression, trimmed; raises ``ValueError`` when it is not PromQL."""
    try:
        promql.parse(text)
    except ValueError as error:
        raise ValueError(f"not PromQL: {error}") from None
    return text.strip()


def selectors(text: str) -> list[Selector]:
    """Returns every selector in the expression once, in its order. Raises ``ValueError`` for a selector of any metric."""
    return list(dict.fromkeys(_selectors(promql.parse(text))))


def _selectors(node: object) -> Iterator[Selector]:
    match node:
        case promql.VectorSelector():
            equal = tuple(
                (matcher.name, matcher.value)
                for matcher in node.matchers.matchers
                if matcher.op == promql.MatchOp.Equal and matcher.name != "__name__"
            )
            if node.name is None:
                raise ValueError("a selector without the name of a metric")
            yield Selector(node.name, equal)
        case promql.MatrixSelector():
            yield from _selectors(node.vector_selector)
        case promql.BinaryExpr():
            yield from _selectors(node.lhs)
            yield from _selectors(node.rhs)
        case promql.Call():
            for argument in node.args:
                yield from _selectors(argument)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _selectors(node.expr)
        case _:
            return


def threshold(text: str) -> tuple[str, float] | None:
    """Returns the comparison and the number at the end of an alert's expression, such as ``("<", 60.0)``."""
    node = promql.parse(text)
    if isinstance(node, promql.BinaryExpr) and isinstance(node.rhs, promql.NumberLiteral):
        return str(node.op), node.rhs.val
    return None
