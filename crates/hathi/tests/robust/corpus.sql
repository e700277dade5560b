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
WITH x AS (SELECT a, d FROM t WHERE d > 10) SELECT * FROM x JOIN u ON x.a = u.a
WITH x (n) AS (VALUES (1), (2)) SELECT n + 1 FROM x
WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r
WITH gone AS (DELETE FROM t WHERE a = 1 RETURNING *) SELECT * FROM gone
SELECT a FROM t UNION SELECT a FROM u ORDER BY 1
SELECT a FROM t UNION ALL SELECT a FROM u
SELECT a FROM t INTERSECT SELECT a FROM u
SELECT a FROM t EXCEPT SELECT a FROM u WHERE a IS NOT NULL
SELECT (SELECT max(d) FROM t), a FROM u
SELECT * FROM t WHERE a IN (SELECT a FROM u)
SELECT * FROM t WHERE a NOT IN (SELECT a FROM u WHERE a IS NOT NULL)
SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
SELECT * FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.e)
SELECT * FROM t WHERE d > ALL (SELECT d FROM t WHERE a < 2)
SELECT * FROM t WHERE d = ANY (SELECT d FROM t WHERE a < 3)
SELECT a = ANY ('{1,2}'::int[]), a <> ALL (ARRAY[3, 4]) FROM t
SELECT (SELECT u.b FROM u WHERE u.a = t.a), t.b FROM t
SELECT DISTINCT ON (e) e, b FROM u ORDER BY e, b
SELECT * FROM generate_series(1, 5) AS g
SELECT g, g * 2 FROM generate_series(1, 10, 3) AS s (g) WHERE g > 2
SELECT * FROM t, LATERAL (SELECT t.a + 1 AS n) AS l
SELECT t.a, l.m FROM t LEFT JOIN LATERAL (SELECT max(f) AS m FROM u WHERE u.a = t.a) l ON true
SELECT row_number() OVER (ORDER BY a), sum(d) OVER (PARTITION BY b ORDER BY a) FROM t
SELECT a, count(*) FILTER (WHERE d > 10) FROM t GROUP BY a
SELECT string_agg(b, ',' ORDER BY a DESC), array_agg(a) FROM t
SELECT bool_and(e), bool_or(e), every(e) FROM u
SELECT e, f, count(*) FROM u GROUP BY ROLLUP (e, f)
SELECT to_char(now(), 'YYYY'), to_char(c, '999.99') FROM t
SELECT extract(year FROM date '2024-02-29'), date_trunc('month', timestamp '2024-02-29 12:00')
SELECT date '2024-01-31' + 1, timestamp '2024-01-31' + interval '1 month', age(timestamp '2024-02-29', timestamp '2020-01-01')
SELECT now() - now(), current_date - current_date, localtime IS NULL
SELECT trim(b), ltrim(b, 'o'), rpad(b, 5, '*'), repeat(b, 2), reverse(b), position('n' IN b), split_part(b, 'n', 1) FROM t
SELECT substring(b FROM 1 FOR 2), overlay(b PLACING 'xx' FROM 2), replace(b, 'o', '0'), strpos(b, 'e') FROM t
SELECT format('%s-%L', b, a), concat(a, b), concat_ws(',', a, b), md5(b), quote_literal(b) FROM t
SELECT regexp_replace(b, 'o(.)', '\1'), b ~ '^o', b !~* 'X', regexp_matches(b, 'n') FROM t
SELECT round(c, 1), trunc(c), mod(a, 2), sign(c), exp(1), ln(2), pi(), width_bucket(5, 0, 10, 5) FROM t
SELECT ARRAY[1, 2, 3], ARRAY[a, a + 1], (ARRAY[1, 2])[1], array_length(ARRAY[1, 2], 1), unnest(ARRAY[1, 2]) FROM t
SELECT ROW(1, 'x'), ROW(a, b) = ROW(1, 'one') FROM t
SELECT '{"a": [1, 2]}'::jsonb -> 'a' -> 0, '{"a": 1}'::jsonb ->> 'a', '[1]'::jsonb @> '1'
SELECT pg_typeof(a), a::regclass FROM t
SELECT relname FROM pg_class WHERE relname = 't'
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0
SELECT * FROM information_schema.tables WHERE table_name = 't'
SELECT nextval('s1'), currval('s1'), setval('s1', 10)
INSERT INTO t VALUES (1, 'x', 1, 1) ON CONFLICT (a) DO UPDATE SET b = excluded.b
INSERT INTO t VALUES (1, 'x', 1, 1) ON CONFLICT DO NOTHING
INSERT INTO u DEFAULT VALUES
UPDATE t SET (b, c) = ('y', 2) WHERE a = 1
UPDATE t SET d = (SELECT max(a) FROM u) WHERE a = 2
SELECT * FROM t WHERE a = 1 FOR UPDATE
SELECT * FROM t FOR SHARE
CREATE TABLE fk (a int PRIMARY KEY, t_a int REFERENCES t (a) ON DELETE CASCADE, CHECK (a > 0))
CREATE TABLE df (a serial, b int DEFAULT 7, c timestamp DEFAULT now())
CREATE TABLE cl AS SELECT * FROM t
CREATE VIEW vw AS SELECT a, b FROM t WHERE d > 10
CREATE SEQUENCE s1 START 5 INCREMENT 2
CREATE SCHEMA sc
CREATE TEMP TABLE tmp (a int)
ALTER TABLE t ADD CONSTRAINT c1 CHECK (a > 0)
ALTER TABLE t ADD COLUMN h text DEFAULT 'x'
ALTER TABLE t DROP COLUMN c
ALTER TABLE t RENAME COLUMN b TO bb
ALTER TABLE t RENAME TO tt
ALTER TABLE t ALTER COLUMN a TYPE bigint
ALTER TABLE u ADD PRIMARY KEY (b)
TRUNCATE t
TRUNCATE t, u
COMMENT ON TABLE t IS 'a table'
ANALYZE t
VACUUM
LOCK TABLE t IN EXCLUSIVE MODE
GRANT SELECT ON t TO PUBLIC
CREATE ROLE r1
SELECT set_config('search_path', 'public', false)
SET search_path TO public, pg_catalog
SELECT a, b FROM t WHERE (a, b) IN ((1, 'one'), (2, 'two'))
SELECT count(*) FROM t a JOIN t b ON a.a < b.a JOIN u ON true
SELECT b COLLATE "C" FROM t ORDER BY b COLLATE "C"
SELECT x'1F', b'101', U&'\0041', E'a\nb', $$dollar$$
SELECT 1 AS "Quoted", t."a" FROM t
DECLARE c CURSOR FOR SELECT * FROM t
BEGIN; DECLARE c CURSOR FOR SELECT * FROM t; FETCH 2 FROM c; CLOSE c; COMMIT
EXPLAIN (COSTS OFF) SELECT * FROM t JOIN u ON t.a = u.a
DO $$ BEGIN NULL; END $$
LISTEN ch
SELECT a, row_number() OVER (ORDER BY d), rank() OVER (ORDER BY b DESC), ntile(2) OVER (ORDER BY a) FROM t
SELECT a, sum(a) OVER (PARTITION BY b ORDER BY d), avg(c) OVER w, count(*) OVER (w ROWS 1 PRECEDING) FROM t WINDOW w AS (ORDER BY a)
SELECT a, lag(b) OVER w, lead(a, 2, 0) OVER w, first_value(c) OVER w, nth_value(d, 2) OVER w FROM t WINDOW w AS (ORDER BY a DESC NULLS LAST)
SELECT sum(d) OVER (ORDER BY d RANGE BETWEEN 10 PRECEDING AND 5 FOLLOWING EXCLUDE TIES), max(b) OVER (ORDER BY c RANGE 1.5 PRECEDING) FROM t
SELECT array_agg(f) OVER (ORDER BY f GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM u
SELECT count(*) OVER (ORDER BY date '2024-01-01' + a RANGE BETWEEN interval '1 day' PRECEDING AND interval '1 mon' FOLLOWING) FROM t
SELECT e, sum(sum(a)) OVER (ORDER BY e), rank() OVER (ORDER BY count(*) DESC) FROM u GROUP BY e
SELECT a, b, sum(d), grouping(a), grouping(b, a) FROM t GROUP BY ROLLUP (a, b) ORDER BY 1, 2
SELECT e, a, count(*) FROM u GROUP BY GROUPING SETS ((e, a), (e), ()) HAVING grouping(e) = 0
SELECT a, b, max(c) FROM t GROUP BY CUBE (a, (b, d)), b
SELECT count(*) FILTER (WHERE a > 1) OVER (PARTITION BY e), string_agg(b, ',') OVER (ORDER BY b) FROM u
SELECT a FROM t ORDER BY d FETCH FIRST 2 ROWS WITH TIES
SELECT * FROM (SELECT a, row_number() OVER (PARTITION BY b ORDER BY a) AS n FROM t) s WHERE n = 1
