#!/usr/bin/env python3
"""Writes the rows of Hathi's own views and functions in `pg_catalog`, in the form of the recorded tables around this folder: make.py

Every view is what the function of its name answers. OIDs follow those of PostgreSQL's; a view takes four: view, type, array, function.
"""

import os

TYPES = {  # name: oid, length, by value, alignment, storage, collation
    "oid": (26, 4, "t", "i", "p", 0), "text": (25, -1, "f", "i", "x", 100), "int8": (20, 8, "t", "d", "p", 0),
    "float8": (701, 8, "t", "d", "p", 0), "timestamptz": (1184, 8, "t", "d", "p", 0), "oid[]": (1028, -1, "f", "i", "x", 0),
    "regtype[]": (2211, -1, "f", "i", "x", 0), "int4": (23, 4, "t", "i", "p", 0), "bool": (16, 1, "t", "c", "p", 0),
    "numeric": (1700, -1, "f", "i", "m", 0),
}

VIEWS = {
    "hathi_statement_cache": [
        ("datid", "oid"), ("userid", "oid"), ("kind", "text"), ("query", "text"), ("parameter_types", "regtype[]"),
        ("search_path", "oid[]"), ("settings", "text"), ("catalog_version", "int8"), ("hits", "int8"),
        ("plan_time", "float8"), ("last_used", "timestamptz"),
    ],
    "hathi_jit": [
        ("programs", "int8"), ("programs_found", "int8"), ("programs_refused", "int8"), ("stencils", "int8"),
        ("compile_time", "float8"), ("code_bytes", "int8"), ("tiles", "int8"), ("tile_rows", "int8"),
        ("native_steps", "int8"), ("other_steps", "int8"), ("native_calls", "int8"), ("refused_volatile", "int8"),
        ("refused_queries", "int8"), ("refused_long", "int8"),
    ],
    "hathi_sessions": [
        ("pid", "int4"), ("place", "text"), ("carrier", "int8"), ("since", "timestamptz"), ("wait_event_type", "text"),
        ("wait_event", "text"), ("bytes", "int8"), ("statement_bytes", "int8"), ("prepared_statements", "int8"), ("portals", "int8"),
    ],
    "hathi_carriers": [
        ("carrier", "int8"), ("has_slot", "bool"), ("busy_time", "float8"), ("wait_event_type", "text"), ("wait_event", "text"),
        ("runs", "int8"), ("attends", "bool"),
    ],
    "hathi_waits": [
        ("wait_event_type", "text"), ("wait_event", "text"), ("times", "int8"), ("total_time", "float8"), ("waiting", "int8"),
    ],
    # As the extension of that name has it, version 1.12.
    "pg_stat_statements": [
        ("userid", "oid"), ("dbid", "oid"), ("toplevel", "bool"), ("queryid", "int8"), ("query", "text"), ("plans", "int8"),
        ("total_plan_time", "float8"), ("min_plan_time", "float8"), ("max_plan_time", "float8"), ("mean_plan_time", "float8"),
        ("stddev_plan_time", "float8"), ("calls", "int8"), ("total_exec_time", "float8"), ("min_exec_time", "float8"),
        ("max_exec_time", "float8"), ("mean_exec_time", "float8"), ("stddev_exec_time", "float8"), ("rows", "int8"),
        ("shared_blks_hit", "int8"), ("shared_blks_read", "int8"), ("shared_blks_dirtied", "int8"), ("shared_blks_written", "int8"),
        ("local_blks_hit", "int8"), ("local_blks_read", "int8"), ("local_blks_dirtied", "int8"), ("local_blks_written", "int8"),
        ("temp_blks_read", "int8"), ("temp_blks_written", "int8"), ("shared_blk_read_time", "float8"),
        ("shared_blk_write_time", "float8"), ("local_blk_read_time", "float8"), ("local_blk_write_time", "float8"),
        ("temp_blk_read_time", "float8"), ("temp_blk_write_time", "float8"), ("wal_records", "int8"), ("wal_fpi", "int8"),
        ("wal_bytes", "numeric"), ("wal_buffers_full", "int8"), ("jit_functions", "int8"), ("jit_generation_time", "float8"),
        ("jit_inlining_count", "int8"), ("jit_inlining_time", "float8"), ("jit_optimization_count", "int8"),
        ("jit_optimization_time", "float8"), ("jit_emission_count", "int8"), ("jit_emission_time", "float8"),
        ("jit_deform_count", "int8"), ("jit_deform_time", "float8"), ("parallel_workers_to_launch", "int8"),
        ("parallel_workers_launched", "int8"), ("stats_since", "timestamptz"), ("minmax_stats_since", "timestamptz"),
    ],
    "pg_stat_statements_info": [("dealloc", "int8"), ("stats_reset", "timestamptz")],
}

# Functions that are no views: name, OID, type of the result, arguments with defaults. Not everybody's to call, as in the extension.
FUNCTIONS = {
    "pg_stat_statements_reset": (15200, "timestamptz", [
        ("userid", "oid", "0"), ("dbid", "oid", "0"), ("queryid", "int8", "0"), ("minmax_only", "bool", "false"),
    ]),
}
PRIVILEGES = "{postgres=arwdDxtm/postgres,=r/postgres}"


def main():
    tables = {name: [] for name in ("pg_class", "pg_attribute", "pg_type", "pg_proc", "pg_init_privs")}
    oid = 15000
    for name, columns in VIEWS.items():
        view, row, array, function = range(oid, oid + 4)
        oid += 4
        tables["pg_class"].append([view, name, 11, row, 0, 10, 0, 0, 0, 0, -1, 0, 0, 0, "f", "f", "p", "v", len(columns), 0,
                                   "t", "f", "f", "f", "f", "t", "n", "f", 0, 3, 1, PRIVILEGES, "\\N", "\\N"])
        # What pg_dump takes for granted.
        tables["pg_init_privs"].append([view, 1259, 0, "i", PRIVILEGES])
        for number, (column, ty) in enumerate(columns, 1):
            type_oid, length, by_value, align, storage, collation = TYPES[ty]
            dimensions = 1 if ty.endswith("]") else 0
            tables["pg_attribute"].append([view, column, type_oid, length, number, -1, dimensions, by_value, align, storage, "",
                                           "f", "f", "f", "", "", "f", "t", 0, collation] + ["\\N"] * 5)
        tables["pg_type"].append([row, name, 11, 10, -1, "f", "c", "C", "f", "t", ",", view, 0, 0, array, 2290, 2291, 2402, 2403,
                                  0, 0, 0, "d", "x", "f", 0, -1, 0, 0, "\\N", "\\N", "\\N"])
        tables["pg_type"].append([array, "_" + name, 11, 10, -1, "f", "b", "A", "f", "t", ",", 0, 6179, row, 0, 750, 751, 2400, 2401,
                                  0, 0, 3816, "d", "x", "f", 0, -1, 0, 0, "\\N", "\\N", "\\N"])
        types = "{" + ",".join(str(TYPES[ty][0]) for _, ty in columns) + "}"
        names = "{" + ",".join(column for column, _ in columns) + "}"
        modes = "{" + ",".join("o" for _ in columns) + "}"
        tables["pg_proc"].append([function, name, 11, 10, 12, 1, 1000, 0, 0, "f", "f", "f", "t", "t", "v", "r", 0, 0, 2249, "",
                                  types, modes, names, "\\N", "\\N", name] + ["\\N"] * 4)
    for name, (function, result, arguments) in FUNCTIONS.items():
        types = " ".join(str(TYPES[ty][0]) for _, ty, _ in arguments)
        names = "{" + ",".join(argument for argument, _, _ in arguments) + "}"
        defaults = ", ".join(default for _, _, default in arguments)
        tables["pg_proc"].append([function, name, 11, 10, 12, 1, 0, 0, 0, "f", "f", "f", "t", "f", "v", "s", len(arguments),
                                  len(arguments), TYPES[result][0], types, "\\N", "\\N", names, defaults, "\\N", name]
                                 + ["\\N"] * 3 + ["{postgres=X/postgres}"])
        tables["pg_init_privs"].append([function, 1255, 0, "i", "{postgres=X/postgres}"])
    here = os.path.dirname(os.path.abspath(__file__))
    for table, rows in tables.items():
        with open(f"{here}/{table}.tsv", "w", encoding="utf-8") as out:
            for values in rows:
                out.write("\t".join(map(str, values)) + "\n")


main()
