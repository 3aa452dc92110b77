#!/bin/sh
# Starts a node: the first one is the primary, another follows it. A data folder appears under its name only when it is whole,
# so that a start that was killed begins anew. After "pg_ctl promote" a node stays a primary: the server removes standby.signal.
set -eu
umask 077

printf '%s:*:*:replication:%s\n' "$PRIMARY" "$(printf %s "$INTERNAL_PASSWORD" | sed 's/[:\\]/\\&/g')" >"$RUN/pgpass"
source="host=$PRIMARY user=replication passfile=$RUN/pgpass sslmode=verify-full sslrootcert=$CERTS/ca.crt"
# an address where nobody answers is given up soon: after a restart of the primary, the standby is back in seconds
source="$source connect_timeout=5 keepalives_idle=5 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=20000"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.partial"
  if [ "$SELF" = "$PRIMARY" ]; then
    printf '%s\n' "$INTERNAL_PASSWORD" | initdb --pgdata="$PGDATA.partial" --username=postgres --pwfile=/dev/stdin \
      --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  else
    until pg_basebackup --dbname="$source" --pgdata="$PGDATA.partial" --slot=standby --checkpoint=fast; do
      echo "waiting for the primary"
      rm -rf "$PGDATA.partial"
      sleep 2
    done
    : >"$PGDATA.partial/standby.signal"
  fi
  mv "$PGDATA.partial" "$PGDATA"
fi
[ -z "${ARCHIVE:-}" ] || mkdir -p "$ARCHIVE/wal" "$ARCHIVE/base"
exec postgres -D "$PGDATA" -c config_file="$CONFIG/postgresql.conf" -c listen_addresses="${BIND:-*}" \
  -c primary_conninfo="$source" -c primary_slot_name=standby
