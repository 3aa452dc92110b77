#!/bin/sh
# Before a node is stopped on purpose (a rollout, an eviction): a master hands its place to a replica that has all of its data,
# while writes wait. Without it, writes fail until the Sentinels miss the master. At most 25 s; when no replica takes over,
# writes go on until the stop.
set -eu

node() {
  REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 5 redis-cli --user admin -h "${BIND:-127.0.0.1}" -p "$PORT" "$@" | tr -d '\r'
}
# $1 a Sentinel, $2 what it is asked about the master; an error is an answer too.
ask() {
  REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 2 redis-cli --user admin -h "$1" -p "$SENTINEL_PORT" sentinel "$2" "$MASTER" 2>&1 |
    tr -d '\r' | head -n 1
}
# Whether every replica that follows has all of the master's data, of the text of INFO on standard input.
caught_up() {
  sed -n 's/^master_repl_offset:/master /p; s/^slave[0-9]*:.*state=online,offset=\([0-9]*\).*/replica \1/p' | {
    behind=0 replicas='' master=''
    while read -r role offset; do
      case $role in master) master=$offset ;; replica) replicas="$replicas $offset" ;; esac
    done
    for offset in $replicas; do [ "$offset" -ge "$master" ] || behind=1; done
    [ -n "$replicas" ] && [ "$behind" = 0 ]
  }
}
# Asks the Sentinels in turn until one fails over, or has begun to. INFO of the replicas is 10 s old at most.
hand_over() {
  for sentinel in $SENTINELS; do
    case $(ask "$sentinel" failover) in OK | *INPROG*) leader=$sentinel && return ;; esac
  done
  return 1
}
# $1 tries, a tenth of a second apart, then what is tried.
try() {
  left=$1
  shift
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.1
  done
}
all_caught_up() { node info replication | caught_up; }
replaced() { [ "$(ask "$leader" get-master-addr-by-name)" != "$SELF" ]; }

[ -n "${SENTINELS:-}" ] || exit 0
[ "$(node role | head -n 1)" = master ] || exit 0
leader=''
# longer than all of this takes: writes that the next master does not have must not be accepted
node client pause 40000 write >/dev/null
if try 20 all_caught_up && try 20 hand_over && try 100 replaced; then
  echo "handed over"
else
  node client unpause >/dev/null
  echo "no replica took over" >&2
fi
