#!/bin/sh
# ./restore-from-snapshot.sh prod-sanitized-latest: staging's database from the newest snapshot that the sanitising account shares.
# Reads what the data-sync CronJob is given; OVERRIDES may name a file of SQL, run in the copy before it is proved.
set -eu
case "$1" in
  *-latest) ;;
  *) echo "found '$1', expected a name that ends in -latest" >&2; exit 2 ;;
esac
[ "${1%latest}" = "$SNAPSHOT_PREFIX" ] || { echo "found '$1', expected ${SNAPSHOT_PREFIX}latest" >&2; exit 2; }

quoted() { sed "s/[\\\\']/\\\\&/g" "$1"; } # libpq's quotes
component=$(printf %s "$SANITIZE_DATABASE" | tr 'a-z-' 'A-Z_')
eval "user=\$${component}_USERNAME_FILE password=\$${component}_PASSWORD_FILE"
umask 077
folder="${TMPDIR:-/tmp}"
printf "host='%s' port='%s' dbname='%s' user='%s' password='%s' sslmode=require" \
  "$DB_HOST" "$DB_PORT" "$DATABASE_NAME" "$(quoted "$user")" "$(quoted "$password")" > "$folder/target"
export SANITIZE_TARGET_FILE="$folder/target"
exec python -m jobs.sanitize restore --receipt "$folder/receipt.json" ${OVERRIDES:+--overrides "$OVERRIDES"}
