#!/bin/sh
# Makes roles, database and extensions, and sets the passwords; every step may be done again.
set -eu
. "$CONFIG/connect.sh"
psql --no-psqlrc --quiet --dbname=postgres --file="$CONFIG/server.sql"
psql --no-psqlrc --quiet --dbname="$DATABASE" --file="$CONFIG/database.sql"
