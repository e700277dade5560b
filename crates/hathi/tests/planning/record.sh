#!/bin/sh
# Records answers.txt from a PostgreSQL 18 at "$@" (psql's options).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
psql() { command psql -X -q -v ON_ERROR_STOP=1 "$@"; }
psql "$@" -d postgres -c 'DROP DATABASE IF EXISTS hathi_planning' -c 'CREATE DATABASE hathi_planning'
psql "$@" -d hathi_planning -f "$here/schema.sql"
sed -e 's/^-- \([0-9]*\).*$/\\echo -- \1\nCOPY (/' -e 's/;$/) TO STDOUT;/' "$here/queries.sql" |
    psql "$@" -d hathi_planning -f - > "$here/answers.txt"
psql "$@" -d hathi_planning -c ANALYZE
sed -e 's/^-- \([0-9]*\).*$/\\echo -- \1/' "$here/explain.sql" | psql "$@" -At -d hathi_planning -f - > "$here/explain.txt"
