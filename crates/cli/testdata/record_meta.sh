#!/bin/sh
# Records what psql's meta-commands show of meta_schema.sql: record_meta.sh HOST PORT PSQL... (a database is made and dropped).
cd "$(dirname "$0")" || exit 1
host=$1 port=$2
shift 2
for psql; do
    major=$("$psql" --version | sed 's/.*) \([0-9]*\).*/\1/')
    "$psql" -X -q -h "$host" -p "$port" -U postgres -c "DROP DATABASE IF EXISTS meta" \
        -c "CREATE DATABASE meta TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'" postgres 2>/dev/null
    "$psql" -X -q -h "$host" -p "$port" -U postgres -f meta_schema.sql meta
    "$psql" -X -h "$host" -p "$port" -U postgres -f meta.sql meta >"meta.$major.out" 2>"meta.$major.err"
    "$psql" -X -h "$host" -p "$port" -U postgres -f meta_sizes.sql meta >"meta_sizes.$major.out"
    "$psql" -X -a -h "$host" -p "$port" -U postgres -f grants.sql meta 2>&1 | grep -v '^LOCATION:' >"grants.$major.out"
    "$psql" -X -q -h "$host" -p "$port" -U postgres -c "DROP DATABASE meta" postgres
done
