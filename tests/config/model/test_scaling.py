"""The three rules of scaling, for every kind of quantity."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.instances import InstanceClass
from config.model.quantity import Cpu, Duration, Memory, Quantity, Storage
from config.model.scaling import SCALE_KINDS, Scales

RATIOS = st.fractions(min_value=Fraction(1, 100), max_value=1, max_denominator=100)
SIZES = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "cpu": st.integers(1, 200_000).map(lambda n: Cpu.parse(f"{n}m")),
    "memory": st.tuples(st.integers(1, 9999), st.sampled_from(["M", "G", "Mi", "Gi"])).map(
        lambda t: Memory.parse(f"{t[0]}{t[1]}")
    ),
    "storage": st.tuples(st.integers(1, 9999), st.sampled_from(["G", "Gi", "T"])).map(
        lambda t: Storage.parse(f"{t[0]}{t[1]}")
    ),
    "retention": st.tuples(st.integers(1, 400), st.sampled_from(["h", "d"])).map(
        lambda t: Duration.parse(f"{t[0]}{t[1]}")
    ),
    "replicas": st.integers(1, 500),
    "workers": st.integers(1, 500),
    "members": st.integers(1, 50).map(lambda n: 2 * n + 1),
    "instance": st.sampled_from(SIZES).map(lambda size: InstanceClass(f"db.r6g.{size}")),
}
FLOORS: dict[str, Any] = {
    "cpu": "10m",
    "memory": "32M",
    "storage": "1G",
    "retention": "1d",
    "replicas": 1,
    "workers": 2,
}


def weight(value: Any) -> Any:
    return value.rank if isinstance(value, InstanceClass) else value


def test_every_kind_is_tested() -> None:
    assert VALUES.keys() == set(SCALE_KINDS)


@pytest.mark.parametrize("kind", SCALE_KINDS)
@given(data=st.data())
def test_full_scale_changes_nothing(kind: Any, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind])
    result = Scales(kind, FLOORS.get(kind)).apply(value, Fraction(1))
    assert result is value


@pytest.mark.parametrize("kind", SCALE_KINDS)
@given(data=st.data())
def test_larger_scales_and_values_never_give_less(kind: Any, data: st.DataObject) -> None:
    scales = Scales(kind, FLOORS.get(kind))
    small, large = sorted([data.draw(VALUES[kind]), data.draw(VALUES[kind])], key=weight)
    low, high = sorted([data.draw(RATIOS), data.draw(RATIOS)])
    assert weight(scales.apply(large, low)) <= weight(scales.apply(large, high))
    if not isinstance(small, Quantity) or small.suffix.endswith("i") == large.suffix.endswith("i"):
        assert weight(scales.apply(small, low)) <= weight(scales.apply(large, low))


@pytest.mark.parametrize("kind", SCALE_KINDS)
@given(data=st.data())
def test_never_above_production_nor_below_the_floor(kind: Any, data: st.DataObject) -> None:
    value, ratio = data.draw(VALUES[kind]), data.draw(RATIOS)
    result = Scales(kind, FLOORS.get(kind)).apply(value, ratio)
    assert weight(result) <= weight(value)
    if kind in FLOORS:
        floor = value.parse(FLOORS[kind]) if isinstance(value, Quantity) else FLOORS[kind]
        assert result >= min(floor, value)


@pytest.mark.parametrize("kind", SCALE_KINDS)
@given(data=st.data())
def test_never_less_than_asked_for(kind: Any, data: st.DataObject) -> None:
    value, ratio = data.draw(VALUES[kind]), data.draw(RATIOS)
    result = Scales(kind).apply(value, ratio)
    if isinstance(result, Quantity):
        assert result.value >= value.value * ratio
    elif isinstance(result, int):
        assert result >= value * ratio


@given(VALUES["cpu"], RATIOS)
def test_no_ugly_steps(value: Cpu, ratio: Fraction) -> None:
    result = Scales("cpu").apply(value, ratio)
    assert re.fullmatch(r"\d+m?", str(result))
    if result != value:
        assert (result.value * 1000) % 5 == 0


@given(VALUES["members"], RATIOS)
def test_a_quorum_stays_odd_and_at_least_three(value: int, ratio: Fraction) -> None:
    result = Scales("members").apply(value, ratio)
    assert result % 2 == 1
    assert result >= 3


@pytest.mark.parametrize(
    ("kind", "production", "ratio", "staging"),
    [
        ("cpu", Cpu.parse("1"), "1/3", "335m"),
        ("cpu", Cpu.parse("500m"), "1/2", "250m"),
        ("memory", Memory.parse("1024MB"), "1/2", "512M"),
        ("memory", Memory.parse("10Gi"), "1/3", "3456Mi"),
        ("storage", Storage.parse("100GB"), "1/2", "50G"),
        ("retention", Duration.parse("30d"), "1/4", "8d"),
        ("replicas", 3, "1/2", "2"),
        ("members", 5, "1/2", "3"),
        ("instance", InstanceClass("db.r6g.4xlarge"), "1/2", "db.r6g.2xlarge"),
        ("instance", InstanceClass("db.r6g.large"), "1/10", "db.r6g.large"),
        ("instance", InstanceClass("cache.t4g.small"), "1/2", "cache.t4g.micro"),
        ("instance", InstanceClass("m6g.2xlarge.search"), "1/4", "m6g.large.search"),
    ],
)
def test_examples(kind: Any, production: Any, ratio: str, staging: str) -> None:
    assert str(Scales(kind).apply(production, Fraction(ratio))) == staging


def test_an_unknown_instance_class_is_refused() -> None:
    with pytest.raises(ValueError, match=r"such as db\.r6g\.large"):
        InstanceClass.parse("db.huge")
