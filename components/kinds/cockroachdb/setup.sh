#!/bin/sh
# Initialises the cluster once, and tells it what should hold. Every step may be done again: after a failure, after a
# rotation, after a change of the declaration. Secrets go in through standard input, never as arguments.
set -eu

# The first node that belongs to an initialised cluster, which it may become by being asked.
initialised() {
  for node in $NODES; do
    answer=$(cockroach init --certs-dir="$CERTS" --host="$node" 2>&1) && found=$node && return
    case $answer in *"already been initialized"*) found=$node && return ;; esac
    echo "$node: $answer" >&2
  done
  return 1
}

# Quotes doubled, as SQL wants them; the image promises a shell and little more.
quoted() {
  rest=$1
  while :; do
    case $rest in
    *"'"*) printf "%s''" "${rest%%"'"*}" && rest=${rest#*"'"} ;;
    *) printf %s "$rest" && return ;;
    esac
  done
}

until initialised; do sleep 2; done
{
  if [ -n "${LICENCE:-}" ]; then
    printf "SET CLUSTER SETTING enterprise.license = '%s';\n" "$(quoted "$LICENCE")"
  fi
  cat "$STATEMENTS/statements.sql"
  printf "ALTER USER %s WITH PASSWORD '%s';\n" "$USER_IDENTIFIER" "$(quoted "$PASSWORD")"
  cat "$STATEMENTS/schedules.sql"
} | cockroach sql --certs-dir="$CERTS" --host="$found"
