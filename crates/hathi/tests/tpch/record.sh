#!/bin/sh
# Records answers.txt from a PostgreSQL 18 at "$@" (psql's options), loading what the test wrote to a directory:
#   HATHI_TPCH_DUMP=/tmp/tpch cargo nextest run -p hathi tpch::; crates/hathi/tests/tpch/record.sh -h /tmp -p 5432 -U postgres
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=${HATHI_TPCH_DUMP:-/tmp/tpch}
psql() { command psql -X -q -v ON_ERROR_STOP=1 "$@"; }
psql "$@" -d postgres -c 'DROP DATABASE IF EXISTS hathi_tpch' -c 'CREATE DATABASE hathi_tpch'
psql "$@" -d hathi_tpch -f "$here/schema.sql"
for table in region nation part supplier partsupp customer orders lineitem; do
    psql "$@" -d hathi_tpch -c "\\copy $table FROM '$data/$table.csv' (FORMAT csv)"
done
psql "$@" -d hathi_tpch -c ANALYZE
[ -n "${HATHI_TPCH_LOAD_ONLY:-}" ] && exit
# Each query becomes a COPY of itself, after a line with its number.
sed -e 's/^-- \(.*\)$/\\echo -- \1\nCOPY (/' -e 's/;$/) TO STDOUT;/' "$here/queries.sql" |
    psql "$@" -d hathi_tpch -f - > "$here/answers.txt"
