#!/bin/sh
# Records what psql makes of chinook.sql over the databases of DATA: record_chinook.sh PSQL HOST PORT DATA (a database is made and dropped).
cd "$(dirname "$0")" || exit 1
"$1" -X -q -h "$2" -p "$3" -U postgres -c "DROP DATABASE IF EXISTS hathi_record" \
    -c "CREATE DATABASE hathi_record TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'" postgres
"$1" -X -q -h "$2" -p "$3" -U postgres -f "$4/chinook.sql" -f "$4/periodic_table.sql" hathi_record >/dev/null
"$1" -X -h "$2" -p "$3" -U postgres -f chinook.sql hathi_record >chinook.out 2>chinook.err
"$1" -X -q -h "$2" -p "$3" -U postgres -c "DROP DATABASE hathi_record" postgres
