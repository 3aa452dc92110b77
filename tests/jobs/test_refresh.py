"""A whole refresh on two real servers."""

from __future__ import annotations

import gzip
import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from config.errors import ConfigError, ExternalError
from config.model.contract import parse
from jobs.sanitize import guards
from jobs.sanitize import refresh as module
from jobs.sanitize.connection import connect
from jobs.sanitize.copy import shadow
from jobs.sanitize.errors import Leak
from jobs.sanitize.proof.receipt import canonical
from jobs.sanitize.refresh import refresh, verify
from tests.jobs.postgres import Pair, Postgres
from tests.jobs.shop import CONTRACT

pytestmark = pytest.mark.servers
RAW = ("mail.com", "Person", "person.", "+4930", "High Street", "81.2.", "$2b$", "canary", "Dear")


def everything(pair: Pair) -> str:
    tables = ("customers", "orders", "newsletter", "outbox")
    return "\n".join(row for table in tables for (row,) in pair.target(f"SELECT t::text FROM {table} t"))


def test_every_row_comes_through_and_no_value(shop: Pair) -> None:
    receipt = refresh(shop.request())
    found = everything(shop)
    assert not [word for word in RAW if word in found]
    assert {name: table["after"] for name, table in receipt["tables"].items()} == {
        "customers": 300,
        "newsletter": 301,
        "orders": 2000,
        "outbox": 0,
    }
    assert shop.target("SELECT count(*), sum(total), count(DISTINCT customer) FROM orders") == shop.source(
        "SELECT count(*), sum(total), count(DISTINCT customer) FROM orders"
    )
    assert all(check["found"] == 0 for check in receipt["checks"])
    stored = shop.target("SELECT receipt FROM understudy.receipts")
    assert stored == [(canonical(receipt),)]


def test_masks_are_consistent_across_tables_and_keyed_a_refresh(shop: Pair) -> None:
    joined = "SELECT count(*) FROM customers c JOIN newsletter n USING (email)"
    orders = "SELECT o.id, c.created_at FROM orders o JOIN customers c ON c.id = o.customer ORDER BY 1"
    referrers = "SELECT c.created_at, r.created_at FROM customers c JOIN customers r ON r.id = c.referrer ORDER BY 1"
    refresh(shop.request())
    first = shop.target("SELECT id, email FROM customers ORDER BY created_at")
    for query in (joined, orders, referrers):
        assert shop.source(query) == shop.target(query)
    assert shop.target("SELECT count(*) FROM customers WHERE settings #>> '{contact,email}' = email") == [(300,)]
    refresh(shop.request())
    second = shop.target("SELECT id, email FROM customers ORDER BY created_at")
    assert not {row[0] for row in first} & {row[0] for row in second}
    assert not {row[1] for row in first} & {row[1] for row in second}


def test_fingerprints_say_the_same_as_forms(shop: Pair) -> None:
    by_form = {check["check"] for check in refresh(shop.request())["checks"]}
    by_hash = {check["check"] for check in refresh(shop.request(fingerprints=True))["checks"]}
    assert "no value of production's has the mask's form" in by_form
    assert "no value of production's has the mask's form" not in by_hash
    assert {"no value is one of production's", "no row has its own value"} <= by_hash


def test_values_of_the_form_in_production_are_compared_by_fingerprint(shop: Pair) -> None:
    shop.source("UPDATE customers SET phone = '+120255501' || lpad((id % 100)::text, 2, '0')")
    shop.source(
        "UPDATE newsletter SET email = 'user_' || lpad(opened::text, 20, '0') || '@staging.invalid' WHERE opened BETWEEN 1 AND 9"
    )
    checks = {
        (check["table"], check["column"]): check["check"]
        for check in refresh(shop.request())["checks"]
        if "value" in check["check"]
    }
    assert checks["customers", "phone"] == "no row has its own value"
    assert checks["newsletter", "email"] == "no value is one of production's"
    assert checks["customers", "email"] == "no value of production's has the mask's form"


def test_grants_owner_and_default_privileges_stay(shop: Pair) -> None:
    refresh(shop.request())
    shop.target(
        "GRANT SELECT, INSERT ON orders TO app; GRANT USAGE ON SEQUENCE outbox_id_seq TO app; GRANT CREATE ON SCHEMA public TO app"
    )
    shop.target("ALTER DEFAULT PRIVILEGES FOR ROLE sanitizer IN SCHEMA public GRANT SELECT ON TABLES TO app")
    query = "SELECT relname, relacl::text, pg_get_userbyid(relowner) FROM pg_class WHERE relname IN ('orders', 'customers', 'outbox_id_seq') ORDER BY 1"
    schema = "SELECT nspacl::text, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public'"
    defaults = "SELECT defaclacl::text, n.nspname FROM pg_default_acl d JOIN pg_namespace n ON n.oid = defaclnamespace"
    rights = {frozenset(text.strip("{}").split(",")) for _, text, _ in shop.target(query) if text}
    before = shop.target(schema), shop.target(defaults)
    refresh(shop.request())
    after = {frozenset(text.strip("{}").split(",")) for _, text, _ in shop.target(query) if text}
    assert {right for rights_ in rights for right in rights_ if right.startswith("app")} <= {
        r for rs in after for r in rs
    }
    assert (shop.target(schema), shop.target(defaults)) == before


def test_backup_comes_first_and_is_pruned(shop: Pair, tmp_path: Path) -> None:
    refresh(shop.request(backups=tmp_path))
    assert list(tmp_path.iterdir()) == [], "there was nothing to back up"
    for number in range(9):
        (tmp_path / f"staging-backup-2020010{number}T000000Z.sql.gz").touch()
    refresh(shop.request(backups=tmp_path))
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 7
    text = gzip.decompress(kept[-1].read_bytes()).decode()
    assert "COPY public.customers" in text
    assert "@staging.invalid" in text
    assert kept[-1].stat().st_mode & 0o077 == 0


def test_overrides_may_bring_in_what_they_spell_out(shop: Pair) -> None:
    refresh(shop.request(overrides="INSERT INTO newsletter VALUES ('tester@example.com', 7)"))
    assert shop.target("SELECT opened FROM newsletter WHERE email = 'tester@example.com'") == [(7,)]
    with pytest.raises(Leak, match=r"newsletter\.email: of the mask's form: 301 rows"):
        refresh(shop.request(overrides="UPDATE newsletter SET email = 'tester' || opened || '@example.com' || ctid"))


def test_an_override_that_brings_a_person_in_is_found(shop: Pair) -> None:
    refresh(shop.request())
    before = everything(shop)
    with pytest.raises(Leak, match=r"customers\.email") as leak:
        refresh(
            shop.request(
                overrides="UPDATE customers SET email = 'ada.lovelace@gmail.com' WHERE id = (SELECT min(id) FROM customers)"
            )
        )
    assert "lovelace" not in str(leak.value)
    assert everything(shop) == before


def test_verify_says_what_staging_has_now(shop: Pair) -> None:
    refresh(shop.request())
    assert verify(shop.request()).broken() == []
    shop.target("UPDATE orders SET state = 'ask ada@gmail.com' WHERE id = 1")
    with pytest.raises(Leak, match=r"orders\.state: no email: 1 rows"):
        verify(shop.request())


def test_the_snapshot_is_one(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that production writes while it is copied are not copied, in no table."""
    real = module._work

    def slow(*given: object) -> None:
        shop.source("INSERT INTO newsletter VALUES ('late@mail.com', 1)")
        shop.source("DELETE FROM orders WHERE id > 1000")
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_work", slow)
    receipt = refresh(shop.request())
    assert receipt["tables"]["newsletter"]["after"] == 301
    assert shop.target("SELECT count(*) FROM orders") == [(2000,)]


def test_readers_see_the_old_rows_or_the_new(shop: Pair) -> None:
    refresh(shop.request())
    seen, stop = [], threading.Event()

    def read() -> None:
        with psycopg.connect(shop.staging.url(shop.to), autocommit=True) as connection:
            while not stop.is_set():
                rows = connection.execute(
                    "SELECT count(*), count(*) FILTER (WHERE email LIKE 'user\\_%') FROM customers"
                ).fetchone()
                seen.append(rows)
                time.sleep(0.005)

    thread = threading.Thread(target=read)
    thread.start()
    refresh(shop.request())
    stop.set()
    thread.join()
    assert set(seen) == {(300, 300)}


def test_autovacuum_is_not_in_the_way_of_what_is_built(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shadow.finish
    query = """
        SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY (%s)"""
    seen: dict[str, list[str] | None] = {}

    def look(*given: object) -> None:
        seen.update(shop.target(query, ["understudy_new_public", "understudy_work_public"]))
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(shadow, "finish", look)
    refresh(shop.request(fingerprints=True))
    assert {"customers", "newsletter", "orders", "outbox", "f0"} < seen.keys()
    small = {"ranges", "run"}
    assert {name for name, options in seen.items() if options == ["autovacuum_enabled=off"]} == seen.keys() - small
    assert dict(shop.target(query, ["public"])) == dict.fromkeys(("customers", "newsletter", "orders", "outbox"))


def test_a_lost_snapshot_begins_the_copy_again(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._work
    lost: list[int] = []

    def cut(crew: object, target: object, place: str, source: psycopg.Connection, *rest: object) -> None:
        if not lost:
            lost.append(1)
            shop.production.run(f"SELECT pg_terminate_backend({source.info.backend_pid})", database="postgres")
        real(crew, target, place, source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_work", cut)
    told: list[str] = []
    receipt = refresh(shop.request(), lambda name, _: told.append(name))
    assert any("snapshot was lost" in name for name in told)
    assert receipt["tables"]["orders"]["after"] == 2000


def test_two_at_once_are_one_too_many(shop: Pair) -> None:
    refresh(shop.request())
    with psycopg.connect(shop.staging.url(shop.to, "sanitizer"), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('understudy-sanitize/public', 0))")
        with pytest.raises(ExternalError, match="another refresh of this database is running"):
            refresh(shop.request())


def test_a_full_volume_is_refused(shop: Pair) -> None:
    small = parse(CONTRACT.replace("    source: primary", "    source: primary\n    volume: 9M"), "shop.data.yaml")
    with pytest.raises(ConfigError, match=r"above 80% of 9M"):
        refresh(shop.request(contract=small))
    assert shop.target("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'understudy_%'") == [(0,)]


def test_the_receipt_says_what_it_does_not_prove(shop: Pair) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    receipt = refresh(shop.request(as_of=at))
    assert receipt["snapshot"]["at"] == at.isoformat()
    assert receipt["snapshot"]["ageSeconds"] > 0
    assert any("anonymity" in text for text in receipt["doesNotProve"])
    assert json.loads(canonical(receipt)) == receipt
    assert "canary" not in canonical(receipt).replace("no canary", "").replace("canaries", "")


def test_a_sanitised_copy_is_copied_as_it_is_and_proved(shop: Pair) -> None:
    """What staging does with the sanitising account's snapshot: from the staging server to a database of the other one."""
    refresh(shop.request())
    shop.target(
        "GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader"
    )
    final = shop.production.database("ALTER SCHEMA public OWNER TO sanitizer")
    shop.production.run(f"ALTER DATABASE {final} OWNER TO sanitizer", database=final)
    to = shop.production.url(final, "sanitizer")
    with connect(to, "target") as target:
        guards.mark(to, target, shop.contract, shop.name, "staging")
    request = shop.request(source=shop.staging.url(shop.to, "reader"), target=to, masked=True)
    refresh(request)
    query = "SELECT * FROM customers ORDER BY id"
    assert shop.production.run(query, database=final) == shop.target(query)
    shop.target("UPDATE customers SET email = 'ada@gmail.com' WHERE id = (SELECT min(id) FROM customers)")
    with pytest.raises(Leak, match=r"customers\.email: of the mask's form: 1 rows"):
        refresh(request)
    shop.production.run(f"DROP DATABASE {final} WITH (FORCE)", database="postgres")


def test_another_schemas_table_of_the_same_name_is_never_read(production: Postgres, staging: Postgres) -> None:
    contract = """
system: names
databases:
  db:
    engine: postgresql
    schema: app
    source: primary
    production: {hosts: [production]}
    tables:
      users: {columns: {id: public (integer), note: free text (text), kind: public (text), code: identifier (citext), s: public (status)}}
"""
    schema = """
CREATE EXTENSION citext; CREATE SCHEMA app; CREATE TYPE app.status AS ENUM ('a');
CREATE TABLE app.users (id integer PRIMARY KEY, note text, kind text, code public.citext, s app.status);
INSERT INTO app.users SELECT n, 'hello', 'k', 'c' || n, 'a' FROM generate_series(1, 3) n;
CREATE TABLE public.users (LIKE app.users); INSERT INTO public.users SELECT n, 'x', 'Jane Roe, HIV positive', 'x', 'a' FROM generate_series(1, 3) n;
CREATE FUNCTION public.length(varchar) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1 / 0'
"""
    pair = Pair(production, staging, contract.replace("(citext)", "(public.citext)"), schema)
    pair.source(
        "ALTER ROLE reader IN DATABASE "
        + pair.from_
        + " SET search_path = public; GRANT SELECT ON public.users TO reader"
    )
    pair.target("CREATE EXTENSION citext; CREATE SCHEMA app AUTHORIZATION sanitizer")
    refresh(pair.request(source=pair.production.url(pair.from_, "reader") + " options='-c search_path=public'"))
    assert pair.target("SELECT DISTINCT kind, s::text, code LIKE 'staging\\_%' FROM app.users") == [("k", "a", True)]
    assert pair.target("SELECT to_regclass('public.users')") == [(None,)]
    pair.drop()


def test_a_copy_that_is_not_sanitised_is_not_copied(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--already-masked`` is tested on the source, before a row of it is in staging; documents too."""
    monkeypatch.setattr(module, "_work", lambda *_: pytest.fail("nothing may be copied"))
    with pytest.raises(Leak, match="the source is no sanitised copy, and nothing was copied") as leak:
        refresh(shop.request(masked=True))
    assert "customers.settings: of the mask's form: 300 rows" in str(leak.value)
    assert "customers.email: of the mask's form: 300 rows" in str(leak.value)


def test_what_it_says_after_the_commit_is_true(shop: Pair) -> None:
    """A reader holds the old tables: the new ones are in use all the same, and that is what is said."""
    refresh(shop.request())
    before = shop.target("SELECT min(email) FROM customers")
    told: list[str] = []
    with psycopg.connect(shop.staging.url(shop.to)) as reader:
        reader.execute("SELECT count(*) FROM customers")
        receipt = refresh(shop.request(wait=1), lambda name, _: told.append(name))
        assert shop.target("SELECT min(email) FROM customers") != before
    assert any(
        "the new data are in use; the old tables stay as understudy_old_public" in text and "session" in text
        for text in told
    )
    assert receipt["tables"]["customers"]["after"] == 300
    refresh(shop.request())
    assert shop.target("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'understudy%'") == [("understudy",)]


def test_a_connection_that_breaks_at_the_commit(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shadow.swap

    def broken(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        raise ExternalError("swapping the schemas: server closed the connection; the old data are as they were")

    monkeypatch.setattr(shadow, "swap", broken)
    receipt = refresh(shop.request())
    assert shop.target("SELECT receipt FROM understudy.receipts") == [(canonical(receipt),)]


def test_two_schemas_of_one_database_are_refreshed_at_once(production: Postgres, staging: Postgres) -> None:
    from concurrent.futures import ThreadPoolExecutor

    database = "  d{0}:\n    engine: postgresql\n    schema: {0}\n    source: primary\n    production: {{hosts: [production]}}\n    tables: {{t: {{columns: {{id: public (integer), e: email (text)}}}}}}\n"
    rows = "CREATE SCHEMA {0}; CREATE TABLE {0}.t (id integer PRIMARY KEY, e text); INSERT INTO {0}.t SELECT n, 'x' || n || '@corp.com' FROM generate_series(1, 5000) n; GRANT USAGE ON SCHEMA {0} TO reader; GRANT SELECT ON {0}.t TO reader"
    pair = Pair(
        production,
        staging,
        "system: two\ndatabases:\n" + database.format("a") + database.format("b"),
        rows.format("a"),
        rows.format("b"),
    )
    pair.target("CREATE SCHEMA a AUTHORIZATION sanitizer; CREATE SCHEMA b AUTHORIZATION sanitizer")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: refresh(pair.request(database=name)), ["da", "db"]))
    assert [item["tables"]["t"]["after"] for item in done] == [5000, 5000]
    assert pair.target("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'understudy%'") == [("understudy",)]
    pair.drop()


def test_no_key_is_in_a_servers_log(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.sanitize.dialect import Keys

    made: list[Keys] = []
    monkeypatch.setattr(module, "Keys", lambda: made.append(Keys()) or made[-1])  # type: ignore[func-returns-value]
    for server in (shop.production, shop.staging):
        server.run("ALTER SYSTEM SET log_statement = 'all'", database="postgres")
        server.run("SELECT pg_reload_conf()", database="postgres")
    try:
        refresh(shop.request(fingerprints=True))
    finally:
        for server in (shop.production, shop.staging):
            server.run("ALTER SYSTEM RESET log_statement", database="postgres")
            server.run("SELECT pg_reload_conf()", database="postgres")
    for server in (shop.production, shop.staging):
        text = server.server.text()
        assert "COPY" in text, "statements are logged"
        for keys in made:
            assert not [value for value in keys.settings().values() if value in text]


def test_the_order_of_rows_says_nothing(production: Postgres, staging: Postgres) -> None:
    contract = """
system: order
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables: {t: {columns: {id: identifier (bigint), truth: public (bigint), email: email (text)}}}
"""
    schema = "CREATE TABLE t (id bigint PRIMARY KEY, truth bigint, email text); INSERT INTO t SELECT n, n, 'u' || n || '@corp.com' FROM generate_series(1, 20000) n; ANALYZE"
    pair = Pair(production, staging, contract, schema)
    refresh(pair.request())
    query = "SELECT count(*) FROM (SELECT truth, row_number() OVER (ORDER BY ctid) AS n FROM t) x WHERE n = truth"
    assert pair.target(query)[0][0] < 20
    refresh(pair.request(contract=parse(contract.replace("{t: {", "{t: {shuffle: false, "), "x")))
    assert pair.target(query) == [(20000,)]
    pair.drop()


def test_equal_values_of_citext_and_text_still_join(production: Postgres, staging: Postgres) -> None:
    contract = """
system: join
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables:
      users: {columns: {id: identifier (integer), u: identifier (uuid), email: email (citext)}}
      orders: {columns: {buyer: email (text), short: email (character varying(200)), user_id: identifier (text), big: identifier (bigint), uid: identifier (text)}}
"""
    schema = """
CREATE EXTENSION citext; CREATE TABLE users (id integer PRIMARY KEY, u uuid, email citext UNIQUE);
CREATE TABLE orders (buyer text, short varchar(200), user_id text, big bigint, uid text);
INSERT INTO users SELECT n, md5(n::text)::uuid, 'Jane.' || n || '@BigBank.com' FROM generate_series(1, 100) n;
INSERT INTO orders SELECT 'jane.' || n || '@bigbank.com', 'Jane.' || n || '@BigBank.com', n::text, n, md5(n::text)::uuid::text FROM generate_series(1, 100) n;
INSERT INTO orders VALUES ('x@y.com', NULL, 'abc', 175928847299117063, 'x')
"""
    pair = Pair(production, staging, contract, schema)
    pair.target("SET ROLE sanitizer; CREATE EXTENSION citext")
    refresh(pair.request())
    for join in (
        "o.buyer = u.email",
        "o.short = u.email",
        "o.user_id = u.id::text",
        "o.big = u.id",
        "o.uid = u.u::text",
    ):
        assert pair.target(f"SELECT count(*) FROM users u JOIN orders o ON {join}") == [(100,)], join
    pair.source("ALTER TABLE orders ADD UNIQUE (buyer); INSERT INTO orders VALUES ('X@y.com', NULL, NULL, NULL, NULL)")
    with pytest.raises(ConfigError, match="differ from others by capitals alone"):
        refresh(pair.request())
    pair.drop()


def test_a_snapshot_that_is_lost_again_and_again(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given up after three attempts, with nothing left behind; of a standby the message says what helps."""

    def cut(crew: object, target: object, place: str, source: psycopg.Connection, *rest: object) -> None:
        shop.production.run(f"SELECT pg_terminate_backend({source.info.backend_pid})", database="postgres")
        module._alive(source)

    monkeypatch.setattr(module, "_work", cut)
    monkeypatch.setattr(module, "_advice", lambda _: "; set hot_standby_feedback = on there")
    with pytest.raises(ExternalError, match="the old data are as they were; set hot_standby_feedback = on there"):
        refresh(shop.request())
    assert shop.target("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'understudy%'") == [("understudy",)]
