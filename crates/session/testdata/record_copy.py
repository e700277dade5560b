"""Records what PostgreSQL makes of COPY: python3 record_copy.py HOST PORT DATABASE (psycopg 3; an empty database)."""
import os
import sys

import psycopg

here = os.path.dirname(os.path.abspath(__file__))
connection = psycopg.connect(host=sys.argv[1], port=int(sys.argv[2]), user="postgres", dbname=sys.argv[3], autocommit=True)
pg = connection.pgconn
notices = []


def fields(result):
    get = lambda code: (result.error_field(code) or b"").decode()
    return [get(67), get(77), get(68), get(72), get(80), get(87)]


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


pg.notice_handler = lambda r: notices.append("NOTICE " + (r.error_field(77) or b"").decode() + "|" + (r.error_field(87) or b"").decode())

connection.execute("DROP TABLE IF EXISTS t, n, u; DROP VIEW IF EXISTS v; DROP SEQUENCE IF EXISTS s")
for sql in [
    "CREATE TABLE t (a int, b text)",
    "CREATE TABLE n (a int NOT NULL, b varchar(3))",
    "CREATE TABLE u (a int PRIMARY KEY, b text)",
    "CREATE INDEX ix ON t (a)",
    "CREATE VIEW v AS SELECT * FROM t",
    "CREATE SEQUENCE s",
]:
    connection.execute(sql)


def run(sql, data):
    """The outcome of a COPY, as a list of texts."""
    notices.clear()
    result = pg.exec_(sql.encode())
    shape = {3: "OUT", 4: "IN"}.get(result.status)
    if shape is None:
        return fields(result)
    out = b""
    if shape == "IN":
        for i in range(0, len(data), 7):
            pg.put_copy_data(data[i : i + 7])
        pg.put_copy_end()
    else:
        while True:
            n, chunk = pg.get_copy_data(0)
            if n <= 0:
                break
            out += bytes(chunk)
    outcome = None
    while (last := pg.get_result()) is not None:
        if outcome is None:
            outcome = last
    if outcome.status == 7:
        return fields(outcome)
    return [outcome.command_status.decode(), out.hex(), *notices]


with open(os.path.join(here, "copy_options.sql")) as source, open(os.path.join(here, "copy_options.tsv"), "w") as target:
    for sql in source.read().splitlines():
        outcome = run(sql, b"")
        if not outcome[0].startswith("COPY"):
            target.write("\t".join(escape(x) for x in [sql, *outcome]) + "\n")
        else:
            target.write(escape(sql) + "\tfine\n")
        connection.execute("TRUNCATE t, n, u")

cases = {}
exec(open(os.path.join(here, "copy_cases.py")).read(), cases)
with open(os.path.join(here, "copy_data.tsv"), "w") as target:
    for sql, data in cases["IN"]:
        outcome = run(sql, data)
        table = sql.split()[1]
        rows = run(f"COPY (SELECT * FROM {table} ORDER BY 1, 2) TO STDOUT", b"")[1]
        target.write("\t".join(escape(x) for x in ["in", sql, data.hex(), rows, *outcome]) + "\n")
        connection.execute("TRUNCATE t, n, u")
    connection.execute("INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, ''), (4, E'a\\tb\\nc\\\\d\"e,f'), (NULL, 'ü')")
    for sql in cases["OUT"]:
        target.write("\t".join(escape(x) for x in ["out", sql, "", "", *run(sql, b"")]) + "\n")
