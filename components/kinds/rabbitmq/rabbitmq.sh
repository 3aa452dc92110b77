# The scripts of a RabbitMQ cluster: sh rabbitmq.sh start|stop|setup. All read CONFIG, the folder of configuration files.
umask 077

start() { # starts a node; DATA: its folder, COOKIE: the cookie of all nodes, RABBITMQ_NODENAME: its name
  set -eu
  rm -f "$HOME/.erlang.cookie"
  printf %s "$COOKIE" >"$HOME/.erlang.cookie"
  chmod 0400 "$HOME/.erlang.cookie"
  export RABBITMQ_CONFIG_FILE="$CONFIG/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$CONFIG/enabled_plugins"
  export RABBITMQ_MNESIA_BASE="$DATA/mnesia" RABBITMQ_LOG_BASE="$DATA/log" RABBITMQ_LOGS=-
  exec rabbitmq-server
}

# Before a node stops: each queue keeps a majority without it, and its leaders move to other nodes. When the other nodes do not
# come back within a minute (the whole cluster is deleted), the node stops all the same.
stop() {
  set -u
  rabbitmq-upgrade -q await_online_quorum_plus_one -t 60 && rabbitmq-upgrade -q drain
  exit 0
}

# Creates the virtual host, the user and the queues when all nodes are members: a quorum queue that is declared earlier has
# fewer replicas. RUN: a folder; NODES: Erlang names; CLIENT: the user; and the secrets COOKIE and PASSWORD.
setup() {
  set -eu
  export HOME="$RUN"
  printf %s "$COOKIE" >"$HOME/.erlang.cookie"
  # shellcheck disable=SC2086 # NODES is a list of words
  set -- $NODES
  for node in "$@"; do
    until rabbitmqctl -q -l -n "$node" await_startup --timeout 30; do sleep 2; done
  done
  rabbitmqctl -q -l -n "$1" await_online_nodes "$#" --timeout 300
  users=$(rabbitmqctl -q -l -n "$1" list_users --no-table-headers | cut -f 1)
  if printf '%s\n' "$users" | grep -qxF "$CLIENT"; then task=change_password; else task=add_user; fi
  printf %s "$PASSWORD" | rabbitmqctl -q -l -n "$1" "$task" "$CLIENT"
  rabbitmqctl -q -l -n "$1" import_definitions "$CONFIG/definitions.json"
  for node in "$@"; do rabbitmq-queues -q -l -n "$1" grow "$node" all >/dev/null; done # nodes that were added later
  if printf '%s\n' "$users" | grep -qxF guest; then rabbitmqctl -q -l -n "$1" delete_user guest; fi # of a first start
}

case "$1" in
start | stop | setup) "$1" ;;
*) echo "rabbitmq.sh: found '$1', expected start, stop or setup" >&2 && exit 2 ;;
esac
