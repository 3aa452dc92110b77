"""A shop's database, its rows and its contract."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE customers (
  id integer PRIMARY KEY, email text NOT NULL UNIQUE, username varchar(64) NOT NULL UNIQUE, full_name text, phone varchar(32),
  address text, born date, last_ip inet, password text NOT NULL, about text, settings jsonb, tags text[], avatar bytea,
  referrer integer REFERENCES customers, created_at timestamptz NOT NULL);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer integer NOT NULL REFERENCES customers, state text NOT NULL,
  total numeric(10,2) NOT NULL, placed_at timestamptz NOT NULL, gift_note text);
CREATE INDEX orders_customer ON orders (customer);
CREATE TABLE newsletter (email text PRIMARY KEY, opened integer NOT NULL DEFAULT 0);
CREATE TABLE outbox (id serial PRIMARY KEY, recipient text NOT NULL, body text NOT NULL);
"""
ROWS = """
INSERT INTO customers SELECT n, 'person' || n || '@mail.com', 'person.' || n, 'Person Number' || n,
  '+4930' || lpad((n * 7919)::text, 8, '0'), n || ' High Street', date '1960-01-01' + n, ('81.2.' || n % 256 || '.' || n / 256)::inet,
  '$2b$12$' || repeat('abcdefghijk', 4) || lpad(n::text, 9, 'x'), 'I am person ' || n || ', call me at +49 170 ' || 1000000 + n,
  jsonb_build_object('theme', 'dark', 'contact', jsonb_build_object('email', 'person' || n || '@mail.com')),
  ARRAY['tag' || n % 3], decode('ffd8', 'hex'), CASE WHEN n > 10 THEN n - 10 END, now() - n * interval '1 hour'
FROM generate_series(1, 300) n;
INSERT INTO orders (customer, state, total, placed_at, gift_note) SELECT 1 + n % 300, 'paid', n, now() - n * interval '1 hour',
  CASE WHEN n % 5 = 0 THEN 'For my dear person ' || n END FROM generate_series(1, 2000) n;
INSERT INTO newsletter SELECT 'person' || n || '@mail.com', n FROM generate_series(1, 300) n;
INSERT INTO newsletter VALUES ('canary.customer@understudy-canary.com');
INSERT INTO outbox (recipient, body) VALUES ('person1@mail.com', 'Dear person');
ANALYZE;
"""
CONTRACT = """
system: shop
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: ["*.shop.example.com"]}
    canaries: [canary.customer@understudy-canary.com]
    tables:
      customers:
        columns:
          id: identifier (integer)
          email: email (text)
          username: username (character varying(64))
          full_name: person name (text)
          phone: phone (character varying(32))
          address: address (text)
          born: birth date (date)
          last_ip: IP (inet)
          password: credential (text)
          about: free text (text)
          settings: {class: free text, type: jsonb, paths: {$.theme: public, $.contact.email: email}}
          tags: public (text[])
          avatar: blob (bytea)
          referrer: identifier (integer)
          created_at: public (timestamp with time zone)
      orders:
        columns:
          id: public (bigint)
          customer: identifier (integer)
          state: public (text)
          total: public (numeric(10,2))
          placed_at: public (timestamp with time zone)
          gift_note: free text (text)
      newsletter: {columns: {email: email (text), opened: public (integer)}}
      outbox:
        rows: none
        columns: {id: public (integer), recipient: email (text), body: free text (text)}
"""
