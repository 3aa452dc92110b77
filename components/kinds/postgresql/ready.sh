#!/bin/sh
# Whether a node is of use: a primary that takes writes, or a standby that receives what the primary writes. A standby whose
# primary does not answer is the only one to read from, and of use too. A rollout waits for this before it stops the primary.
set -eu

ask() {
  PGCONNECT_TIMEOUT=3 psql --no-psqlrc --host="$RUN" --username=postgres --dbname=postgres --no-align --tuples-only \
    --command="$1"
}
case $(ask "SELECT pg_is_in_recovery(), EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')") in
"f|"* | "t|t") ;;
"t|f") ! pg_isready --quiet --host="$PRIMARY" --timeout=2 ;;
*) exit 1 ;;
esac
