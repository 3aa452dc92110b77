# Starts a node. CONFIG, DATA: folders; COOKIE: the cookie of all nodes. The node's name is RABBITMQ_NODENAME.
set -eu
umask 077
rm -f "$HOME/.erlang.cookie"
printf %s "$COOKIE" >"$HOME/.erlang.cookie"
chmod 0400 "$HOME/.erlang.cookie"
export RABBITMQ_CONFIG_FILE="$CONFIG/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$CONFIG/enabled_plugins"
export RABBITMQ_MNESIA_BASE="$DATA/mnesia" RABBITMQ_LOG_BASE="$DATA/log" RABBITMQ_LOGS=-
exec rabbitmq-server
