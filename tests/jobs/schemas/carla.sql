CREATE TABLE users (
  id uuid PRIMARY KEY, username varchar(50) NOT NULL UNIQUE, email varchar(255) NOT NULL UNIQUE, first_name varchar(50),
  last_name varchar(50), password_hash varchar(255) NOT NULL, is_admin boolean NOT NULL DEFAULT false, created_at timestamp);
CREATE TABLE user_sessions (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users, session_token varchar(255) NOT NULL UNIQUE, ip_address inet,
  expires_at timestamp);
CREATE TABLE scenarios (
  session_id uuid PRIMARY KEY, user_id uuid REFERENCES users, scenario_name varchar(100) NOT NULL, start_time timestamp, end_time timestamp,
  status varchar(20), scenario_metadata jsonb);
CREATE TABLE vehicle_data (
  id bigserial PRIMARY KEY, session_id uuid NOT NULL REFERENCES scenarios, recorded_at timestamp NOT NULL, velocity double precision,
  sensor_data jsonb);
INSERT INTO users SELECT md5(n::text)::uuid, 'driver' || n, 'driver' || n || '@lab.edu', 'Given' || n, 'Family' || n, 'scrypt:32768:8:1$' || n,
  n = 1, now() FROM generate_series(1, 100) n;
INSERT INTO user_sessions SELECT md5('t' || n)::uuid, md5((1 + n % 100)::text)::uuid, md5('token' || n), '81.2.69.160', now() FROM generate_series(1, 50) n;
INSERT INTO scenarios SELECT md5('s' || n)::uuid, md5((1 + n % 100)::text)::uuid, 'follow_route', now(), now(), 'done',
  jsonb_build_object('map', 'Town0' || n % 9, 'weather', 'rain', 'driver', 'Given' || n) FROM generate_series(1, 200) n;
INSERT INTO vehicle_data (session_id, recorded_at, velocity, sensor_data) SELECT md5('s' || (1 + n % 200))::uuid, now() - n * interval '2 hours',
  n / 7.0, jsonb_build_object('throttle', 0.5) FROM generate_series(1, 1000) n;
ANALYZE;
