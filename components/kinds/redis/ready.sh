#!/bin/sh
# Whether a node is of use: a replica that has its master's data and follows it, or a master that may write (of several nodes:
# one with a replica that follows it). A rollout and an eviction wait for this before they stop the next node.
set -eu

info=$(REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 4 redis-cli --user health -h "${BIND:-127.0.0.1}" -p "$PORT" info | tr -d '\r')
says() { printf '%s\n' "$info" | grep -q "^$1"; }

says 'loading:0'
if says 'role:master'; then
  [ "$NODES" = "${NODES%% *}" ] || says 'min_slaves_good_slaves:[1-9]'
else
  says 'master_link_status:up'
fi
