#!/bin/sh
# Starts PostgreSQL as the official image does: an empty data folder is set up with POSTGRES_USER, POSTGRES_PASSWORD and
# POSTGRES_DB, and with the scripts of /docker-entrypoint-initdb.d. Any other command runs as it is.
set -eu
[ "${1:-postgres}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  exec chroot --userspec=postgres:postgres / "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  password=${POSTGRES_PASSWORD:-}
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || password=$(cat "$POSTGRES_PASSWORD_FILE")
  [ -n "$password" ] || { echo "POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE is missing" >&2 && exit 1; }
  printf '%s\n' "$password" | initdb --pgdata="$PGDATA" --username="$user" --pwfile=/dev/stdin --encoding=UTF8 \
    --auth-local=trust --auth-host=scram-sha-256
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=" --wait start
  database=${POSTGRES_DB:-$user}
  [ "$database" = postgres ] || createdb --username="$user" "$database"
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
    *.sh) sh "$script" ;;
    *.sql) psql --set=ON_ERROR_STOP=1 --username="$user" --dbname="$database" --file="$script" ;;
    *.sql.gz) gzip -dc "$script" | psql --set=ON_ERROR_STOP=1 --username="$user" --dbname="$database" ;;
    esac
  done
  pg_ctl -D "$PGDATA" --mode=fast --wait stop
fi
[ $# = 0 ] || shift
exec postgres -D "$PGDATA" -c listen_addresses='*' "$@"
