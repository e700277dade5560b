-- Subscripts of jsonb and of names; what a session has prepared and declared.
CREATE TABLE t (id int, a text);
SELECT ('{"a": [1, {"b": 2}]}'::jsonb)['a'][1]['b'], ('[1, 2]'::jsonb)[-1], ('{"1": 5}'::jsonb)[1], ('[1]'::jsonb)[NULL::int];
SELECT ('[1]'::jsonb)[true];
SELECT ('[1]'::jsonb)[1.5];
SELECT typname[0], typname[1] FROM pg_type WHERE typname = '_int4';
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id;
DECLARE s SCROLL CURSOR FOR SELECT id FROM t;
SELECT name, statement, is_holdable, is_binary, is_scrollable, creation_time <= now() AS made FROM pg_cursors ORDER BY 1;
COMMIT;
SELECT count(*) FROM pg_cursors;
PREPARE p (int, text) AS SELECT $1 AS a, $2 AS b;
PREPARE q AS INSERT INTO t VALUES ($1, $2);
SELECT name, statement, parameter_types, result_types, from_sql FROM pg_prepared_statements ORDER BY 1;
DEALLOCATE ALL;
SELECT count(*) FROM pg_prepared_statements;
