#!/bin/sh
# Takes a base backup, verifies it, and lets go of those beyond $KEEP, with the WAL that only they need.
set -eu
umask 077
. "$CONFIG/connect.sh"

cd "$ARCHIVE/base"
rm -rf ./*.partial
name=$(date -u +%Y%m%dT%H%M%SZ)
begins=$(psql --no-psqlrc --dbname=postgres --no-align --tuples-only --command='SELECT pg_walfile_name(pg_current_wal_lsn())')
pg_basebackup --username=replication --pgdata="$name.partial" --checkpoint=fast --wal-method=stream
pg_verifybackup --quiet "$name.partial"
echo "$begins" >"$name.partial.wal"
mv "$name.partial.wal" "$name.wal"
mv "$name.partial" "$name"

for old in $(ls -d ./*Z | sort -r | tail -n +"$((KEEP + 1))"); do rm -rf "$old" "$old.wal"; done
oldest=$(ls -d ./*Z | sort | head -n 1)
pg_archivecleanup "$ARCHIVE/wal" "$(cat "$oldest.wal")"
echo "backup $name is whole; the oldest is $(basename "$oldest")"
