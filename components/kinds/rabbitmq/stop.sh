# Before a node stops: each queue keeps a majority without it, and its leaders move to other nodes. When the others do not
# come back within a minute (the whole cluster is deleted), it stops all the same.
set -u
rabbitmq-upgrade -q await_online_quorum_plus_one -t 60 && rabbitmq-upgrade -q drain
exit 0
