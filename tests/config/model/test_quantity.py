"""Quantities are exact, ordered, and survive being written and read."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.quantity import Bytes, Cpu, Duration, Memory, Percent, Quantity, Storage


@pytest.mark.parametrize(
    ("kind", "written", "rendered"),
    [
        (Cpu, 2, "2"),
        (Cpu, 0.5, "500m"),
        (Cpu, "250m", "250m"),
        (Cpu, "1000m", "1000m"),
        (Storage, "50GB", "50G"),
        (Storage, "50 GB", "50G"),
        (Storage, "1.5TB", "1500G"),
        (Memory, "512MB", "512M"),
        (Memory, "8GiB", "8Gi"),
        (Memory, "2.5Gi", "2560Mi"),
        (Memory, "100KB", "100k"),
        (Duration, "15d", "15d"),
        (Duration, "100ms", "100ms"),
        (Duration, "1.5h", "90m"),
        (Percent, "50%", "50%"),
        (Percent, "12.5%", "12.5%"),
    ],
)
def test_reads_what_people_write(kind: type[Quantity], written: object, rendered: str) -> None:
    assert str(kind.parse(written)) == rendered


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        (Cpu, "2 cores", "unknown unit 'cores'"),
        (Cpu, "0.0005", "finer than m"),
        (Cpu, True, "such as 500m"),
        (Cpu, "-1", "such as 500m"),
        (Memory, "8gb", "unknown unit 'gb'"),
        (Memory, "lots", "such as 512Mi"),
        (Duration, "15", "unit is missing"),
        (Duration, "15 days", "unknown unit 'days'"),
        (Percent, "0.5", "unit is missing"),
        (Percent, "0.001%", "finer than 0.01%"),
        (Storage, None, "such as 50Gi"),
    ],
)
def test_refuses_with_an_example(kind: type[Quantity], written: object, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        kind.parse(written)
    assert "such as" in str(caught.value)


UNITS = [(kind, suffix) for kind in (Cpu, Memory, Storage, Duration, Percent) for f in kind.families for suffix in f]


@given(st.sampled_from(UNITS), st.integers(min_value=0, max_value=10**6))
def test_round_trip(unit: tuple[type[Quantity], str], number: int) -> None:
    kind, suffix = unit
    quantity = kind.parse(f"{number}{suffix}")
    assert kind.parse(str(quantity)) == quantity
    assert str(kind.parse(str(quantity))) == str(quantity)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["", "k", "M", "Gi", "G"]))
def test_order_is_that_of_the_values(left: int, right: int, suffix: str) -> None:
    first, second = Bytes.parse(f"{left}{suffix}"), Bytes.parse(f"{right}")
    assert (first < second) == (first.value < second.value)
    assert (first == second) == (first.value == second.value)


def test_equal_values_are_equal_however_written() -> None:
    assert Cpu.parse("1000m") == Cpu.parse(1)
    assert hash(Cpu.parse("1000m")) == hash(Cpu.parse(1))
    assert Memory.parse("1Gi") != Storage.parse("1Gi")


def test_arithmetic_is_exact() -> None:
    assert Cpu.parse("100m") * 3 + Cpu.parse("700m") == Cpu.parse(1)
    assert Percent.parse("33.33%").value == Fraction(3333, 10000)


def test_is_immutable() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Cpu.parse(1).value = Fraction(2)
