# Who may do what, with digests in place of passwords: the current ones, and those before a rotation while they are known.
# Read by the scripts beside it. "default" is who uses the data; the others are ours, and share a password that users of the
# data do not have. Their rights: https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/ (ACL), and what
# redis_exporter documents.

# The passwords of "default" ("app") or of our own users ("internal"), as ACL rules.
digests() {
  case $1 in
  app) set -- "$PASSWORD" "${PASSWORD_PREVIOUS:-}" ;;
  internal) set -- "$INTERNAL_PASSWORD" "${INTERNAL_PASSWORD_PREVIOUS:-}" ;;
  esac
  for password in "$@"; do
    [ -z "$password" ] || printf '#%s ' "$(printf %s "$password" | sha256sum | cut -d' ' -f1)"
  done
}

# A value as configuration files quote it.
quoted() { printf '"%s"' "$(printf %s "$1" | sed 's/["\\]/\\&/g')"; }

node_users() {
  app=$(digests app) internal=$(digests internal)
  echo "user default reset on $app~* &* +@all -@admin +config|get +role"
  echo "user admin reset on $internal~* &* +@all"
  echo "user replication reset on $internal+psync +replconf +ping"
  echo "user sentinel reset on $internal&* +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info" \
    "+client|setname +client|kill +script|kill"
  echo "user health reset on $internal+ping +info"
  echo "user metrics reset on $internal~* +@connection +info +config|get +memory +slowlog +latency +dbsize +client|list" \
    "-auth -reset"
}

sentinel_users() {
  app=$(digests app) internal=$(digests internal)
  echo "user default reset on $app&* +@connection +subscribe +psubscribe +unsubscribe +punsubscribe +role +info" \
    "+sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas +sentinel|sentinels"
  echo "user admin reset on $internal~* &* +@all"
  echo "user sentinel reset on $internal~* &* +@all"
  echo "user health reset on $internal+ping +sentinel|get-master-addr-by-name +sentinel|ckquorum +sentinel|master"
}
