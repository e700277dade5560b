#!/bin/sh
# Records the built-in catalog rows of a freshly initialised PostgreSQL 18 as TSV, for build.rs.
# Usage: record.sh PSQL [connection options of a superuser]
set -eu
cd "$(dirname "$0")"
psql="$*"
take() { $psql -XAtq -F "$(printf '\t')" -P null='\N' -c "$2" > "$1.tsv"; }
take pg_type "select oid, typname, typnamespace, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typrelid, typelem, typarray, typinput::oid, typoutput::oid, typreceive::oid, typsend::oid, typmodin::oid, typmodout::oid, typalign, typstorage, typcollation from pg_type where oid < 16384 and typnamespace = 11 order by oid"
take pg_proc "select oid, proname, provariadic, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel, pronargs, pronargdefaults, prorettype, proargtypes, coalesce(array_to_string(proallargtypes, ' '), ''), coalesce(array_to_string(proargmodes, ''), ''), coalesce(array_to_string(proargnames, ','), ''), coalesce(replace(pg_get_expr(proargdefaults, 0), E'\n', ' '), ''), prosrc from pg_proc where oid < 16384 and pronamespace = 11 and prolang in (12, 13, 14) order by oid" 
take pg_operator "select oid, oprname, oprkind, oprcanmerge, oprcanhash, oprleft, oprright, oprresult, oprcom, oprnegate, oprcode::oid, oprrest::oid, oprjoin::oid from pg_operator where oid < 16384 and oprnamespace = 11 order by oid"
take pg_cast "select oid, castsource, casttarget, castfunc, castcontext, castmethod from pg_cast where oid < 16384 order by castsource, casttarget"
take pg_aggregate "select aggfnoid::oid, aggkind, aggnumdirectargs, aggtransfn::oid, aggfinalfn::oid, aggsortop, aggtranstype, coalesce(agginitval, '\N') from pg_aggregate where aggfnoid < 16384 order by 1"
take pg_opclass "select oid, opcmethod, opcname, opcfamily, opcintype, opcdefault, opckeytype from pg_opclass where oid < 16384 order by oid"
take pg_namespace "select oid, nspname from pg_namespace where oid < 16384 and nspname in ('pg_catalog', 'pg_toast', 'public') order by oid"
take pg_class "select oid, relname, relkind, reltype, relnatts from pg_class where oid < 16384 and relnamespace = 11 and relkind in ('r', 'v') order by oid"
take pg_attribute "select attrelid, attnum, attname, atttypid, attlen, attnotnull, atttypmod, attbyval, attalign, attstorage from pg_attribute a join pg_class c on c.oid = attrelid where attrelid < 16384 and relnamespace = 11 and relkind in ('r', 'v') and attnum > 0 order by 1, 2"
