#!/bin/sh
# Records what psql prints for the scripts here: record.sh PSQL HOST PORT [NAME...] (a database is made and dropped for each).
cd "$(dirname "$0")" || exit 1
psql=$1 host=$2 port=$3
shift 3
[ $# -gt 0 ] || set -- $(ls *.sql | sed 's/\.sql$//')
for name; do
    "$psql" -X -q -h "$host" -p "$port" -U postgres -c "DROP DATABASE IF EXISTS hathi_record" \
        -c "CREATE DATABASE hathi_record TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'" postgres 2>/dev/null
    "$psql" -X -h "$host" -p "$port" -U postgres -v VERBOSITY=verbose -f "$name.sql" hathi_record 2>&1 >"$name.out" |
        grep -v '^LOCATION:' >"$name.err"
    "$psql" -X -q -h "$host" -p "$port" -U postgres -c "DROP DATABASE hathi_record" postgres
done
