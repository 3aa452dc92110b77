"""What a refresh refuses, before anything is written."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.model.contract import Contract, parse
from jobs.sanitize import guards
from jobs.sanitize.connection import connect
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair
from tests.jobs.shop import CONTRACT

pytestmark = pytest.mark.servers


def with_(shop: Pair, old: str, new: str) -> Contract:
    assert old in CONTRACT
    return parse(CONTRACT.replace(old, new), "shop.data.yaml")


def refused(shop: Pair, said: str, **request: object) -> None:
    with pytest.raises(ConfigError, match=said):
        refresh(shop.request(**request))
    assert shop.target("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]


def test_a_target_that_is_production_by_its_host(shop: Pair) -> None:
    refused(
        shop,
        "SANITIZE_TARGET: the host 127.0.0.1 is one of production's",
        contract=with_(shop, '"*.shop.example.com"', "127.0.0.*"),
    )


def test_a_target_that_is_production_by_its_identifier(shop: Pair) -> None:
    ((identifier,),) = shop.target("SELECT system_identifier::text FROM pg_control_system()")
    marks = f'"*.shop.example.com"], systemIdentifiers: ["{identifier}"]'
    refused(shop, f"its system identifier is {identifier}", contract=with_(shop, '"*.shop.example.com"]', marks))


def test_a_role_of_productions_account(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/sync")
    marks = '"*.shop.example.com"], accounts: ["111122223333"]'
    refused(
        shop, "the role is of production's account 111122223333", contract=with_(shop, '"*.shop.example.com"]', marks)
    )


def test_a_process_that_runs_as_production(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_ENV", "production")
    marks = '"*.shop.example.com"], variables: {FLASK_ENV: production}'
    refused(shop, "FLASK_ENV: found 'production'", contract=with_(shop, '"*.shop.example.com"]', marks))


def test_a_target_without_a_marker(shop: Pair) -> None:
    shop.target("DROP SCHEMA understudy CASCADE")
    refused(shop, r"the target has no marker \(understudy.environment\)\n.*sanitize mark --system shop")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [("name", "production", "says that it is production"), ("system", "other", "'other', expected 'shop'")],
)
def test_a_target_with_another_marker(shop: Pair, column: str, value: str, said: str) -> None:
    shop.target(f"UPDATE understudy.environment SET {column} = '{value}'")
    refused(shop, said)


def test_source_and_target_are_one_server(shop: Pair) -> None:
    request = shop.request()
    with pytest.raises(ConfigError, match="one server, or copies of one"):
        refresh(shop.request(source=request.target))


def test_a_source_that_may_be_written(shop: Pair) -> None:
    shop.source("GRANT UPDATE (state) ON orders TO reader")
    refused(shop, "'reader' may write to orders")
    shop.source("REVOKE UPDATE (state) ON orders FROM reader; GRANT DELETE ON customers TO reader")
    refused(shop, "'reader' may write to customers")
    shop.source("REVOKE DELETE ON customers FROM reader")
    refused(shop, "'postgres' is a superuser there", source=shop.production.url(shop.from_))
    refresh(shop.request())


def test_a_living_primary(shop: Pair) -> None:
    refused(
        shop, "the source is a primary, expected a replica", contract=with_(shop, "source: primary", "source: replica")
    )


def test_a_snapshot_that_lives(shop: Pair) -> None:
    import psycopg

    contract = with_(shop, "source: primary", "source: snapshot")
    with psycopg.connect(shop.production.url(shop.from_)) as writer:
        writer.execute("INSERT INTO newsletter VALUES ('x@mail.com')")
        refused(shop, "the source lives, expected a restored snapshot: 1 of its sessions write", contract=contract)
    refresh(shop.request(contract=contract))


def test_a_user_that_may_not_make_schemas(shop: Pair) -> None:
    shop.target(f"ALTER DATABASE {shop.to} OWNER TO postgres; REVOKE CREATE ON DATABASE {shop.to} FROM sanitizer")
    refused(shop, "the user may not create schemas")


def test_a_schema_of_somebody_else(shop: Pair) -> None:
    shop.target("ALTER SCHEMA public OWNER TO postgres")
    refused(shop, "the schema 'public' belongs to postgres")


def test_rows_that_a_policy_hides(shop: Pair) -> None:
    """Silence would be a copy without them."""
    from config.errors import ExternalError

    shop.production.run("CREATE ROLE restricted LOGIN PASSWORD 'restricted-secret'", database="postgres")
    try:
        shop.source(
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO restricted; ALTER TABLE orders ENABLE ROW LEVEL SECURITY"
        )
        with pytest.raises(ExternalError, match="row-level security policy"):
            refresh(shop.request(source=shop.production.url(shop.from_, "restricted")))
    finally:
        shop.source("DROP OWNED BY restricted")
        shop.production.run("DROP ROLE restricted", database="postgres")


def test_marking(shop: Pair) -> None:
    url = shop.request().target
    with connect(url, "target") as target:
        guards.mark(url, target, shop.contract, shop.name, "staging")  # again: nothing
        with pytest.raises(ConfigError, match="marked as staging of 'shop' already"):
            guards.mark(url, target, shop.contract, shop.name, "preview")
        with pytest.raises(ConfigError, match="it is never refreshed"):
            guards.mark(url, target, shop.contract, shop.name, "production")


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("host=DB.Shop.Example.COM", "*.shop.example.com"),
        ("host=db.shop.example.com.", "*.shop.example.com"),
        ("host=other.net,db.shop.example.com", "*.shop.example.com"),
        ("host=other.net hostaddr=10.1.2.3", "10.1.2.*"),
        ("host=127.0.0.1", "localhost"),
        ("host=db.shop.example.com", "DB.shop.example.com."),
    ],
)
def test_productions_host_however_it_is_written(shop: Pair, given: str, pattern: str) -> None:
    contract = with_(shop, '"*.shop.example.com"', f'"{pattern}"')
    with connect(shop.request().target, "target") as target:
        found = guards.hosts(given, target)
        assert guards._matches(contract.databases["db"], found)
        assert not guards._matches(shop.contract.databases["db"], ["staging.example.net"])


def test_production_is_not_marked(shop: Pair) -> None:
    """The variables are swapped, and the host is one that no mark knows: its rows are what no mask makes."""
    url = shop.production.url(shop.from_)
    with (
        connect(url, "target") as target,
        pytest.raises(ConfigError, match=r"the target is production"),
    ):
        guards.mark(url, target, shop.contract, shop.name, "staging")
    bare = with_(shop, "canaries: [canary.customer@understudy-canary.com]", "canaries: []")
    with (
        connect(url, "target") as target,
        pytest.raises(ConfigError, match="customers, newsletter, orders and 1 more hold values that no mask makes"),
    ):
        guards.mark(url, target, bare, shop.name, "staging")
    assert shop.source("SELECT to_regclass('understudy.environment')") == [(None,)]


def test_a_target_that_holds_a_canary_is_production(shop: Pair) -> None:
    shop.target(
        "CREATE TABLE newsletter (email text); INSERT INTO newsletter VALUES ('canary.customer@understudy-canary.com')"
    )
    shop.target("ALTER TABLE newsletter OWNER TO sanitizer")
    with pytest.raises(ConfigError, match="the target is production: its table newsletter holds a canary"):
        refresh(shop.request())
    assert shop.target("SELECT count(*) FROM newsletter") == [(1,)]


def test_a_source_that_is_marked_is_staging(shop: Pair) -> None:
    shop.source("CREATE SCHEMA understudy; CREATE TABLE understudy.environment (system text, name text)")
    refused(shop, "source and target look swapped")


def test_staging_that_a_refresh_filled_is_marked_again(shop: Pair) -> None:
    refresh(shop.request())
    url = shop.request().target
    with connect(url, "target") as target:
        guards.mark(url, target, shop.contract, shop.name, "staging")
