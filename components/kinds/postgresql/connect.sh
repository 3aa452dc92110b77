# Waits for the primary, and finds the superuser's password: the current one, or the one before the rotation. Read by the
# scripts beside it, which connect with $PGPASSWORD then. PATIENCE: how often it asks for the primary, every 2 s; default: until
# it answers.
export PGHOST="$PRIMARY" PGUSER=postgres PGSSLMODE=verify-full PGSSLROOTCERT="$CERTS/ca.crt" PGCONNECT_TIMEOUT=5

patience=${PATIENCE:-}
until pg_isready --quiet; do
  if [ "$patience" = 0 ]; then
    echo "$PRIMARY does not answer: the setup tells it when it does"
    exit 0
  fi
  patience=${patience:+$((patience - 1))}
  echo "waiting for $PRIMARY"
  sleep 2
done
for PGPASSWORD in "$INTERNAL_PASSWORD" "${INTERNAL_PASSWORD_PREVIOUS:-}"; do
  export PGPASSWORD
  if answer=$(psql --no-psqlrc --dbname=postgres --command='SELECT 1' 2>&1); then break; fi
  case $answer in *"password authentication failed"*) ;; *) echo "$answer" >&2 && exit 1 ;; esac
done
