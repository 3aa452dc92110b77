"""Servers of this test process alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jobs.postgres import Pair, Postgres
from tests.jobs.shop import CONTRACT, ROWS, SCHEMA
from tests.servers import open_folder, require


@pytest.fixture(scope="session")
def production() -> Iterator[Postgres]:
    require("postgres")
    with open_folder() as folder:
        server = Postgres(folder).start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def staging() -> Iterator[Postgres]:
    require("postgres")
    with open_folder() as folder:
        server = Postgres(folder).start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def shop(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    """A shop's production with rows, and an empty staging."""
    pair = Pair(production, staging, CONTRACT, SCHEMA, ROWS)
    yield pair
    pair.drop()
