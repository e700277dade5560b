-- What information_schema says of a schema with one of everything.
CREATE SCHEMA shop;
SET search_path = shop, public;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 2) PRIMARY KEY,
    name varchar(40) NOT NULL,
    code char(3) UNIQUE,
    email text UNIQUE NULLS NOT DISTINCT,
    score numeric(8,3) DEFAULT 1.5 CHECK (score > 0),
    rough numeric,
    flags bit(5),
    more bit varying(9),
    born date,
    seen timestamp(3) with time zone DEFAULT now(),
    at time(2),
    span interval,
    span_days interval day to second(2),
    tags text[],
    feeling mood DEFAULT 'ok'::mood,
    extra jsonb,
    small smallint,
    f4 real,
    f8 double precision,
    data bytea,
    doubled integer GENERATED ALWAYS AS (small * 2) STORED
);
CREATE TABLE orders (
    id serial,
    customer bigint NOT NULL REFERENCES customer ON DELETE CASCADE,
    line integer,
    note text,
    PRIMARY KEY (id, line),
    CONSTRAINT note_long CHECK (length(note) > 2 AND line > 0),
    CONSTRAINT self FOREIGN KEY (id, line) REFERENCES orders (id, line) MATCH FULL ON UPDATE SET NULL ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED
);
CREATE VIEW rich AS SELECT DISTINCT id, name, score * 2 AS twice FROM customer WHERE score > 100;
CREATE SEQUENCE counter AS smallint INCREMENT BY -1 CYCLE;
CREATE UNIQUE INDEX customer_name ON customer (name);
CREATE TEMP TABLE temporary_one (a int);
CREATE ROLE reader;
GRANT SELECT ON customer TO reader;
GRANT INSERT (line, note), UPDATE ON orders TO PUBLIC;
GRANT USAGE ON SEQUENCE counter TO reader WITH GRANT OPTION;
SELECT catalog_name IS NOT NULL, schema_name, schema_owner, sql_path FROM information_schema.schemata WHERE schema_name !~ '^pg_(toast|temp)' ORDER BY 2;
\x on
SELECT table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type, interval_precision, character_set_schema, character_set_name, collation_schema, collation_name, domain_schema, domain_name, udt_schema, udt_name, scope_schema, scope_name, maximum_cardinality, dtd_identifier, is_self_referencing, is_identity, identity_generation, identity_start, identity_increment, identity_maximum, identity_minimum, identity_cycle, is_generated, generation_expression, is_updatable FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'customer' ORDER BY ordinal_position;
\x off
SELECT table_name, column_name, ordinal_position, column_default, is_nullable, data_type, is_identity, is_updatable FROM information_schema.columns WHERE table_schema = 'shop' AND table_name <> 'customer' ORDER BY 1, 3;
SELECT table_schema = 'shop' AS own, table_name, table_type, is_insertable_into, is_typed, commit_action FROM information_schema.tables WHERE table_name IN ('customer', 'orders', 'rich', 'temporary_one') ORDER BY 2;
SELECT table_schema, table_name, table_type, self_referencing_column_name, reference_generation, user_defined_type_schema, user_defined_type_name, is_insertable_into, is_typed, commit_action FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY table_name;
SELECT constraint_schema, constraint_name, table_name, constraint_type, is_deferrable, initially_deferred, enforced, nulls_distinct FROM information_schema.table_constraints WHERE table_schema = 'shop' ORDER BY 3, 2;
SELECT constraint_name, table_name, column_name, ordinal_position, position_in_unique_constraint FROM information_schema.key_column_usage WHERE table_schema = 'shop' ORDER BY 2, 1, 4;
SELECT constraint_schema, constraint_name, unique_constraint_schema, unique_constraint_name, match_option, update_rule, delete_rule FROM information_schema.referential_constraints WHERE constraint_schema = 'shop' ORDER BY constraint_name;
SELECT table_name, column_name, constraint_name FROM information_schema.constraint_column_usage WHERE table_schema = 'shop' ORDER BY 1, 3, 2;
SELECT table_name, constraint_name FROM information_schema.constraint_table_usage WHERE table_schema = 'shop' ORDER BY 1, 2;
SELECT constraint_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema = 'shop' ORDER BY 1;
SELECT table_schema, table_name, view_definition, check_option, is_updatable, is_insertable_into, is_trigger_updatable, is_trigger_deletable, is_trigger_insertable_into FROM information_schema.views WHERE table_schema = 'shop';
SELECT view_name, table_schema, table_name FROM information_schema.view_table_usage WHERE view_schema = 'shop';
SELECT view_name, table_name, column_name FROM information_schema.view_column_usage WHERE view_schema = 'shop' ORDER BY 3;
SELECT sequence_schema, sequence_name, data_type, numeric_precision, numeric_precision_radix, numeric_scale, start_value, minimum_value, maximum_value, increment, cycle_option FROM information_schema.sequences WHERE sequence_schema = 'shop' ORDER BY sequence_name;
SELECT grantor, grantee, table_name, privilege_type, is_grantable, with_hierarchy FROM information_schema.table_privileges WHERE table_schema = 'shop' ORDER BY 3, 2, 4;
SELECT grantee, table_name, column_name, privilege_type, is_grantable FROM information_schema.column_privileges WHERE table_schema = 'shop' AND (table_name = 'orders' OR grantee = 'reader') ORDER BY 2, 3, 1, 4;
SELECT grantee, object_name, object_type, privilege_type, is_grantable FROM information_schema.usage_privileges WHERE object_schema = 'shop' ORDER BY 2, 1;
SELECT count(*) FROM information_schema.role_table_grants WHERE table_schema = 'shop';
SELECT table_name, column_name, udt_schema, udt_name FROM information_schema.column_udt_usage WHERE table_schema = 'shop' AND udt_name = 'mood';
SELECT object_schema, object_name, object_type, collection_type_identifier, data_type, character_maximum_length, character_octet_length, character_set_schema, character_set_name, collation_schema, collation_name, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type, interval_precision, udt_schema, udt_name, scope_schema, scope_name, maximum_cardinality, dtd_identifier FROM information_schema.element_types WHERE object_schema = 'shop';
SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = 'shop';
SELECT count(*) FROM information_schema.domains WHERE domain_schema = 'shop';
SELECT count(*) FROM information_schema.foreign_tables;
SELECT role_name FROM information_schema.enabled_roles WHERE role_name IN ('reader', 'postgres') ORDER BY 1;
SELECT routine_name, routine_type, data_type, type_udt_name, routine_body, external_language, is_deterministic, is_null_call, security_type FROM information_schema.routines WHERE routine_schema = 'pg_catalog' AND routine_name IN ('upper', 'array_append', 'now') ORDER BY specific_name;
SELECT p.specific_name, ordinal_position, parameter_mode, is_result, parameter_name, data_type, udt_name, dtd_identifier FROM information_schema.parameters p WHERE specific_schema = 'pg_catalog' AND p.specific_name ~ '^(substr|json_each)_' ORDER BY 1, 2;
SELECT * FROM information_schema.nosuch;
SELECT nosuch FROM information_schema.tables;
SET search_path = information_schema;
SELECT table_name FROM tables WHERE table_schema = 'shop' ORDER BY 1;
SELECT views.table_name FROM information_schema.views WHERE information_schema.views.table_schema = 'shop';
RESET search_path;
REVOKE ALL ON shop.customer FROM reader;
REVOKE ALL ON SEQUENCE shop.counter FROM reader;
DROP ROLE reader;
