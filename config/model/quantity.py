"""Exact quantities: CPU, memory, storage, durations and percentages.

Every quantity is an exact fraction of a base unit (cores, bytes, seconds, one) together with the suffix it was written
with, so that ``50Gi`` stays binary and ``50G`` stays decimal. Equality and order look at the value alone.

Source: Kubernetes' ``resource.Quantity`` (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)
and Prometheus' duration syntax. The seeds write ``50GB``; Kubernetes rejects ``GB``, so it is read and rendered as ``50G``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering
from math import ceil
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_WRITTEN = re.compile(
    r"\+?(?P<number>\d{1,30}\.?\d{0,30}|\.\d{1,30})\s*(?P<suffix>[eE][+-]?\d{1,2}|[A-Za-zµ%]*)", re.ASCII
)
"""Longest text of a quantity; longer ones exceed any machine."""


@total_ordering
class Quantity:
    """An exact, immutable amount.

    ``families`` lists the units of each way of writing, finest first; a value is rendered in the unit it was written in
    when that is a whole number, else in the coarsest finer unit of the same family that is.
    """

    families: ClassVar[tuple[dict[str, Fraction], ...]]
    synonyms: ClassVar[dict[str, str]] = {}
    noun: ClassVar[str]
    example: ClassVar[str]
    bare_number: ClassVar[bool] = True
    exponents: ClassVar[bool] = False
    """Whether an exponent of ten may replace a unit."""

    __slots__ = ("suffix", "value")
    value: Fraction
    suffix: str

    def __init__(self, value: Fraction | int, suffix: str = "") -> None:
        """``value`` in the base unit (cores, bytes, seconds, one); ``suffix`` is how to write it."""
        object.__setattr__(self, "value", Fraction(value))
        object.__setattr__(self, "suffix", suffix)
        if (self.value / min(self._family().values())).denominator != 1:
            raise ValueError(
                f"{self.noun} is finer than {min(self._family(), key=self._family().__getitem__) or 'one'}"
            )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    @classmethod
    def parse(cls, written: object) -> Self:
        """Read a quantity as written in YAML; raises ``ValueError`` with an example when it is none."""
        if isinstance(written, cls):
            return written
        text = str(written).strip() if isinstance(written, str | int | float | Decimal) else ""
        match = _WRITTEN.fullmatch(text)
        hint = f"write a {cls.noun} such as {cls.example}"
        if isinstance(written, bool) or match is None:
            raise ValueError(hint)
        number, suffix = Fraction(match["number"]), cls.synonyms.get(match["suffix"], match["suffix"])
        if cls.exponents and suffix[1:].lstrip("+-").isdigit():  # as Kubernetes' 129e6, which has no unit
            number, suffix = number * Fraction(10) ** int(suffix[1:]), ""
        if suffix == "" and not cls.bare_number:
            raise ValueError(f"the unit is missing; {hint}")
        unit = next((family[suffix] for family in cls.families if suffix in family), None)
        if unit is None:
            raise ValueError(f"unknown unit {match['suffix']!r}; {hint}")
        try:
            return cls(number * unit, suffix)
        except ValueError as error:
            raise ValueError(f"{error}; {hint}") from None

    def _family(self) -> dict[str, Fraction]:
        return next(family for family in self.families if self.suffix in family)

    def __str__(self) -> str:
        family = self._family()
        own = family[self.suffix]
        for suffix, unit in sorted(family.items(), key=lambda item: item[1], reverse=True):
            if unit <= own and (self.value / unit).denominator == 1:
                return f"{self.value // unit}{suffix}"
        raise AssertionError("the constructor admits only whole multiples of the finest unit")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and type(self) is type(other) and self.value == other.value

    def __lt__(self, other: Self) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.value < other.value

    def __hash__(self) -> int:
        return hash((type(self), self.value))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.value + other.value, self.suffix if self.value else other.suffix)

    def __mul__(self, count: int) -> Self:
        return type(self)(self.value * count, self.suffix)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        exponent = [r"[eE][+-]?\d{1,2}"] if cls.exponents else []
        suffixes = sorted({s for f in cls.families for s in f} | set(cls.synonyms))
        text: JsonSchemaValue = {
            "type": "string",
            "pattern": rf"^\+?(\d+\.?\d*|\.\d+)\s*({'|'.join([*exponent, *(re.escape(s) for s in suffixes)])})$",
            "description": f"a {cls.noun}, such as {cls.example}",
        }
        return {"anyOf": [text, {"type": "number", "minimum": 0}]} if cls.bare_number else text


_POWERS = tuple(enumerate(("k", "M", "G", "T", "P", "E"), start=1))
_DECIMAL = {"": Fraction(1), **{s: Fraction(1000) ** n for n, s in _POWERS}}
_BINARY = {"": Fraction(1), **{f"{s.upper()}i": Fraction(1024) ** n for n, s in _POWERS}}
_PARTS = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)}


def _plain(number: Fraction) -> str:
    return f"{Decimal(number.numerator) / Decimal(number.denominator):f}"


class Cpu(Quantity):
    """CPU in cores; the finest unit is one millicore (Kubernetes has no finer one)."""

    noun, example = "CPU quantity", "500m or 2"
    exponents = True
    families = ({"m": Fraction(1, 1000), **_DECIMAL},)
    __slots__ = ()

    @classmethod
    def parse(cls, written: object) -> Self:
        """Parses also nano- and microcores, when they are whole millicores."""
        text = str(written).strip()
        if text[-1:] in ("n", "u") and (number := re.fullmatch(r"\+?(\d{1,30})[nu]", text, re.ASCII)):
            return super().parse(f"{_plain(Fraction(number[1]) * _PARTS[text[-1]] * 1000)}m")
        return super().parse(written)


class Bytes(Quantity):
    """An amount of bytes; ``KB``, ``MB``, ``GB``, ``TB`` (as the seeds write them) mean ``k``, ``M``, ``G``, ``T``."""

    noun, example = "number of bytes", "512Mi, 8G or 8GB"
    exponents = True
    families = (_DECIMAL, _BINARY)
    synonyms: ClassVar[dict[str, str]] = {
        **{s: s[0].replace("K", "k") for s in ("KB", "kB", "MB", "GB", "TB", "PB", "EB")},
        **{s: s[:2] for s in ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")},
    }
    __slots__ = ()

    @classmethod
    def parse(cls, written: object) -> Self:
        """Parses also thousandths, which Kubernetes itself writes; a fraction of a byte is rounded up to a byte, as there."""
        text = str(written).strip()
        if text[-1:] in _PARTS and (number := re.fullmatch(r"\+?(\d{1,30})[num]", text, re.ASCII)):
            return cls(ceil(Fraction(number[1]) * _PARTS[text[-1]]))
        return super().parse(written)


class Memory(Bytes):
    """Memory in bytes."""

    noun = "memory quantity"
    __slots__ = ()


class Storage(Bytes):
    """Storage in bytes."""

    noun, example = "storage quantity", "50Gi, 50G or 50GB"
    __slots__ = ()


class Duration(Quantity):
    """A length of time in seconds; the finest unit is one millisecond. The unit is always written."""

    noun, example = "duration", "15d, 5m or 100ms"
    bare_number = False
    families = (
        {
            "ms": Fraction(1, 1000),
            "s": Fraction(1),
            "m": Fraction(60),
            "h": Fraction(3600),
            "d": Fraction(86400),
            "w": Fraction(604800),
        },
    )
    __slots__ = ()

    @property
    def seconds(self) -> int:
        """Returns whole seconds, rounded up."""
        return -(-self.value.numerator // self.value.denominator)


class Percent(Quantity):
    """A ratio written as a percentage; exact to a hundredth of a percent."""

    noun, example = "percentage", "50%"
    bare_number = False
    families = ({"%": Fraction(1, 100)},)
    __slots__ = ()

    def __init__(self, value: Fraction | int, suffix: str = "%") -> None:
        object.__setattr__(self, "value", Fraction(value))
        object.__setattr__(self, "suffix", suffix)
        if (self.value * 10_000).denominator != 1:
            raise ValueError("percentage is finer than 0.01%")

    def __str__(self) -> str:
        number = Decimal((self.value * 10_000).numerator) / 100
        return f"{number.normalize():f}%"
