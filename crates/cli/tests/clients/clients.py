"""Drives a running server with psycopg 3 and asyncpg: clients.py HOST PORT PASSWORD. Exits 77 when a module is missing, naming it."""
import asyncio
import datetime
import decimal
import io
import sys
import uuid

host, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
try:
    import asyncpg
    import psycopg
except ImportError as e:
    print(f"missing: {e.name} (pip install 'psycopg[binary]' asyncpg)")
    sys.exit(77)

ROW = (
    1,
    2**40,
    1.5,
    decimal.Decimal("12345.6789"),
    "text with 'quotes', ü and 日本語",
    b"\x00\xff binary",
    True,
    datetime.date(2024, 2, 29),
    datetime.datetime(2024, 2, 29, 12, 34, 56, 789012),
    uuid.UUID("12345678-1234-5678-1234-567812345678"),
    None,
)
TABLE = """(a int PRIMARY KEY, b bigint, c float8, d numeric, e text, f bytea, g bool, h date, i timestamp, j uuid, k int)"""


def fails(state, f, *arguments, errors=psycopg.Error):
    try:
        f(*arguments)
    except errors as e:
        assert e.sqlstate == state, (e.sqlstate, str(e))
        return e
    raise AssertionError(f"{state} expected")


def with_psycopg():
    connect = lambda **more: psycopg.connect(
        host=host, port=port, user="postgres", password=password, dbname="postgres", **more
    )
    with connect() as c:
        c.execute(f"CREATE TABLE psy {TABLE}")
        c.execute(f"INSERT INTO psy VALUES ({', '.join(['%s'] * len(ROW))})", ROW)
        for binary in (False, True):
            cursor = c.cursor(binary=binary)
            assert cursor.execute("SELECT * FROM psy").fetchone() == ROW
            # Enough runs for it to be prepared on the server.
            for n in range(8):
                assert cursor.execute("SELECT a + %s FROM psy WHERE a = %s", (n, 1)).fetchall() == [(n + 1,)]
        c.commit()
        e = fails("23505", c.execute, "INSERT INTO psy (a) VALUES (1)")
        assert e.diag.constraint_name == "psy_pkey" and e.diag.table_name == "psy", e.diag
        assert e.diag.message_detail == "Key (a)=(1) already exists."
        fails("25P02", c.execute, "SELECT 1")
        c.rollback()
        e = fails("42703", c.execute, "SELECT\nnosuch")
        assert e.diag.statement_position == "8"
        c.rollback()
        with c.transaction():
            c.execute("UPDATE psy SET k = 7")
            try:
                with c.transaction():
                    c.execute("UPDATE psy SET k = 8")
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
        assert c.execute("SELECT k FROM psy").fetchone() == (7,)
    with connect(autocommit=True) as c:
        c.execute("CREATE TABLE psycopy (a int, b text)")
        with c.cursor().copy("COPY psycopy FROM STDIN") as copy:
            for i in range(10000):
                copy.write_row((i, f"row {i}" if i % 3 else None))
        with c.cursor().copy("COPY psycopy FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((10000, "binary"))
        with c.cursor().copy("COPY (SELECT * FROM psycopy WHERE a >= 9999 ORDER BY a) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            assert list(copy.rows()) == [(9999, None), (10000, "binary")]

        def broken():
            with c.cursor().copy("COPY psycopy FROM STDIN") as copy:
                copy.write("1\tx\n2\n")

        e = fails("22P04", broken)
        assert e.diag.context == 'COPY psycopy, line 2: "2"', e.diag.context

        def given_up():
            with c.cursor().copy("COPY psycopy FROM STDIN") as copy:
                copy.write("1\tx\n")
                raise KeyError

        try:
            given_up()
        except KeyError:
            pass
        assert c.execute("SELECT count(*) FROM psycopy").fetchone() == (10001,)
        # Named cursors leave their parameters to the server, as all do that has a query in it.
        with c.transaction(), c.cursor("named") as named:
            named.execute("SELECT a, %s::text FROM psycopy WHERE a > %s AND b <> %s ORDER BY a", ("x", 9996, "row 9998"))
            assert named.fetchmany(2) == [(9997, "x"), (10000, "x")] and named.fetchall() == []
        c.execute("CREATE TABLE psyas AS SELECT a, %s::text AS t, %s + 1 AS n FROM psycopy WHERE a < %s", ("y", 4, 2))
        c.execute("SELECT a, %s::int8 AS n INTO psyinto FROM psycopy WHERE a = %s", (2**40, 7))
        assert c.execute("SELECT * FROM psyas ORDER BY a").fetchall() == [(0, "y", 5), (1, "y", 5)]
        assert c.execute("SELECT * FROM psyinto").fetchall() == [(7, 2**40)]
        counted = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)"
        plan = c.execute(f"{counted} SELECT a FROM psycopy WHERE a <= %s", (41,)).fetchall()
        assert plan[0][0].startswith("Seq Scan on psycopy (actual rows=42"), plan
        c.execute("PREPARE upto (int, text) AS SELECT a, $2 FROM psycopy WHERE a <= $1")
        plan = c.execute(f"{counted} EXECUTE upto (20 + 2, 'z')").fetchall()
        assert plan[0][0].startswith("Seq Scan on psycopy (actual rows=23"), plan
        c.execute("CREATE TABLE psyexec AS EXECUTE upto (1, 'z')")
        assert c.execute("SELECT * FROM psyexec ORDER BY 1").fetchall() == [(0, "z"), (1, "z")]
        fails("42601", c.execute, "EXPLAIN EXECUTE upto (1)")
        fails("26000", c.execute, "EXPLAIN EXECUTE nosuch (1)")
        with c.pipeline():
            answers = [c.execute("SELECT a FROM psycopy WHERE a = %s", (n,)) for n in range(20)]
            assert [a.fetchone()[0] for a in answers] == list(range(20))
        # In a pipeline all up to the Sync is one transaction.
        try:
            with c.pipeline():
                c.execute("INSERT INTO psycopy VALUES (-1, 'x')")
                c.execute("INSERT INTO psycopy VALUES (1/0, 'x')")
        except psycopg.errors.DivisionByZero:
            pass
        assert c.execute("SELECT count(*) FROM psycopy WHERE a = -1").fetchone() == (0,)
        # Rows one by one as they are made.
        seen = [row[0] for row in c.cursor().stream("SELECT a FROM psycopy ORDER BY a")]
        assert seen == list(range(10001))
    try:
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", password="wrong", dbname="postgres")
        raise AssertionError("a wrong password is let in")
    except psycopg.OperationalError as e:
        assert 'password authentication failed for user "postgres"' in str(e), e


def with_notifications():
    connect = lambda: psycopg.connect(
        host=host, port=port, user="postgres", password=password, dbname="postgres", autocommit=True
    )
    with connect() as listener, connect() as teller:
        listener.execute("LISTEN psy")
        teller.execute("NOTIFY psy, 'first'")
        with teller.transaction():
            teller.execute("SELECT pg_notify('psy', 'second'), pg_notify('other', 'unheard')")
        with teller.transaction(force_rollback=True):
            teller.execute("NOTIFY psy, 'never'")
        heard = list(listener.notifies(timeout=10, stop_after=2))
        assert [(n.channel, n.payload, n.pid) for n in heard] == [
            ("psy", "first", teller.info.backend_pid),
            ("psy", "second", teller.info.backend_pid),
        ], heard
        assert list(listener.notifies(timeout=0.2)) == []
        listener.execute("UNLISTEN *")


async def with_async_psycopg():
    connect = lambda **more: psycopg.AsyncConnection.connect(
        host=host, port=port, user="postgres", password=password, dbname="postgres", **more
    )
    async with await connect() as c:
        await c.execute(f"CREATE TABLE apsy {TABLE}")
        async with c.cursor() as cursor:
            rows = [(n, *ROW[1:]) for n in range(100)]
            await cursor.executemany(f"INSERT INTO apsy VALUES ({', '.join(['%s'] * len(ROW))}) RETURNING a", rows, returning=True)
            seen = []
            while True:
                seen += [row[0] for row in await cursor.fetchall()]
                if not cursor.nextset():
                    break
            assert seen == list(range(100)), seen
        await c.commit()
        # A cursor of the server, in portions and backwards.
        async with c.cursor("named", scrollable=True) as cursor:
            cursor.itersize = 30
            await cursor.execute("SELECT a FROM apsy ORDER BY a")
            assert [row[0] async for row in cursor] == list(range(100))
            await cursor.scroll(10, mode="absolute")
            assert await cursor.fetchone() == (10,)
        async with c.transaction():
            await c.execute("DELETE FROM apsy WHERE a >= 50")
            try:
                async with c.transaction():
                    await c.execute("INSERT INTO apsy (a) VALUES (1)")
            except psycopg.errors.UniqueViolation:
                pass
        assert await (await c.execute("SELECT count(*) FROM apsy")).fetchone() == (50,)
    async with await connect(autocommit=True) as c:
        # A pipeline whose answers are asked for while it goes on.
        async with c.pipeline() as pipeline:
            cursors = [await c.execute("SELECT a * %s FROM apsy WHERE a = %s", (2, n)) for n in range(50)]
            await pipeline.sync()
            assert [(await cursor.fetchone())[0] for cursor in cursors] == [2 * n for n in range(50)]
        # An error skips what follows up to the next Sync, and what came before is undone.
        try:
            async with c.pipeline() as pipeline:
                await c.execute("INSERT INTO apsy (a) VALUES (200)")
                await c.execute("SELECT 1 / (a - a) FROM apsy")
                await c.execute("INSERT INTO apsy (a) VALUES (201)")
                await pipeline.sync()
            raise AssertionError("a division by zero goes unnoticed")
        except psycopg.errors.DivisionByZero:
            pass
        assert await (await c.execute("SELECT count(*) FROM apsy WHERE a >= 200")).fetchone() == (0,)
        # COPY in both directions, in text and binary.
        await c.execute("CREATE TABLE apsycopy (a int, b text)")
        for form, n in (("text", 5000), ("binary", 5000)):
            async with c.cursor() as cursor, cursor.copy(f"COPY apsycopy FROM STDIN (FORMAT {form})") as copy:
                copy.set_types(["int4", "text"])
                for i in range(n):
                    await copy.write_row((i, None if i % 7 == 0 else f"{form} \\ \t {i}"))
        async with c.cursor() as cursor, cursor.copy("COPY apsycopy TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            rows = [row async for row in copy.rows()]
        assert len(rows) == 10000 and rows[5001] == (1, "binary \\ \t 1") and rows[7] == (7, None), rows[:8]
        # A COPY that is left half-way leaves its connection usable.
        try:
            async with c.cursor() as cursor, cursor.copy("COPY apsycopy TO STDOUT") as copy:
                await copy.read()
                raise KeyError
        except KeyError:
            pass
        assert await (await c.execute("SELECT 1")).fetchone() == (1,)
        # What takes long is cancelled: by the connection, and because its task is.
        task = asyncio.create_task(c.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.3)
        await c.cancel_safe()
        try:
            await task
            raise AssertionError("it slept for a minute")
        except psycopg.errors.QueryCanceled as e:
            assert e.sqlstate == "57014"
        try:
            await asyncio.wait_for(c.execute("SELECT pg_sleep(60)"), 0.3)
            raise AssertionError("it slept for a minute")
        except asyncio.TimeoutError:
            pass
        assert await (await c.execute("SELECT 2")).fetchone() == (2,)
        # Notifications, told by another connection while nothing is asked.
        async with await connect(autocommit=True) as teller:
            await c.execute("LISTEN apsy")
            heard = []

            async def hear():
                async for note in c.notifies(timeout=10, stop_after=3):
                    heard.append(note.payload)

            task = asyncio.create_task(hear())
            for n in range(3):
                await asyncio.sleep(0.05)
                await teller.execute("SELECT pg_notify('apsy', %s)", (str(n),))
            await task
            assert heard == ["0", "1", "2"], heard


async def with_asyncpg():
    c = await asyncpg.connect(host=host, port=port, user="postgres", password=password, database="postgres")
    await c.execute(f"CREATE TABLE apg {TABLE}")
    marks = ", ".join(f"${i + 1}" for i in range(len(ROW)))
    await c.execute(f"INSERT INTO apg VALUES ({marks})", *ROW)
    assert tuple(await c.fetchrow("SELECT * FROM apg")) == ROW
    assert await c.fetchval("SELECT $1::int + $2::int", 2, 3) == 5
    try:
        await c.execute("INSERT INTO apg (a) VALUES ($1)", 1)
        raise AssertionError("a second row with the same key")
    except asyncpg.UniqueViolationError as e:
        assert e.constraint_name == "apg_pkey", e
    await c.executemany("INSERT INTO apg (a, b) VALUES ($1, $2)", [(i, i * i) for i in range(2, 1000)])
    try:
        # One transaction: the last one undoes all.
        await c.executemany("INSERT INTO apg (a) VALUES ($1)", [(5000,), (5001,), (1,)])
        raise AssertionError("a second row with the same key")
    except asyncpg.UniqueViolationError:
        pass
    assert await c.fetchval("SELECT count(*) FROM apg") == 999
    # A cursor is a portal fetched in portions; others run meanwhile.
    async with c.transaction():
        seen = []
        async for row in c.cursor("SELECT a FROM apg ORDER BY a", prefetch=50):
            seen.append(row["a"])
            if row["a"] == 500:
                await c.execute("DELETE FROM apg WHERE a > 600")
        assert seen == list(range(1, 1000))
    assert await c.copy_records_to_table("apg", records=[(2000 + i, i) for i in range(5000)], columns=["a", "b"]) == "COPY 5000"
    out = []

    async def keep(data):
        out.append(data)

    assert await c.copy_from_query("SELECT a FROM apg WHERE a > $1 ORDER BY a", 6995, output=keep) == "COPY 4"
    assert b"".join(out) == b"6996\n6997\n6998\n6999\n"
    try:
        async with c.transaction():
            await c.execute("INSERT INTO apg (a) VALUES (9000)")
            await c.execute("SELECT nosuch")
    except asyncpg.UndefinedColumnError:
        pass
    assert await c.fetchval("SELECT count(*) FROM apg WHERE a = 9000") == 0
    try:
        await asyncio.wait_for(c.fetch("SELECT count(*) FROM apg x, apg y, apg z WHERE x.a + y.a + z.a < 0"), 0.5)
        raise AssertionError("that takes longer")
    except asyncio.TimeoutError:
        pass
    assert await c.fetchval("SELECT 1") == 1
    # Notifications.
    heard = asyncio.Queue()
    await c.add_listener("apg", lambda _, pid, channel, payload: heard.put_nowait((pid, channel, payload)))
    pool = await asyncpg.create_pool(
        host=host, port=port, user="postgres", password=password, database="postgres", min_size=2, max_size=4
    )
    async with pool.acquire() as other:
        await other.execute("SELECT pg_notify('apg', 'hello')")
        told = await asyncio.wait_for(heard.get(), 10)
        assert told == (other.get_server_pid(), "apg", "hello"), told
    # More at a time than there are connections.
    answers = await asyncio.gather(*(pool.fetchval("SELECT $1::int * 2", n) for n in range(40)))
    assert answers == [2 * n for n in range(40)]
    await pool.close()
    await c.copy_to_table("apg", source=io.BytesIO(b"20000,1\n20001,2\n"), columns=["a", "b"], format="csv")
    assert await c.fetchval("SELECT sum(b) FROM apg WHERE a >= 20000") == 3
    await c.close()


with_psycopg()
with_notifications()
asyncio.run(with_async_psycopg())
asyncio.run(with_asyncpg())
print("psycopg", psycopg.__version__, "asyncpg", asyncpg.__version__)
