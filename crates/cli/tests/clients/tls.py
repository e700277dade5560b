"""libpq 17 and later, by psycopg: TLS without asking first, and what is bound to it. Arguments: host, port, password, authority's file."""
import sys

try:
    import psycopg
except ImportError:
    print("psycopg is missing")
    sys.exit(77)

host, port, password, authority = sys.argv[1:]
if psycopg.pq.version() < 170000:
    print("libpq is older than 17")
    sys.exit(77)

common = dict(host="localhost", hostaddr=host, port=port, user="postgres", dbname="postgres", password=password,
              sslmode="verify-full", sslrootcert=authority)
for negotiation in ["direct", "postgres"]:
    for binding in ["require", "disable"]:
        with psycopg.connect(**common, sslnegotiation=negotiation, channel_binding=binding) as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.execute("SELECT 41 + 1").fetchone() == (42,)
            # More than fits in a record, both ways.
            large = "x" * 300_000
            assert connection.execute("SELECT %s::text || 'y'", (large,)).fetchone() == (large + "y",)
            with connection.cursor().copy("COPY (SELECT repeat('z', 1000) FROM generate_series(1, 1000)) TO STDOUT") as copy:
                assert sum(len(data) for data in copy) == 1_001_000
# A cancel request goes the same way.
with psycopg.connect(**common, sslnegotiation="direct") as connection:
    import threading, time

    threading.Timer(0.3, connection.cancel_safe).start()
    start = time.monotonic()
    try:
        connection.execute("SELECT pg_sleep(30)")
        assert False, "it was not cancelled"
    except psycopg.errors.QueryCanceled:
        assert time.monotonic() - start < 10
