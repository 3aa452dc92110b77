#!/bin/sh
# Whether a Sentinel is of use: it sees enough others to decide on a failover and to carry it out. Sentinels learn of each other
# through the master, so at the very first start, which comes before the nodes', one that knows no other waits for none.
set -eu

ask() {
  REDISCLI_AUTH=$INTERNAL_PASSWORD timeout 4 redis-cli --user health -h "${BIND:-127.0.0.1}" -p "$SENTINEL_PORT" \
    sentinel "$1" "$MASTER" 2>&1 | tr -d '\r'
}
case $(ask ckquorum) in OK*) exit 0 ;; esac
master=$(ask master)
value() { printf '%s\n' "$master" | grep -A 1 -x "$1" | tail -n 1; }
[ "$(value num-other-sentinels)" = 0 ]
case $(value flags) in *s_down*) ;; *) exit 1 ;; esac
