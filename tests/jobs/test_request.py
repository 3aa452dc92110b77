"""What a request refuses before anything connects."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.errors import ConfigError
from config.model.contract import parse
from jobs.sanitize.request import RefreshRequest
from tests.jobs.shop import CONTRACT

PAST = datetime(2026, 1, 1, tzinfo=UTC)


def request_of(as_of: datetime | None) -> RefreshRequest:
    return RefreshRequest(parse(CONTRACT, "shop.data.yaml"), "db", "", "", as_of=as_of)


@pytest.mark.parametrize(
    "future",
    [
        datetime(2999, 1, 1, tzinfo=UTC),
        datetime(2999, 1, 1),  # noqa: DTZ001 - a time without a zone is UTC
        datetime.now(UTC) + timedelta(days=2),
        datetime.now(timezone(timedelta(hours=-11))) + timedelta(days=2),
    ],
)
def test_a_future_time_is_refused(future: datetime) -> None:
    with pytest.raises(ConfigError, match=r"as_of: found .*, which is in the future"):
        request_of(future)


def test_a_future_time_of_a_snapshot_is_refused() -> None:
    with pytest.raises(ConfigError, match="which is in the future"):
        replace(request_of(PAST), as_of=datetime(2999, 1, 1, tzinfo=UTC))


def test_a_past_time_and_no_time_are_accepted() -> None:
    assert request_of(PAST).as_of == PAST
    assert request_of(None).as_of is None
