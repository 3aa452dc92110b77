#!/bin/sh
# Starts a node in the role that it should have now: what a majority of the Sentinels says, else the role it had last, else
# the first node is the master. A node that lost its volume never becomes the master of those that still have the data.
set -eu
. "$CONFIG/users.sh"
umask 077

first=${NODES%% *}

# The master that at least QUORUM Sentinels name.
named() {
  for sentinel in ${SENTINELS:-}; do
    REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 2 redis-cli --user sentinel -h "$sentinel" -p "$SENTINEL_PORT" \
      sentinel get-master-addr-by-name "$MASTER" 2>/dev/null | head -n 1
  done | sort | uniq -c | while read -r count host; do
    case " $NODES " in *" $host "*) [ "$count" -lt "$QUORUM" ] || echo "$host" ;; esac
  done
}

# Whether another node has keys.
peer_has_data() {
  for node in $NODES; do
    if [ "$node" != "$SELF" ] && REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 2 redis-cli --user health -h "$node" \
      -p "$PORT" info keyspace 2>/dev/null | grep -q '^db'; then
      return 0
    fi
  done
  return 1
}

if [ -n "${SENTINELS:-}" ]; then
  patience=10
  until master=$(named) && [ -n "$master" ] || [ "$patience" -eq 0 ]; do
    patience=$((patience - 1))
    sleep 1
  done
  if [ -z "$master" ] && [ -s "$DATA/node.conf" ]; then
    master=$(sed -n 's/^replicaof "\{0,1\}\([^ "]*\).*/\1/p' "$DATA/node.conf")
    master=${master:-$SELF}
  fi
  master=${master:-$first}
  if [ "$master" = "$SELF" ] && [ ! -d "$DATA/appendonlydir" ]; then
    while [ "$master" = "$SELF" ] && peer_has_data; do
      echo "the volume is empty and others have data: waiting for the Sentinels to name another master"
      sleep 2
      found=$(named)
      master=${found:-$SELF}
    done
  fi
else
  master=$SELF
fi

node_users >"$RUN/users.acl"
{
  echo "include $CONFIG/redis.conf"
  echo "bind ${BIND:-* -::*}"
  echo "port $PORT"
  echo "dir $DATA"
  echo "aclfile $RUN/users.acl"
  echo "masteruser replication"
  echo "masterauth $(quoted "$INTERNAL_PASSWORD")"
  echo "replica-announce-ip $SELF"
  echo "replica-announce-port $PORT"
  [ "$master" = "$SELF" ] || echo "replicaof $master $PORT"
} >"$DATA/node.conf"
echo "starting as $([ "$master" = "$SELF" ] && echo master || echo "replica of $master")"
exec redis-server "$DATA/node.conf"
