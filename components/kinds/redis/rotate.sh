#!/bin/sh
# Teaches running nodes and Sentinels the passwords of a rotation, beside those before it, before any pod starts with them.
# A node that does not answer learns them when it starts.
set -eu
. "$CONFIG/users.sh"

# $1 host, $2 port, then what it should know, on standard input.
teach() {
  rules=$(sed 's/^user /ACL SETUSER /')
  for password in "$INTERNAL_PASSWORD" "${INTERNAL_PASSWORD_PREVIOUS:-}"; do
    [ -n "$password" ] || continue
    answer=$(REDISCLI_AUTH=$password timeout 5 redis-cli --user admin -h "$1" -p "$2" ping 2>&1) || true
    case $answer in
    PONG)
      answers=$(printf '%s\n' "$rules" | REDISCLI_AUTH=$password timeout 5 redis-cli --user admin -h "$1" -p "$2")
      if [ "$(printf '%s\n' "$answers" | sort -u)" = OK ]; then
        echo "$1:$2 knows"
        return 0
      fi
      echo "$1:$2: $answers" >&2
      return 1
      ;;
    *WRONGPASS* | *NOAUTH*) ;;
    *)
      echo "$1:$2 does not answer; it learns when it starts"
      return 0
      ;;
    esac
  done
  echo "$1:$2 accepts neither the current password nor the one before it" >&2
  return 1
}

for node in $NODES; do node_users | teach "$node" "$PORT"; done
for sentinel in ${SENTINELS:-}; do sentinel_users | teach "$sentinel" "$SENTINEL_PORT"; done
