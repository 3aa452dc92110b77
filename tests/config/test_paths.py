"""Paths are read back as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.paths import leaves, parse, render

PARTS = st.one_of(st.integers(0, 99), st.text("abcXYZ-_.[]09", min_size=1, max_size=8))


@given(st.text("abc-", min_size=1, max_size=5), st.lists(PARTS, max_size=5))
def test_round_trip(first: str, rest: list[str | int]) -> None:
    path = (first, *rest)
    assert parse(render(path)) == path


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a[x]", 'a["b', "a."])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match=r"path"):
        parse(text)


def test_lists_of_scalars_are_one_leaf() -> None:
    assert dict(leaves({"a": [1, 2], "b": [{"c": 3}], "d": {}})) == {("a",): [1, 2], ("b", 0, "c"): 3, ("d",): {}}
