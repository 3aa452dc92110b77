#!/bin/sh
# Tells Elasticsearch its passwords, roles, lifecycle and index template. Every step may be done again: after a failure,
# after a rotation, after a change of the declaration. Secrets go in through files in memory, never as arguments.
set -eu

# As a string of JSON, and of curl's configuration, wants them.
escaped() { printf %s "$1" | sed 's/[\\"]/\\&/g'; }

# $1 method, $2 path, $3 file with the body. Prints the HTTP status; the answer is in $RUN/answer.
ask() {
  printf 'user = "elastic:%s"\n' "$(escaped "$password")" >"$RUN/credentials"
  curl --config "$RUN/credentials" --silent --cacert "$CA" --max-time 60 --request "$1" --output "$RUN/answer" \
    --write-out '%{http_code}' --header 'Content-Type: application/json' --data-binary "@$3" "$URL$2" || true
}

tell() {
  status=$(ask "$@")
  case $status in
  2*) echo "$2: done" ;;
  *)
    echo "$2: $status" >&2
    # what it says of a password request repeats none
    cat "$RUN/answer" >&2
    return 1
    ;;
  esac
}

# The password that it accepts: the current one, or, before a rotation has come to it, the one before.
signed_in() {
  for password in "$PASSWORD" "${PASSWORD_PREVIOUS:-}"; do
    [ -n "$password" ] || continue
    case $(ask GET '/_cluster/health?wait_for_status=yellow&timeout=10s' /dev/null) in
    200) return 0 ;;
    401) echo "a password is not accepted" >&2 ;;
    *) return 1 ;;
    esac
  done
  return 1
}

# $1 password, $2 more of the body.
with_password() { printf '{"password": "%s"%s}\n' "$(escaped "$1")" "${2:-}" >"$RUN/body"; }

until signed_in; do sleep 2; done
with_password "$PASSWORD"
tell POST /_security/user/elastic/_password "$RUN/body"
password=$PASSWORD
with_password "$KIBANA_PASSWORD"
tell POST /_security/user/kibana_system/_password "$RUN/body"
tell PUT /_security/role/logs_writer "$CONFIG/writer.json"
tell PUT /_security/role/logs_reader "$CONFIG/reader.json"
with_password "$WRITER_PASSWORD" ', "roles": ["logs_writer"]'
tell PUT /_security/user/logs_writer "$RUN/body"
with_password "$READER_PASSWORD" ', "roles": ["logs_reader"]'
tell PUT /_security/user/logs_reader "$RUN/body"
tell PUT "/_ilm/policy/$STREAM" "$CONFIG/lifecycle.json"
tell PUT "/_index_template/$STREAM" "$CONFIG/template.json"
