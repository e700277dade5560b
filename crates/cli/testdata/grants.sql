\set VERBOSITY verbose
\set SHOW_CONTEXT never
DROP ROLE IF EXISTS hathi_a, hathi_b, hathi_g;
CREATE ROLE hathi_a LOGIN;
CREATE ROLE hathi_b LOGIN;
CREATE ROLE hathi_g;
CREATE TABLE gt (a int, b int, c int DEFAULT 7);
INSERT INTO gt VALUES (1, 2, 3);
CREATE SEQUENCE gs;
CREATE SCHEMA gsch;
CREATE TABLE gsch.x (i int);
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent VALUES (1);
CREATE TABLE child (id int REFERENCES parent ON DELETE CASCADE);
INSERT INTO child VALUES (1);
\c - hathi_a
SELECT * FROM gt;
SELECT count(*) FROM gt;
INSERT INTO gt VALUES (1);
UPDATE gt SET a = 1;
DELETE FROM gt;
TRUNCATE gt;
COPY gt TO STDOUT;
SELECT nextval('gs');
SELECT * FROM gsch.x;
CREATE TABLE mine (a int);
CREATE TABLE gsch.mine (a int);
SELECT rolname FROM pg_authid WHERE rolname = 'postgres';
SELECT rolname, rolpassword FROM pg_roles WHERE rolname = 'hathi_a';
SELECT relname FROM pg_class WHERE relname = 'gt';
GRANT SELECT ON gt TO hathi_b;
ALTER TABLE gt ADD COLUMN z int;
DROP TABLE gt;
\c - postgres
GRANT SELECT ON gt TO hathi_a;
SELECT relacl FROM pg_class WHERE relname = 'gt';
GRANT INSERT, UPDATE ON TABLE gt TO hathi_a WITH GRANT OPTION;
SELECT relacl FROM pg_class WHERE relname = 'gt';
GRANT ALL ON gt TO hathi_b;
GRANT USAGE ON SEQUENCE gs TO PUBLIC;
GRANT USAGE, CREATE ON SCHEMA gsch TO hathi_a;
GRANT SELECT ON ALL TABLES IN SCHEMA gsch TO hathi_g;
GRANT hathi_g TO hathi_a;
GRANT DELETE ON parent TO hathi_a;
GRANT SELECT (id) ON parent TO hathi_a;
SELECT relname, relacl FROM pg_class WHERE relname IN ('gt', 'gs', 'x', 'parent') ORDER BY 1;
SELECT nspacl FROM pg_namespace WHERE nspname = 'gsch';
\dp
\dn+ gsch
\c - hathi_a
SELECT * FROM gt;
INSERT INTO gt VALUES (5);
UPDATE gt SET a = a + 1 WHERE b IS NULL RETURNING *;
DELETE FROM gt;
SELECT nextval('gs');
SELECT currval('gs');
SELECT setval('gs', 5);
SELECT * FROM gsch.x;
CREATE TABLE gsch.mine (a int);
GRANT INSERT ON gt TO hathi_b;
GRANT SELECT ON gt TO hathi_b;
GRANT INSERT, DELETE ON gt TO hathi_g;
REVOKE UPDATE ON gt FROM hathi_b;
DELETE FROM parent WHERE id = 1;
SELECT * FROM parent;
SELECT has_table_privilege('gt', 'SELECT'), has_table_privilege('gt', 'DELETE'), has_table_privilege('gt', 'INSERT WITH GRANT OPTION'), has_table_privilege('hathi_b', 'gt', 'TRUNCATE');
SELECT has_schema_privilege('gsch', 'CREATE'), has_schema_privilege('public', 'CREATE'), has_sequence_privilege('gs', 'USAGE'), has_column_privilege('parent', 'id', 'SELECT'), has_table_privilege('gt', 'nonsense');
\c - postgres
SELECT count(*) FROM child;
SELECT relacl FROM pg_class WHERE relname = 'gt';
REVOKE INSERT ON gt FROM hathi_a;
REVOKE GRANT OPTION FOR UPDATE ON gt FROM hathi_a;
REVOKE INSERT ON gt FROM hathi_a CASCADE;
SELECT relacl FROM pg_class WHERE relname = 'gt';
REVOKE ALL ON gt FROM hathi_a, hathi_b, hathi_g;
SELECT relacl FROM pg_class WHERE relname = 'gt';
GRANT SELECT (a, b), UPDATE (c), INSERT (a) ON gt TO hathi_a;
SELECT attname, attacl FROM pg_attribute WHERE attrelid = 'gt'::regclass AND attnum > 0 ORDER BY attnum;
\dp gt
\c - hathi_a
SELECT a, b FROM gt ORDER BY 1;
SELECT c FROM gt;
SELECT * FROM gt;
SELECT count(*) FROM gt;
UPDATE gt SET c = 1;
UPDATE gt SET c = 1 WHERE a = 1;
UPDATE gt SET c = 1 WHERE c = 1;
UPDATE gt SET a = 1;
\c - postgres
GRANT usage ON gt TO hathi_a;
GRANT foo ON gt TO hathi_a;
GRANT SELECT ON nope TO hathi_a;
GRANT SELECT ON gt TO nope;
GRANT SELECT (zz) ON gt TO hathi_a;
GRANT SELECT ON gt TO PUBLIC WITH GRANT OPTION;
GRANT hathi_g TO hathi_a;
GRANT hathi_a TO hathi_g;
REVOKE hathi_g FROM hathi_a;
REVOKE hathi_g FROM hathi_a;
DROP ROLE hathi_a;
REVOKE ALL ON gt FROM hathi_a;
SELECT attname, attacl FROM pg_attribute WHERE attrelid = 'gt'::regclass AND attnum > 0 ORDER BY attnum;
DROP SCHEMA gsch CASCADE;
DROP TABLE gt, parent, child;
DROP ROLE hathi_a, hathi_b, hathi_g;
