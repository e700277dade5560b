-- One statement a line. Tables t (a int, b text, c numeric, d bigint) and u (a int, b varchar, e boolean, f double precision) exist.
SELECT 1
SELECT a, b FROM t
SELECT * FROM t WHERE a = 1
SELECT * FROM t WHERE a > 1 AND b IS NOT NULL ORDER BY c DESC NULLS LAST LIMIT 2 OFFSET 1
SELECT t.a, u.b FROM t JOIN u ON t.a = u.a
SELECT t.a, u.b FROM t LEFT JOIN u ON t.a = u.a AND u.e WHERE t.d > 10
SELECT * FROM t, u WHERE t.a = u.a OR u.a IS NULL
SELECT * FROM t CROSS JOIN u
SELECT * FROM t FULL JOIN u ON t.a = u.a
SELECT count(*), sum(a), min(b), max(c), avg(d) FROM t
SELECT e, count(*) FROM u GROUP BY e HAVING count(*) > 0 ORDER BY 2, 1
SELECT DISTINCT e FROM u ORDER BY 1
SELECT a + 1, a - 1, a * 2, a / 1, a % 2, - a FROM t
SELECT a / 0 FROM t
SELECT 2147483647 + 1
SELECT 9223372036854775807::bigint * 2
SELECT b || 'x' || b FROM t
SELECT c * 1.5, c / 3, round(c), c::int, c::text FROM t
SELECT f * 2, f / 0.1, f::int FROM u
SELECT length(b), upper(b), lower(b), substr(b, 1, 2) FROM t
SELECT abs(a), sqrt(f), floor(f), ceil(f), power(f, 2) FROM u
SELECT coalesce(a, 0), nullif(a, 1), greatest(a, 2), least(a, 2) FROM u
SELECT CASE WHEN a = 1 THEN 'one' WHEN a IS NULL THEN 'none' ELSE b END FROM u
SELECT a IN (1, 2, 3), a NOT IN (1, NULL), a BETWEEN 1 AND 2 FROM t
SELECT b LIKE '%o%', b NOT LIKE 'x_', b ILIKE 'O%' FROM t
SELECT a = 1 AND b = 'one' OR NOT c > 2 FROM t
SELECT e IS TRUE, e IS NOT FALSE, e IS UNKNOWN FROM u
SELECT a IS DISTINCT FROM d FROM t
SELECT '2024-02-29'::date, '12:30'::time, '2024-02-29 12:30'::timestamp
SELECT '1 day 2 hours'::interval, '{1,2,3}'::int[], '{"a": 1}'::json
SELECT true, false, NULL, 'text', 1.5, 1e10, 0x1F, 1_000
SELECT 'a' < 'b', 1 < 2.5, '1'::int + 1
SELECT cast('12' AS int), '3.14'::numeric(3,1), 'abc'::varchar(2), 'x'::char(3)
SELECT x.a FROM (SELECT a, d FROM t WHERE d > 10) AS x WHERE x.a < 3
SELECT s.n FROM (VALUES (1, 'x'), (2, 'y')) AS s (n, m)
VALUES (1, 2), (3, 4)
TABLE t
SELECT * FROM t WHERE d = 20
SELECT * FROM t WHERE d >= 10 AND d < 30 ORDER BY d DESC
SELECT * FROM u WHERE b = 'x'
SELECT t.* FROM t ORDER BY b, a
SELECT a AS x FROM t ORDER BY x
SELECT count(DISTINCT a) FROM t
SELECT sum(d) FROM t WHERE a < 0
SELECT current_schema(), version()
SELECT a FROM t ORDER BY random()
SELECT a FROM nosuch
SELECT nosuch FROM t
INSERT INTO t VALUES (4, 'four', 4.4, 40)
INSERT INTO t (a, b) VALUES (5, 'five'), (6, NULL)
INSERT INTO t SELECT a + 100, b, 1, 2 FROM u WHERE a IS NOT NULL
INSERT INTO t VALUES (1, 'again', 0, 0)
INSERT INTO u VALUES (9, NULL, true, 1)
INSERT INTO u (a, b) VALUES (7, 'seven') RETURNING a, b, e
UPDATE t SET b = 'new' WHERE a = 2
UPDATE t SET a = a + 1000, c = c * 2
UPDATE t SET b = u.b FROM u WHERE t.a = u.a
UPDATE u SET f = f + 1, e = NOT e WHERE b > 'x' RETURNING *
DELETE FROM t WHERE a = 3
DELETE FROM u WHERE e IS NULL RETURNING a
DELETE FROM t USING u WHERE t.a = u.a
CREATE TABLE v (a int, b text)
CREATE TABLE w (id bigint PRIMARY KEY, x varchar(5) NOT NULL, y numeric(4,1), UNIQUE (x, y))
CREATE INDEX v_b ON t (b, a)
CREATE UNIQUE INDEX u_f ON u (f)
DROP TABLE u
DROP INDEX t_d
ALTER TABLE t ADD COLUMN g int
BEGIN
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t; COMMIT
COMMIT
ROLLBACK
BEGIN; INSERT INTO t VALUES (50, 'x', 1, 1); SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; COMMIT
BEGIN; CREATE TABLE z (a int); INSERT INTO z VALUES (1); ROLLBACK
SET application_name = 'x'
SHOW statement_timeout
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
EXPLAIN SELECT * FROM t
PREPARE p AS SELECT * FROM t WHERE a = $1
EXECUTE p (1)
DEALLOCATE p
