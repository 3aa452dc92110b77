#!/bin/sh
# ./restore-from-snapshot.sh prod-sanitized-latest: staging's database from the newest snapshot that the sanitising account shares.
# Reads what the data-sync CronJob is given, and SANITIZE_SYSTEM, SANITIZE_DATABASE, DATABASE_NAME.
set -eu
prefix="${1%-latest}-"
[ "$prefix" != "$1-" ] || { echo "found '$1', expected a name that ends in -latest" >&2; exit 2; }
[ "$prefix" = "$SNAPSHOT_PREFIX" ] || { echo "found '$1', expected ${SNAPSHOT_PREFIX}latest" >&2; exit 2; }
upper=$(printf %s "$SANITIZE_DATABASE" | tr 'a-z-' 'A-Z_')
eval "user=\$${upper}_USERNAME_FILE password=\$${upper}_PASSWORD_FILE"
umask 077
printf "host='%s' port='%s' dbname='%s' user='%s' password='%s' sslmode=require" \
  "$DB_HOST" "$DB_PORT" "$DATABASE_NAME" "$(cat "$user")" "$(cat "$password")" > /tmp/target
export SANITIZE_TARGET_FILE=/tmp/target
exec python -m jobs.sanitize restore --receipt /tmp/receipt.json ${OVERRIDES:+--overrides "$OVERRIDES"}
