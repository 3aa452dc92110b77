#!/bin/sh
# Before a node is stopped on purpose (a rollout, an eviction): a master hands its place to a replica that has all of its data,
# while writes wait. Without it, writes fail until the Sentinels miss the master. What may take time is waited for before writes
# are paused. At most 100 s; when no replica takes over, writes go on until the stop.
set -eu

# $1 host, $2 port, then a command.
say() {
  host=$1 port=$2
  shift 2
  REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 2 redis-cli --user admin -h "$host" -p "$port" "$@" 2>&1 | tr -d '\r'
}
here() { say "${BIND:-127.0.0.1}" "$PORT" "$@"; }
# Of INFO on standard input.
value() { sed -n "s/^$1://p"; }
# Whether every Sentinel is there since a while: in a rollout of theirs each is replaced in turn, and knows little at first.
settled() {
  for sentinel in $SENTINELS; do
    case $(say "$sentinel" "$SENTINEL_PORT" sentinel ckquorum "$MASTER") in OK*) ;; *) return 1 ;; esac
    up=$(say "$sentinel" "$SENTINEL_PORT" info server | value uptime_in_seconds)
    [ "${up:-0}" -ge 12 ] || return 1
  done
}
# Whether the replicas that follow have all of the data: any of them may be chosen. The master hears of it once a second only.
caught_up() {
  wanted=$(here info replication | value master_repl_offset)
  following=0
  for node in $NODES; do
    [ "$node" != "$SELF" ] || continue
    found=$(say "$node" "$PORT" info replication)
    case $found in *master_link_status:up*) ;; *) continue ;; esac
    [ "$(printf '%s\n' "$found" | value slave_repl_offset)" -ge "$wanted" ] || return 1
    following=1
  done
  [ "$following" = 1 ]
}
# Has one of the Sentinels fail over: the first that does, or that has begun to.
failed_over() {
  for leader in $SENTINELS; do
    case $(say "$leader" "$SENTINEL_PORT" sentinel failover "$MASTER") in OK* | *INPROG*) return 0 ;; esac
  done
  return 1
}
replaced() {
  [ "$(say "$leader" "$SENTINEL_PORT" sentinel get-master-addr-by-name "$MASTER" | head -n 1)" != "$SELF" ]
}
# $1 tries, $2 seconds between them, then what is tried.
try() {
  left=$1 pause=$2
  shift 2
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep "$pause"
  done
}

[ -n "${SENTINELS:-}" ] || exit 0
[ "$(here role | head -n 1)" = master ] || exit 0
try 60 1 settled || echo "the Sentinels do not settle" >&2
for attempt in 1 2 3; do
  try 5 1 caught_up || true
  # longer than all of this takes: writes that the next master does not have must not be accepted
  here client pause 40000 write >/dev/null
  if try 10 0.1 caught_up && failed_over && try 80 0.1 replaced; then
    echo "handed over"
    exit 0
  fi
  here client unpause >/dev/null
  echo "no replica took over, attempt $attempt" >&2
  sleep 2
done
