#!/bin/sh
# Records what psql makes of shell.sql: record_shell.sh PSQL HOST PORT DATABASE (an empty one).
cd "$(dirname "$0")" || exit 1
"$1" -X -h "$2" -p "$3" -U postgres -f shell.sql "$4" >shell.out 2>shell.err
rm -f copied.tmp
