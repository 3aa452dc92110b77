"""Kubernetes quantities, compared exactly."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), start=1)},
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate(("K", "M", "G", "T", "P", "E"), start=1)},
}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")


def amount(written: object) -> Fraction:
    """``1500m`` and ``1.5`` are the same. Raises ``ValueError`` for what is no quantity."""
    match = _WRITTEN.fullmatch(str(written))
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"{written!r} is no quantity")
    return Fraction(match[1]) * _UNITS[match[2]]
