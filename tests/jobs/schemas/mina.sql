CREATE TABLE users (
  id serial PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, username varchar(64) NOT NULL UNIQUE, password_hash varchar(255),
  display_name varchar(128), timezone varchar(64), created_at timestamp);
CREATE TABLE meetings (
  id serial PRIMARY KEY, owner_id integer NOT NULL REFERENCES users, title varchar(255), started_at timestamp NOT NULL,
  duration_seconds integer);
CREATE TABLE transcript_segments (
  id bigserial PRIMARY KEY, meeting_id integer NOT NULL REFERENCES meetings ON DELETE CASCADE, speaker_name varchar(128), text text,
  confidence double precision, words jsonb);
CREATE TABLE api_tokens (id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users, token varchar(128) NOT NULL UNIQUE);
CREATE TABLE webhooks (id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users, url text NOT NULL, enabled boolean NOT NULL);
INSERT INTO users (email, username, password_hash, display_name, timezone, created_at)
  SELECT 'speaker' || n || '@firm.com', 'speaker_' || n, 'pbkdf2:sha256:600000$x$' || md5(n::text), 'Speaker ' || n, 'Europe/Berlin', now()
  FROM generate_series(1, 120) n;
INSERT INTO meetings (owner_id, title, started_at, duration_seconds)
  SELECT 1 + n % 120, 'Salary of Speaker ' || n, now() - n * interval '12 hours', 60 * n FROM generate_series(1, 200) n;
INSERT INTO transcript_segments (meeting_id, speaker_name, text, confidence, words)
  SELECT 1 + n % 200, 'Speaker ' || n % 120, 'My number is +49 170 ' || 1000000 + n, 0.9, jsonb_build_array('my', 'number')
  FROM generate_series(1, 1000) n;
INSERT INTO api_tokens (user_id, token) SELECT n, 'sk_live_' || md5(n::text) FROM generate_series(1, 100) n;
INSERT INTO webhooks (user_id, url, enabled) SELECT n, 'https://firm.com/hook/' || md5(n::text), true FROM generate_series(1, 20) n;
ANALYZE;
