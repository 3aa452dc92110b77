"""A schema that is as unkind as PostgreSQL allows, and its contract."""

from __future__ import annotations

SCHEMA = r'''
CREATE EXTENSION citext SCHEMA public;
CREATE TYPE "Mood" AS ENUM ('happy', 'so-so', 'it''s complicated');
CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
CREATE TYPE place AS (street text, number integer);
CREATE SEQUENCE ticket START 1000 INCREMENT 5;
CREATE FUNCTION shout(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(t) || '!' $$;
CREATE TABLE "select" (
  "from" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Weird ""Name""" mail NOT NULL UNIQUE, "user" citext UNIQUE,
  "order" "Mood" NOT NULL DEFAULT 'so-so', moods "Mood"[], mails text[], home place, number_ bigint DEFAULT nextval('ticket'),
  "Größe" double precision, exact numeric, blob bytea, ip inet, network cidr, story text, search tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', story)) STORED, loud text GENERATED ALWAYS AS (shout(story)) STORED,
  token uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE, boss bigint REFERENCES "select", "née" varchar(40), secret char(60),
  CONSTRAINT "grown up" CHECK (exact IS NULL OR exact > -1 OR exact = 'NaN'));
CREATE UNIQUE INDEX "lower mail" ON "select" (lower("Weird ""Name"""));
CREATE INDEX ON "select" USING gin (search);
CREATE TABLE "Parts" (a integer, b integer, owner bigint REFERENCES "select", PRIMARY KEY (a, b));
CREATE TABLE uses (id integer PRIMARY KEY, a integer, b integer, FOREIGN KEY (a, b) REFERENCES "Parts" DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE events (id bigint, at timestamptz NOT NULL, who bigint REFERENCES "select", what jsonb, PRIMARY KEY (id, at))
  PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY HASH (id);
CREATE TABLE events_2026_0 PARTITION OF events_2026 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_2026_1 PARTITION OF events_2026 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON events (who);
CREATE TABLE egg (id integer PRIMARY KEY, hen integer) WITH (fillfactor = 80);
CREATE TABLE hen (id integer PRIMARY KEY, egg integer REFERENCES egg);
ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen;
CREATE TABLE ledger (id serial PRIMARY KEY, entry text NOT NULL, at timestamptz DEFAULT now());
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER stamp BEFORE UPDATE ON uses FOR EACH ROW EXECUTE FUNCTION append_only();
ALTER TABLE uses DISABLE TRIGGER stamp;
CREATE TABLE empty_one ();
CREATE TABLE no_key (mail text, phone text) WITH (fillfactor = 70, autovacuum_enabled = false);
CREATE VIEW happy AS SELECT "from", "user" FROM "select" WHERE "order" = 'happy';
CREATE MATERIALIZED VIEW counts AS SELECT "order", count(*) FROM "select" GROUP BY 1;
CREATE UNIQUE INDEX ON counts ("order");
CREATE STATISTICS both_ (dependencies) ON a, b FROM uses;
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON ledger USING (false);
CREATE POLICY readers ON ledger FOR SELECT TO reader USING (true);
'''
ROWS = r'''
INSERT INTO "select" ("Weird ""Name""", "user", "order", moods, mails, home, "Größe", exact, blob, ip, network, story, boss, "née", secret)
SELECT 'Ünï.' || n || '@mail.com', 'User' || n, (ARRAY['happy', 'so-so', 'it''s complicated'])[1 + n % 3]::"Mood", ARRAY['happy']::"Mood"[],
  CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['x' || n || '@mail.com', NULL] END, ROW('Elm ' || n, n)::place,
  (ARRAY['NaN', 'Infinity', '-Infinity', '1.5e300'])[1 + n % 4]::float8, (ARRAY['NaN', '1.23456789012345678901234567890', NULL])[1 + n % 3]::numeric,
  decode('00ff27', 'hex'), CASE n % 2 WHEN 0 THEN '81.2.69.160'::inet ELSE '2a02:8071::1'::inet END, '81.2.69.0/24',
  CASE n WHEN 7 THEN repeat('Long story of Ada Lovelace. ', 40000) WHEN 8 THEN E'tab\tnew\nline \\ back ''quote'' 🦄 émoji \\N' ELSE 'I am ' || n END,
  CASE WHEN n > 1 THEN n / 2 END, 'Née ' || n, rpad('secret' || n, 60, 'x')
FROM generate_series(1, 60) n;
INSERT INTO "Parts" SELECT n, n + 1, 1 + n % 60 FROM generate_series(1, 30) n;
INSERT INTO uses SELECT n, CASE WHEN n % 4 > 0 THEN 1 + n % 30 END, 2 + n % 30 FROM generate_series(1, 40) n;
INSERT INTO events SELECT n, timestamptz '2025-06-01' + n * interval '5 days', 1 + n % 60,
  jsonb_build_object('kind', 'click', 'from', '81.2.69.' || n, 'tags', jsonb_build_array(jsonb_build_object('mail', 'x' || n || '@mail.com')))
FROM generate_series(1, 80) n;
INSERT INTO egg SELECT n, NULL FROM generate_series(1, 20) n;
INSERT INTO hen SELECT n, n FROM generate_series(1, 20) n;
UPDATE egg SET hen = 1 + id % 20;
INSERT INTO ledger (entry) SELECT 'Paid by Ada ' || n FROM generate_series(1, 10) n;
INSERT INTO no_key SELECT 'n' || n || '@mail.com', '+12025550199' FROM generate_series(1, 10) n;
INSERT INTO no_key VALUES (NULL, NULL);
REFRESH MATERIALIZED VIEW counts;
ANALYZE;
'''
CONTRACT = r"""
system: nasty
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables:
      select:
        columns:
          from: identifier (bigint)
          'Weird "Name"': email (mail)
          user: username (citext)
          order: public ("Mood")
          moods: public ("Mood"[])
          mails: email (text[])
          home: drop (place)
          number_: public (bigint)
          Größe: public (double precision)
          exact: public (numeric)
          blob: blob (bytea)
          ip: IP (inet)
          network: drop (cidr)
          story: free text (text)
          search: free text (tsvector)
          loud: free text (text)
          token: credential (uuid)
          boss: identifier (bigint)
          née: person name (character varying(40))
          secret: credential (character(60))
      Parts: {columns: {a: public (integer), b: public (integer), owner: identifier (bigint)}}
      uses: {columns: {id: public (integer), a: public (integer), b: public (integer)}}
      events:
        partitions: [events_2025, "events_2026*"]
        columns:
          id: public (bigint)
          at: public (timestamp with time zone)
          who: identifier (bigint)
          what: {class: free text, type: jsonb, paths: {$.kind: public, $.from: IP, "$.tags[*].mail": email}}
      egg: {columns: {id: public (integer), hen: public (integer)}}
      hen: {columns: {id: public (integer), egg: public (integer)}}
      ledger: {columns: {id: public (integer), entry: free text (text), at: public (timestamp with time zone)}}
      empty_one: {columns: {}}
      no_key: {columns: {mail: email (text), phone: phone (text)}}
"""
