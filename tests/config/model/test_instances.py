"""Instance classes are real ones, and smaller ones are of the same family."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.instances import _FAMILIES, SIZES, InstanceClass, Use, bounds, check

EVERY = [(use, family) for use, families in _FAMILIES.items() for family in families]


def written(family: str, size: str) -> InstanceClass:
    """``db.r6g``, ``large`` -> ``db.r6g.large``; ``r6g.search`` -> ``r6g.large.search``."""
    head, _, tail = family.partition(".")
    return InstanceClass.parse(f"{head}.{size}.search" if tail == "search" else f"{family}.{size}")


@given(st.sampled_from(EVERY), st.fractions(Fraction(1, 20), 1), st.data())
def test_a_smaller_class_is_sold_for_the_same_use(entry: tuple[Use, str], ratio: Fraction, data: st.DataObject) -> None:
    use, family = entry
    lowest, highest = (SIZES.index(size) for size in _FAMILIES[use][family])
    size = data.draw(st.integers(lowest, highest))
    smaller = written(family, SIZES[size]).step_down(ratio)
    check(smaller, use)
    assert smaller.family == family
    assert lowest <= smaller.rank <= size
    assert smaller.rank == lowest or Fraction(2) ** smaller.rank >= ratio * Fraction(2) ** size


def test_a_family_is_sold_in_one_range() -> None:
    ranges: dict[str, set[tuple[str, str]]] = {}
    for families in _FAMILIES.values():
        for family, sizes in families.items():
            ranges.setdefault(family, set()).add(sizes)
    shared = {family for family, found in ranges.items() if len(found) > 1}
    assert shared <= {"db.t3", "db.t4g"}  # DocumentDB sells one size of them; a smaller class is never below it


def test_unknown_classes_are_told_what_is_near() -> None:
    with pytest.raises(ValueError, match=r"did you mean 'kafka\.m7g'"):
        check(InstanceClass.parse("kafka.m8g.large"), "kafka")
    with pytest.raises(ValueError, match=r"there is no family 'db\.z9'"):
        bounds("db.z9")
