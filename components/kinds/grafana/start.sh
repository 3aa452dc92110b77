#!/bin/sh
# Starts Grafana. It takes the administrator's password from its environment only when its database is made: after that a
# rotation is told to the database.
set -eu
if [ -f "$GF_PATHS_DATA/grafana.db" ]; then
  printf '%s' "$GF_SECURITY_ADMIN_PASSWORD" | grafana cli --homepath "$GF_PATHS_HOME" \
    --configOverrides "cfg:default.paths.data=$GF_PATHS_DATA" admin reset-admin-password --password-from-stdin
fi
exec /run.sh "$@"
