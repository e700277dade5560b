#!/usr/bin/env python3
"""Records the built-in catalog rows of PostgreSQL 18 as the TSV files of this folder.

    record.py PSQL [connection options of a superuser on a cluster made with --locale=C --encoding=UTF8]

One file a table: all its columns in order, in COPY's text format, each value in its type's text form (`regproc` as a number,
node trees as SQL text). What PostgreSQL keeps for its own storage (indexes and TOAST tables of catalogs, file sizes) is left out.
"""

import os
import subprocess
import sys

NAMESPACE = "in (11, 99)"
KEPT = f"(select oid from pg_class where relnamespace = 11 and relkind in ('r', 'v'))"
COLLATIONS = "(select oid from pg_collation where collname in ('default', 'C', 'POSIX', 'ucs_basic', 'pg_c_utf8') and collencoding in (-1, 6))"

# Table: (condition, order).
TABLES = {
    "pg_type": ("typnamespace = 11", "oid"),
    "pg_proc": ("pronamespace = 11", "oid"),
    "pg_operator": ("oprnamespace = 11", "oid"),
    "pg_cast": ("true", "castsource, casttarget"),
    "pg_aggregate": ("true", "aggfnoid::oid"),
    "pg_am": ("true", "oid"),
    "pg_opclass": ("true", "oid"),
    "pg_opfamily": ("true", "oid"),
    "pg_amop": ("true", "oid"),
    "pg_amproc": ("true", "oid"),
    "pg_namespace": (f"oid {NAMESPACE} or nspname = 'information_schema'", "oid"),
    "pg_collation": (f"oid in {COLLATIONS}", "oid"),
    "pg_conversion": ("true", "oid"),
    "pg_language": ("lanname <> 'plpgsql'", "oid"),
    "pg_range": ("true", "rngtypid"),
    "pg_authid": ("true", "oid"),
    "pg_auth_members": ("true", "oid"),
    "pg_tablespace": ("true", "oid"),
    "pg_class": (f"oid in {KEPT}", "oid"),
    "pg_attribute": (f"attrelid in {KEPT}", "attrelid, attnum"),
    "pg_init_privs": (
        f"(classoid = 'pg_class'::regclass and objoid in {KEPT}) or (classoid = 'pg_proc'::regclass and objoid in (select oid from pg_proc "
        "where pronamespace = 11)) or (classoid = 'pg_namespace'::regclass and objoid = 11) or objoid = 'information_schema'::regnamespace",
        "classoid, objoid, objsubid"),
    "pg_description": (
        "classoid in ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_am'::regclass, 'pg_language'::regclass, "
        "'pg_namespace'::regclass) and objoid < 13000 and objoid <> 2200", "objoid, classoid, objsubid"),
}

# Columns that only say what initdb did to its files.
PLAIN = {
    "relpages": "0", "reltuples": "-1", "relallvisible": "0", "relallfrozen": "0", "relfrozenxid": "'3'", "relminmxid": "'1'",
    "reltoastrelid": "0", "relhasindex": "false", "rolpassword": "null::text",
    "proargdefaults": "pg_get_expr(proargdefaults, 0)", "prosqlbody": "pg_get_function_sqlbody(oid)",
}


def expression(column, sql_type):
    if column in PLAIN:
        return PLAIN[column]
    if sql_type == "regproc":
        return f"{column}::oid"
    if sql_type == "pg_node_tree":
        return f"pg_get_expr({column}, 0)"
    return column


def main():
    here = os.path.dirname(os.path.abspath(__file__))

    def query(sql):
        done = subprocess.run([*sys.argv[1:], "-XAtqc", sql], check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()

    for table, (condition, order) in TABLES.items():
        columns = [line.split("|") for line in query(
            "select attname, typname from pg_attribute a join pg_type t on t.oid = atttypid "
            f"where attrelid = '{table}'::regclass and attnum > 0 order by attnum").splitlines()]
        select = ", ".join(expression(name, sql_type) for name, sql_type in columns)
        with open(f"{here}/{table}.tsv", "w", encoding="utf-8") as out:
            out.write(query(f"copy (select {select} from {table} where {condition} order by {order}) to stdout"))


main()
