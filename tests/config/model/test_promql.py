"""What an expression reads, and what it compares with."""

from __future__ import annotations

import pytest

from config.model.promql import checked, selectors, threshold


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("up == 0", ["up"]),
        ('sum(rate(a_total{job="x", code=~"5.."}[5m])) / sum(rate(a_total{job="x"}[5m])) > 0.01', ['a_total{job="x"}']),
        ('histogram_quantile(0.9, sum by (le) (rate(b_bucket{job="x"}[5m])))', ['b_bucket{job="x"}']),
        ("max_over_time(rate(a[5m])[1h:1m])", ["a"]),
        ("-(a) + on (pod) group_left b", ["a", "b"]),
        ("vector(1)", []),
    ],
)
def test_selectors(text: str, read: list[str]) -> None:
    assert [str(selector) for selector in selectors(text)] == read


def test_a_selector_of_any_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="without the name of a metric"):
        selectors('count({job="x"})')


@pytest.mark.parametrize(
    ("text", "found"),
    [("a < 60", ("<", 60.0)), ("sum(a) >= 0.5", (">=", 0.5)), ("a > b", None), ("a", None)],
)
def test_threshold(text: str, found: tuple[str, float] | None) -> None:
    assert threshold(text) == found


def test_checked() -> None:
    assert checked(" up == 0\n") == "up == 0"
    with pytest.raises(ValueError, match="not PromQL: "):
        checked("sum(up")
