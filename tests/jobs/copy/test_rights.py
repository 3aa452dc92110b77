"""Rights come over exactly: functions, columns, sequences, types, owners and default privileges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.errors import ConfigError
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers
SCHEMA = """
CREATE TYPE mood AS ENUM ('a'); CREATE SEQUENCE s;
CREATE TABLE t (id integer PRIMARY KEY, e text, m mood); INSERT INTO t VALUES (1, 'x', 'a');
CREATE FUNCTION secret(m mood) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT current_user::text $$;
REVOKE EXECUTE ON FUNCTION secret(mood) FROM PUBLIC;
CREATE FUNCTION open_() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
CREATE VIEW v AS SELECT id FROM t;
"""
CONTRACT = """
system: rights
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables: {t: {columns: {id: public (integer), e: free text (text), m: public (mood)}}}
"""


@pytest.fixture
def pair(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    made = Pair(production, staging, CONTRACT, SCHEMA)
    yield made
    made.drop()


def rights(pair: Pair) -> list[tuple[object, ...]]:
    return pair.target("""
        SELECT has_function_privilege('app', 'secret(mood)', 'EXECUTE'), has_function_privilege('reader', 'secret(mood)', 'EXECUTE'),
          has_function_privilege('app', 'open_()', 'EXECUTE'), has_column_privilege('app', 't', 'id', 'SELECT'),
          has_column_privilege('app', 't', 'e', 'SELECT'), has_table_privilege('app', 'v', 'SELECT'), has_sequence_privilege('app', 's', 'USAGE'),
          has_type_privilege('app', 'mood', 'USAGE'), has_schema_privilege('app', 'public', 'USAGE')""")


def test_what_production_took_from_everybody_is_taken(pair: Pair) -> None:
    refresh(pair.request())
    assert rights(pair)[0][:3] == (False, False, True)


def test_what_staging_gave_and_took_stays(pair: Pair) -> None:
    refresh(pair.request())
    pair.target("""
        GRANT EXECUTE ON FUNCTION secret(mood) TO app; REVOKE EXECUTE ON FUNCTION open_() FROM PUBLIC; GRANT SELECT (id) ON t TO app;
        GRANT SELECT ON v TO app; GRANT USAGE ON SEQUENCE s TO app; REVOKE USAGE ON TYPE mood FROM PUBLIC; GRANT USAGE ON SCHEMA public TO app""")
    before = rights(pair)
    assert before == [(True, False, False, True, False, True, True, False, True)]
    refresh(pair.request())
    assert rights(pair) == before


def test_new_objects_get_stagings_default_privileges(pair: Pair) -> None:
    refresh(pair.request())
    pair.target("ALTER DEFAULT PRIVILEGES FOR ROLE sanitizer IN SCHEMA public GRANT SELECT ON TABLES TO app")
    pair.source("CREATE VIEW w AS SELECT id FROM t")
    contract = CONTRACT.replace("    tables:", "    views: ['*']\n    tables:")
    from config.model.contract import parse

    refresh(pair.request(contract=parse(contract, "shop.data.yaml")))
    assert pair.target(
        "SELECT has_table_privilege('app', 'w', 'SELECT'), has_table_privilege('app', 't', 'SELECT')"
    ) == [(True, False)]


def test_owners_whose_rights_cannot_be_handed_on_stop(pair: Pair) -> None:
    refresh(pair.request())
    pair.target("ALTER TABLE t OWNER TO app")
    with pytest.raises(ConfigError, match=r'app owns objects .*\n.*GRANT "app" TO "sanitizer"'):
        refresh(pair.request())
