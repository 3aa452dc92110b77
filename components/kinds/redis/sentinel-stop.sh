#!/bin/sh
# Before a Sentinel is stopped on purpose: a failover that it carries out is finished first. At most 10 s.
set -eu

flags() {
  REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 2 redis-cli --user health -h "${BIND:-127.0.0.1}" -p "$SENTINEL_PORT" \
    sentinel master "$MASTER" 2>&1 | tr -d '\r' | grep -A 1 -x flags | tail -n 1
}
left=20
while [ "$left" -gt 0 ]; do
  case $(flags) in *failover_in_progress*) ;; *) exit 0 ;; esac
  left=$((left - 1))
  sleep 0.5
done
