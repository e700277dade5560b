#!/bin/sh
# Records what psql makes of shell.sql, describe.sql, window.sql and warnings.sql: record_shell.sh PSQL HOST PORT (databases are made and dropped).
cd "$(dirname "$0")" || exit 1
for script in shell describe window warnings; do
    "$1" -X -q -h "$2" -p "$3" -U postgres -c "DROP DATABASE IF EXISTS hathi_record" -c "CREATE DATABASE hathi_record TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'" postgres
    "$1" -X -h "$2" -p "$3" -U postgres -f "$script.sql" hathi_record >"$script.out" 2>"$script.err"
done
"$1" -X -q -h "$2" -p "$3" -U postgres -c "DROP DATABASE hathi_record" postgres
rm -f copied.tmp
