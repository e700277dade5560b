"""Times TPC-H's queries in DuckDB.

Arguments: a directory with the schema (schema.sql), the rows of each table (TABLE.csv) and the queries (1.sql to 22.sql); how often each is run; threads.
Prints a line for each query: its rows, then the milliseconds of each run.
"""

import re
import sys
import time
from pathlib import Path

import duckdb

directory, rounds, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
db = duckdb.connect()
db.execute("SET enable_progress_bar = false")
for statement in (directory / "schema.sql").read_text().split(";"):
    # Keys and indexes only make its loading slower.
    tables = re.sub(r"\s+REFERENCES\s+\w+(\s*\([^)]*\))?", "", statement.split("--")[0])
    if "CREATE TABLE" in tables:
        db.execute(tables)
for table in "region nation part supplier partsupp customer orders lineitem".split():
    db.execute(f"COPY {table} FROM '{directory / (table + '.csv')}' (FORMAT csv, HEADER false)")
db.execute(f"SET threads = {threads}")
for number in range(1, 23):
    query = (directory / f"{number}.sql").read_text()
    millis = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        answer = db.execute(query).fetchall()
        millis.append((time.perf_counter() - start) * 1e3)
    # The first run reads what the others find.
    print(len(answer), *millis[1:], flush=True)
