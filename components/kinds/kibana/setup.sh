#!/bin/sh
# Makes the data view of the logs. It may be done again. The password goes in through a file in memory.
set -eu

escaped() { printf %s "$1" | sed 's/[\\"]/\\&/g'; }

ask() {
  curl --config "$RUN/credentials" --silent --max-time 60 --output "$RUN/answer" --write-out '%{http_code}' \
    --header 'kbn-xsrf: setup' --header 'Content-Type: application/json' "$@" || true
}

printf 'user = "elastic:%s"\n' "$(escaped "$PASSWORD")" >"$RUN/credentials"
until [ "$(ask "$URL/api/status")" = 200 ]; do sleep 2; done
status=$(ask --data-binary "@$CONFIG/view.json" "$URL/api/data_views/data_view")
[ "$status" = 200 ] || {
  echo "data view: $status" >&2
  cat "$RUN/answer" >&2
  exit 1
}
echo "data view: done"
