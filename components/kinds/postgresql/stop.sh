#!/bin/sh
# Before a node is stopped on purpose: a checkpoint while it still serves, so that little is left to write, then the fast
# shutdown, which sends the standby all WAL. The stop signal, where it is SIGTERM, would wait for every client to leave.
set -eu

PGCONNECT_TIMEOUT=3 timeout 60 psql --no-psqlrc --quiet --host="$RUN" --username=postgres --dbname=postgres \
  --command=CHECKPOINT || echo "no checkpoint before the stop" >&2
exec pg_ctl stop --pgdata="$PGDATA" --mode=fast --no-wait
