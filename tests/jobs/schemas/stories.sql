CREATE TYPE "Role" AS ENUM ('LEARNER', 'CUSTOMER', 'VOLUNTEER', 'ADMIN');
CREATE TABLE "User" (
  id text PRIMARY KEY, email text NOT NULL UNIQUE, name text, "passwordHash" text, role "Role" NOT NULL DEFAULT 'LEARNER', image text,
  "emailVerified" timestamp(3), preferences jsonb, "referredById" text REFERENCES "User", "createdAt" timestamp(3) NOT NULL DEFAULT now(),
  "updatedAt" timestamp(3) NOT NULL);
CREATE TABLE "Story" (
  id text PRIMARY KEY, title text NOT NULL, content text NOT NULL, "authorId" text NOT NULL REFERENCES "User", published boolean NOT NULL,
  "createdAt" timestamp(3) NOT NULL);
CREATE TABLE "UserStory" (
  "userId" text NOT NULL REFERENCES "User" ON DELETE CASCADE, "storyId" text NOT NULL REFERENCES "Story", progress integer NOT NULL,
  note text, PRIMARY KEY ("userId", "storyId"));
CREATE TABLE "Order" (
  id text PRIMARY KEY, "userId" text NOT NULL REFERENCES "User", total numeric(10,2) NOT NULL, status text NOT NULL,
  "shippingAddress" text, phone varchar(32), "stripePaymentId" text UNIQUE, "createdAt" timestamp(3) NOT NULL);
CREATE TABLE "Donation" (
  id text PRIMARY KEY, "userId" text REFERENCES "User", "donorName" text, "donorEmail" text, amount numeric(10,2) NOT NULL, message text,
  "createdAt" timestamp(3) NOT NULL);
CREATE SCHEMA staging_migrations;
CREATE TABLE staging_migrations.role_migration_log (id serial PRIMARY KEY, "userId" text, note text);
INSERT INTO "User" SELECT 'c' || md5(n::text), CASE n WHEN 1 THEN 'canary-3f8c1d@understudy-canary.net' ELSE 'reader' || n || '@web.de' END,
  'Reader ' || n, '$2b$12$' || repeat('a', 53), 'LEARNER', 'https://cdn.example.org/' || n || '.jpg', now(),
  jsonb_build_object('language', 'de', 'notifyEmail', 'reader' || n || '@web.de'), CASE WHEN n > 1 THEN 'c' || md5((n - 1)::text) END,
  now() - n * interval '1 day', now() FROM generate_series(1, 200) n;
INSERT INTO "Story" SELECT 's' || n, 'Story ' || n, 'Once upon a time', 'c' || md5((1 + n % 200)::text), true, now() FROM generate_series(1, 400) n;
INSERT INTO "UserStory" SELECT 'c' || md5((1 + n % 200)::text), 's' || (1 + n % 400), n % 100, 'my note ' || n FROM generate_series(1, 400) n;
INSERT INTO "Order" SELECT 'o' || n, 'c' || md5((1 + n % 200)::text), n, 'PAID', n || ' Ringstrasse, Wien', '+43 1 5550' || 1000 + n,
  'pi_' || md5(n::text), now() FROM generate_series(1, 500) n;
INSERT INTO "Donation" SELECT 'd' || n, CASE WHEN n % 2 = 0 THEN 'c' || md5((1 + n % 200)::text) END, 'Donor ' || n, 'donor' || n || '@gmx.at', n,
  'For the children, from Donor ' || n, now() FROM generate_series(1, 300) n;
ANALYZE;
