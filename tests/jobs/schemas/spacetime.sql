CREATE EXTENSION pgcrypto;
CREATE FUNCTION pg_catalog.hmac(bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT public.hmac($1, $2, $3)'; -- CockroachDB has it built in
CREATE TABLE players (
  player_id uuid PRIMARY KEY, username varchar(50) NOT NULL UNIQUE, email varchar(255) NOT NULL UNIQUE, vr_headset varchar(50), level bigint,
  credits bigint, play_time_hours double precision, preferences jsonb, created_at timestamptz NOT NULL);
CREATE TABLE game_sessions (
  session_id uuid PRIMARY KEY, player_id uuid NOT NULL REFERENCES players, star_system varchar(100), started_at timestamptz,
  ended_at timestamptz, avg_fps double precision, achievements text[]);
CREATE TABLE security_events (
  event_id uuid PRIMARY KEY, player_id uuid REFERENCES players, event_type varchar(50), ip_address inet, details jsonb,
  occurred_at timestamptz NOT NULL);
CREATE TABLE performance_metrics (
  metric_id uuid PRIMARY KEY, recorded_at timestamptz NOT NULL, cpu_percent double precision, memory_percent double precision,
  active_players bigint, network_latency_ms double precision);
INSERT INTO players SELECT md5(n::text)::uuid, 'pilot' || n, 'pilot' || n || '@orbit.net', 'Index', n % 50, n * 10, n / 3.0,
  jsonb_build_object('graphics', 'high', 'comfort', true), now() - n * interval '1 hour' FROM generate_series(1, 400) n;
INSERT INTO game_sessions SELECT md5('g' || n)::uuid, md5((1 + n % 400)::text)::uuid, 'Sol', now(), now(), 88.5, ARRAY['first flight']
  FROM generate_series(1, 2000) n;
INSERT INTO security_events SELECT md5('e' || n)::uuid, md5((1 + n % 400)::text)::uuid, 'login', '81.2.69.160',
  jsonb_build_object('from', 'pilot' || n || '@orbit.net'), now() - n * interval '1 hour' FROM generate_series(1, 500) n;
INSERT INTO performance_metrics SELECT md5('m' || n)::uuid, now() - n * interval '1 hour', 50, 60, n, 12.5 FROM generate_series(1, 100) n;
ANALYZE;
