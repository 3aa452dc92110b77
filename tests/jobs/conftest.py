"""Servers of this test process alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jobs.postgres import Pair, Postgres
from tests.jobs.shop import CONTRACT, ROWS, SCHEMA
from tests.servers import require


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    require("postgres")
    server = Postgres(tmp_path_factory.mktemp("production")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    require("postgres")
    server = Postgres(tmp_path_factory.mktemp("staging")).start()
    yield server
    server.stop()


@pytest.fixture
def shop(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    """A shop's production with rows, and an empty staging."""
    pair = Pair(production, staging, CONTRACT, SCHEMA, ROWS)
    yield pair
    pair.drop()
