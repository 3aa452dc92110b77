#!/bin/sh
# Starts a Sentinel with what it learned before: who it is, whom it watches, at which epoch. One that knows nothing asks the
# nodes who is the master.
set -eu
. "$CONFIG/users.sh"
umask 077

file=$DATA/sentinel.conf
kept=$(grep -E '^sentinel (myid|current-epoch|monitor|config-epoch|leader-epoch|known-replica|known-sentinel) ' "$file" \
  2>/dev/null || true)
# Names of members were those of their pods; each has a Service of its own now. What was known twice is known once.
for host in $NODES $SENTINELS; do
  pod=${host%%.*}
  case $pod in *-*) ;; *) continue ;; esac
  kept=$(printf '%s\n' "$kept" | sed "s/\([ \"]\)$pod\.${pod%-*}\(-nodes\)\{0,1\}\.\([^ \"]*\)/\1$pod.\3/")
done
kept=$(printf '%s\n' "$kept" | awk '!seen[$0]++')
if [ -z "$kept" ]; then
  master=${NODES%% *}
  for node in $NODES; do
    if REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 2 redis-cli --user health -h "$node" -p "$PORT" info replication \
      2>/dev/null | grep -q '^role:master'; then
      master=$node
    fi
  done
  kept="sentinel monitor $MASTER $master $PORT $QUORUM"
fi
watched=$(printf '%s\n' "$kept" | sed -n "s/^sentinel monitor $MASTER \"\{0,1\}\([^ \"]*\).*/\1/p")
until getent ahosts "$watched" >/dev/null; do
  echo "waiting for the name $watched"
  sleep 1
done

sentinel_users >"$RUN/sentinel-users.acl"
{
  echo "bind ${BIND:-* -::*}"
  echo "port $SENTINEL_PORT"
  echo "dir $DATA"
  echo "aclfile $RUN/sentinel-users.acl"
  cat "$CONFIG/sentinel.conf"
  printf '%s\n' "$kept"
  echo "sentinel announce-ip $SELF"
  echo "sentinel announce-port $SENTINEL_PORT"
  echo "sentinel auth-user $MASTER sentinel"
  echo "sentinel auth-pass $MASTER $(quoted "$INTERNAL_PASSWORD")"
  echo "sentinel sentinel-user sentinel"
  echo "sentinel sentinel-pass $(quoted "$INTERNAL_PASSWORD")"
} >"$file"
exec redis-server "$file" --sentinel
