CREATE TABLE users (
  id uuid PRIMARY KEY, email text NOT NULL UNIQUE, username text NOT NULL UNIQUE, full_name text, phone text UNIQUE, password_hash text,
  totp_secret text, birth_date date, last_login_ip inet, avatar_url text, settings jsonb, created_at timestamptz);
CREATE TABLE workspaces (
  id uuid PRIMARY KEY, name text NOT NULL, owner_id uuid NOT NULL REFERENCES users, billing_address text, card_token text,
  created_at timestamptz);
CREATE TABLE memberships (
  workspace_id uuid REFERENCES workspaces, user_id uuid REFERENCES users, role text NOT NULL, PRIMARY KEY (workspace_id, user_id));
CREATE TABLE channels (id uuid PRIMARY KEY, workspace_id uuid NOT NULL REFERENCES workspaces, name text NOT NULL, archived boolean);
CREATE TABLE messages (
  id bigserial PRIMARY KEY, channel_id uuid NOT NULL REFERENCES channels, sender_id uuid NOT NULL REFERENCES users,
  reply_to bigint REFERENCES messages, body text, body_search tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED,
  sent_at timestamptz NOT NULL);
CREATE INDEX ON messages USING gin (body_search);
CREATE TABLE oauth_tokens (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users, access_token text, refresh_token text);
CREATE TABLE outbox (id bigserial PRIMARY KEY, channel text NOT NULL, recipient text, payload jsonb);
INSERT INTO users SELECT md5(n::text)::uuid, CASE n WHEN 5 THEN 'canary.user@understudy-canary.net' ELSE 'user' || n || '@acme.com' END,
  'acme' || n, 'User ' || n, '+4930' || 1000000 + n, '$argon2id$' || n, 'JBSWY3DP' || n, date '1980-01-01' + n, '81.2.69.160',
  'https://cdn/' || n, jsonb_build_object('locale', 'de', 'theme', 'dark', 'lastSearch', 'lawyer near me'), now()
  FROM generate_series(1, 150) n;
UPDATE users SET settings = settings - 'lastSearch';
INSERT INTO workspaces SELECT md5('w' || n)::uuid, 'Acme ' || n, md5(n::text)::uuid, n || ' Hauptstrasse', 'tok_' || md5(n::text), now()
  FROM generate_series(1, 20) n;
INSERT INTO memberships SELECT md5('w' || (1 + n % 20))::uuid, md5(n::text)::uuid, 'member' FROM generate_series(1, 150) n;
INSERT INTO channels SELECT md5('c' || n)::uuid, md5('w' || (1 + n % 20))::uuid, 'layoffs-' || n, false FROM generate_series(1, 40) n;
INSERT INTO messages (channel_id, sender_id, reply_to, body, sent_at) SELECT md5('c' || (1 + n % 40))::uuid, md5((1 + n % 150)::text)::uuid,
  CASE WHEN n > 3 THEN n - 3 END, 'Ask User ' || n || ' at user' || n || '@acme.com', now() - n * interval '1 hour'
  FROM generate_series(1, 1500) n;
INSERT INTO oauth_tokens SELECT md5('o' || n)::uuid, md5(n::text)::uuid, 'ya29.' || md5(n::text), '1//' || n FROM generate_series(1, 50) n;
INSERT INTO outbox (channel, recipient, payload) SELECT 'email', 'user' || n || '@acme.com', '{}' FROM generate_series(1, 30) n;
ANALYZE;
