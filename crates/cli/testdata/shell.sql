-- Recorded from psql 18.6 on PostgreSQL 18.6:
-- psql -X -f shell.sql >shell.out 2>shell.err
SELECT 1 AS a, 'x' AS b, NULL AS c;
SELECT * FROM (VALUES (12345, 'left', 1.5::numeric), (1, 'a longer text than its name', 22.75))
AS v (n, "a long name", x);
SELECT 1 WHERE false;
SELECT;
SELECT 'two
lines' AS "a name
of two", 1 AS n;
SELECT E'tab\there' AS t, E'bell\x07' AS c, E'cr\rx' AS r;
SELECT 'ü' AS u, '日本語' AS wide, 'e' || U&'\0301' AS combining;
CREATE TABLE t (a int PRIMARY KEY, b text);
INSERT INTO t VALUES (1, 'one'), (2, NULL) RETURNING a, b;
INSERT INTO t VALUES (3, 'three');
UPDATE t SET b = 'two' WHERE a = 2;
DELETE FROM t WHERE a = 3;
COPY t FROM STDIN;
4	four
5	\N
\.
COPY t TO STDOUT;
COPY t FROM STDIN;
x	y
\.
SELECT * FROM t ORDER BY a;
/* a comment; with a semicolon */ SELECT 1 /* inside */ AS one; SELECT 2 AS two;
SELECT nosuch
FROM t;
SELECT 'a text that goes on for a while and then some more' AS x, nosuch, 'and more behind it, so that it is cut' AS y;
SELECT 'a text that goes on for a while and then some more' AS x, 1 AS y, 'and more behind it, so that it is cut' AS z, nosuch;
	SELECT nosuch AS "at the start of a long", 'line that is cut on its right side only';
SELEC 1;
INSERT INTO t VALUES (1, 'again');
INSERT INTO t VALUES (NULL, 'x');
\x
SELECT 1 AS a, 'x' AS "long name";
SELECT * FROM t ORDER BY a;
SELECT 'two
lines' AS a, 'b' AS "n
m";
SELECT 1 AS a WHERE false;
\x off
\t
SELECT * FROM t ORDER BY a;
SELECT 1 WHERE false;
\x
SELECT * FROM t ORDER BY a;
\x
\t off
\a
SELECT * FROM t ORDER BY a;
\pset null '(null)'
SELECT * FROM t ORDER BY a;
\x on
SELECT * FROM t ORDER BY a;
\x off
\a
SELECT * FROM t ORDER BY a;
\pset null ''
\echo some  text 'in quotes'
SELECT 1 AS g \g
SELECT 1 AS gx \gx
\g
BEGIN;
SELECT 1/0;
SELECT 1;
ROLLBACK;
COMMIT;
\nosuch
\set VERBOSITY verbose
SELECT 1/0;
INSERT INTO t VALUES (1, 'again');
\set VERBOSITY default
\copy t TO 'copied.tmp' (FORMAT csv)
DELETE FROM t;
\copy t FROM 'copied.tmp' CSV
\copy t FROM 'nosuch.tmp'
\copy (SELECT a FROM t ORDER BY a) TO STDOUT
\i nosuch.sql
SHOW server_encoding;
SELECT true AS bool, date '2024-02-29' AS day, 1e10::float8 AS f, 7::int8 AS i8, 'x'::varchar(3) AS v;
SELECT 'unfinished at the end' AS last
