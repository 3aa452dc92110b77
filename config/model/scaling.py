"""How each kind of quantity is scaled down.

A model's field states how it scales, ``Annotated[Storage, Scales("storage")]``; ``derive`` reads the annotation, so a new
component kind needs no change there. Property tests prove three rules for every kind:

* a scale of 100 % changes nothing, and a larger scale never gives a smaller value;

* the result is never above production's value, and never below the floor unless production's value is;

* results are the steps a person would write: ``335m`` and not ``333m7``, ``3456Mi`` and not ``3413333333``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any, Literal, get_args

from .instances import InstanceClass
from .quantity import Bytes, Cpu, Duration, Quantity

ScaleKind = Literal["cpu", "memory", "storage", "retention", "replicas", "workers", "instance", "members"]
"""Quantities for which a scale can be declared. ``members`` is topology: it scales only with a reason of its own."""

SCALE_KINDS: tuple[ScaleKind, ...] = get_args(ScaleKind)
TOPOLOGY: frozenset[ScaleKind] = frozenset({"members"})


@dataclass(frozen=True)
class Scales:
    """The annotation of a field: the scale that applies to it, and its floor (written as in YAML)."""

    kind: ScaleKind
    floor: str | int | None = None

    def apply(self, value: Any, ratio: Fraction) -> Any:
        """Returns production's ``value`` at ``ratio`` (0 < ratio), rounded up to a plain step; ``None`` stays ``None``."""
        if value is None or ratio == 1:
            return value
        if isinstance(value, InstanceClass):
            return value.step_down(ratio)
        rounded = _ROUND[self.kind](value, ratio)
        if self.floor is not None:
            floor = value.parse(self.floor) if isinstance(value, Quantity) else int(self.floor)
            rounded = max(rounded, floor)
        return min(rounded, value)


def _up(value: Fraction, step: Fraction) -> Fraction:
    return ceil(value / step) * step


def _decimal_step(value: Fraction, finest: Fraction) -> Fraction:
    """Returns one unit in the third significant digit: 333.4 -> steps of 1, 3334 -> steps of 10."""
    digits = len(str(int(value / finest)))
    return max(finest, finest * Fraction(10) ** (digits - 3))


def _cpu(value: Cpu, ratio: Fraction) -> Cpu:
    exact, finest = value.value * ratio, Fraction(1, 1000)
    return Cpu(_up(exact, 5 * _decimal_step(exact, finest)), value.suffix)


def _bytes(value: Bytes, ratio: Fraction) -> Bytes:
    exact = value.value * ratio
    if not value.suffix.endswith("i"):
        return type(value)(_up(exact, _decimal_step(exact, Fraction(1))), value.suffix)
    unit = Fraction(1)
    while exact >= 1024 * unit:
        unit *= 1024
    # 3.33Gi in steps of 64Mi, 33Gi in steps of 1Gi, 333Gi in steps of 8Gi: each step divides the next band's lower end
    step = unit / 16 if exact < 16 * unit else unit if exact < 128 * unit else 8 * unit
    return type(value)(_up(exact, max(step, Fraction(1))), value.suffix)


def _duration(value: Duration, ratio: Fraction) -> Duration:
    exact = value.value * ratio
    unit = next((u for u in (86400, 3600, 60, 1) if exact >= u), None)
    return Duration(_up(exact, Fraction(unit) if unit else Fraction(1, 1000)), value.suffix)


def _count(value: int, ratio: Fraction) -> int:
    return max(1, ceil(value * ratio))


def _members(value: int, ratio: Fraction) -> int:
    """Returns quorum members: odd and at least three."""
    return max(3, ceil(value * ratio) | 1)


_ROUND: dict[ScaleKind, Callable[[Any, Fraction], Any]] = {
    "cpu": _cpu,
    "memory": _bytes,
    "storage": _bytes,
    "retention": _duration,
    "replicas": _count,
    "workers": _count,
    "instance": lambda value, ratio: value.step_down(ratio),
    "members": _members,
}
