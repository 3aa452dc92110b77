"""Compares Kubernetes quantities exactly."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = {
    "": Fraction(1),
    **{unit: Fraction(1, 1000) ** power for power, unit in enumerate(("m", "u", "n"), start=1)},
    **{unit: Fraction(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), start=1)},
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate(("K", "M", "G", "T", "P", "E"), start=1)},
}
_WRITTEN = re.compile(r"\+?(\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE]([+-]?\d{1,2})|([A-Za-z]*))", re.ASCII)


def amount(written: object) -> Fraction:
    """Returns a quantity as a number: ``1500m``, ``1.5`` and ``15e-1`` are equal. Raises ``ValueError`` for other texts."""
    match = _WRITTEN.fullmatch(str(written))
    if match is None or (match[3] or "") not in _UNITS:
        raise ValueError(f"{str(written)[:60]!r} is no quantity")
    return Fraction(match[1]) * (Fraction(10) ** int(match[2]) if match[2] else _UNITS[match[3] or ""])
