# Creates the virtual host, the user and the queues once all nodes are members: a quorum queue that is declared earlier has
# fewer replicas. CONFIG, RUN: folders; NODES: Erlang names; CLIENT: the user; and the secrets COOKIE and PASSWORD.
set -eu
umask 077
export HOME="$RUN"
printf %s "$COOKIE" >"$HOME/.erlang.cookie"
# shellcheck disable=SC2086 # words are wanted
set -- $NODES
for node in "$@"; do
  until rabbitmqctl -q -l -n "$node" await_startup --timeout 30; do sleep 2; done
done
rabbitmqctl -q -l -n "$1" await_online_nodes "$#" --timeout 300
known=$(rabbitmqctl -q -l -n "$1" list_users --no-table-headers | cut -f 1)
if printf '%s\n' "$known" | grep -qxF "$CLIENT"; then task=change_password; else task=add_user; fi
printf %s "$PASSWORD" | rabbitmqctl -q -l -n "$1" "$task" "$CLIENT"
rabbitmqctl -q -l -n "$1" import_definitions "$CONFIG/definitions.json"
for node in "$@"; do rabbitmq-queues -q -l -n "$1" grow "$node" all >/dev/null; done # nodes that were added later
if printf '%s\n' "$known" | grep -qxF guest; then rabbitmqctl -q -l -n "$1" delete_user guest; fi # of a first start
