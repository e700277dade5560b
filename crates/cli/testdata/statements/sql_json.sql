-- SQL/JSON: constructors, IS JSON, and what runs a path.
CREATE TABLE j (id int, js jsonb, t text);
INSERT INTO j VALUES
    (1, '{"a": 1, "b": [1, "x", null], "d": "2024-02-29"}', '{"k": 1, "k": 2}'),
    (2, '{"a": "two", "b": []}', '[1, 2'),
    (3, '[1.5, true]', '"s"'),
    (4, NULL, NULL);

SELECT id, JSON_EXISTS(js, '$.b[*] ? (@ == $v)' PASSING 'x' AS v), JSON_EXISTS(js, 'strict $.a'),
    JSON_EXISTS(js, 'strict $.a' UNKNOWN ON ERROR), JSON_EXISTS(js, 'strict $.a' TRUE ON ERROR) FROM j WHERE id < 4;
SELECT JSON_EXISTS(js, '$.a'), JSON_VALUE(js, '$.a'), JSON_QUERY(js, '$.a') FROM j WHERE id = 4;
SELECT JSON_EXISTS(js, 'strict $.a' ERROR ON ERROR) FROM j WHERE id = 3;
SELECT JSON_EXISTS(js, '$missing') FROM j WHERE id = 1;
SELECT id, JSON_VALUE(js, '$.a'), JSON_VALUE(js, '$.a' RETURNING int), JSON_VALUE(js, '$.a' RETURNING int DEFAULT 1 - 8 ON ERROR) FROM j WHERE id < 4;
SELECT JSON_VALUE(js, '$.a' RETURNING int DEFAULT -id ON ERROR) FROM j;
SELECT id, JSON_VALUE(js, '$.b[*]'), JSON_VALUE(js, '$.c' DEFAULT 'none' ON EMPTY), JSON_VALUE(js, '$[1]' RETURNING bool) FROM j WHERE id < 4;
SELECT JSON_VALUE(js, '$.a' RETURNING int ERROR ON ERROR) FROM j WHERE id = 2;
SELECT JSON_VALUE(js, '$.b' ERROR ON ERROR) FROM j WHERE id = 1;
SELECT JSON_VALUE(js, '$.b[*]' ERROR ON ERROR) FROM j WHERE id = 1;
SELECT JSON_VALUE(js, '$.c' ERROR ON EMPTY) FROM j WHERE id = 1;
SELECT JSON_VALUE(js, '$.d.date()' RETURNING date) + 1, JSON_VALUE(js, '$.d' RETURNING jsonb), JSON_VALUE(js, '$.a' RETURNING numeric(5, 2)) FROM j WHERE id = 1;
SELECT JSON_VALUE('{"a": [1]}', '$.a[0]'), JSON_VALUE(json '{"a": true}', '$.a'), JSON_VALUE('nonsense', '$');
SELECT JSON_VALUE(1, '$');
SELECT JSON_VALUE(js, 1) FROM j;
SELECT JSON_VALUE(js, '$.') FROM j;
SELECT id, JSON_QUERY(js, '$.b'), JSON_QUERY(js, '$.b[*]' WITH WRAPPER), JSON_QUERY(js, '$.a' WITH CONDITIONAL WRAPPER),
    JSON_QUERY(js, '$.c' EMPTY ARRAY ON EMPTY), JSON_QUERY(js, 'strict $.c' EMPTY OBJECT ON ERROR) FROM j WHERE id < 4;
SELECT id, JSON_QUERY(js, '$.a' RETURNING text), JSON_QUERY(js, '$.a' RETURNING text OMIT QUOTES), JSON_QUERY(js, '$.b' RETURNING text[]) FROM j;
SELECT JSON_QUERY(js, '$.b[*]' ERROR ON ERROR) FROM j WHERE id = 1;
SELECT JSON_QUERY(js, '$.c' ERROR ON EMPTY) FROM j WHERE id = 1;
SELECT JSON_QUERY(js, '$' WITH WRAPPER OMIT QUOTES) FROM j;
SELECT JSON_QUERY(js, '$x' PASSING date '2024-01-01' AS x RETURNING text), JSON_QUERY(js, '$x[1]' PASSING jsonb '[1, {"q": 2}]' AS x) FROM j WHERE id = 1;

SELECT id, t IS JSON, t IS JSON OBJECT, t IS JSON ARRAY, t IS JSON SCALAR, t IS NOT JSON, t IS JSON WITH UNIQUE KEYS, js IS JSON ARRAY FROM j;
SELECT 1 IS JSON;

SELECT JSON_OBJECT(), JSON_OBJECT('a': 1, 'b' VALUE NULL), JSON_OBJECT('a': NULL ABSENT ON NULL), JSON_OBJECT(id: js RETURNING jsonb) FROM j WHERE id = 3;
SELECT JSON_OBJECT('a': '{"x": 1}' FORMAT JSON, 'b': '{"x": 1}', 'c': date '2024-02-29');
SELECT JSON_OBJECT('a': 1, 'a': 2 WITH UNIQUE KEYS);
SELECT JSON_OBJECT('a': 1, 'a': 2 WITH UNIQUE KEYS RETURNING jsonb);
SELECT JSON_OBJECT(NULL: 1);
SELECT JSON_OBJECT('a': 1 RETURNING int);
SELECT JSON_ARRAY(), JSON_ARRAY(1, NULL, 'x', ARRAY[1, 2]), JSON_ARRAY(1, NULL NULL ON NULL RETURNING jsonb), JSON_ARRAY(SELECT id FROM j ORDER BY id DESC);
SELECT JSON_ARRAY(SELECT id FROM j WHERE false), JSON_ARRAY(SELECT js FROM j ORDER BY id);
SELECT JSON_ARRAY(SELECT id, js FROM j);
SELECT JSON_ARRAYAGG(id ORDER BY id DESC), JSON_ARRAYAGG(t ORDER BY id NULL ON NULL RETURNING jsonb), JSON_ARRAYAGG(id ORDER BY id) FILTER (WHERE id > 2) FROM j;
SELECT JSON_OBJECTAGG(id: t ABSENT ON NULL), JSON_OBJECTAGG(id: t RETURNING jsonb) FROM j;
SELECT JSON_OBJECTAGG('k': t WITH UNIQUE KEYS) FROM j;
SELECT JSON('{"a": 1}'), JSON_SCALAR(1.5), JSON_SCALAR('x'), JSON_SCALAR(NULL), JSON_SERIALIZE('{ "a" : 1 }'), JSON_SERIALIZE('[1]' RETURNING varchar);
SELECT JSON('{"a": 1, "a": 2}' WITH UNIQUE KEYS);
SELECT JSON('x');
SELECT JSON_SERIALIZE('1' RETURNING int);

CREATE VIEW jv AS SELECT JSON_OBJECT('a': id, 'b' VALUE t ABSENT ON NULL WITH UNIQUE KEYS) AS o, JSON_ARRAY(id, t NULL ON NULL RETURNING jsonb) AS a,
    JSON_VALUE(js, '$.a' PASSING id AS x RETURNING int DEFAULT 1 ON EMPTY ERROR ON ERROR) AS v, JSON_VALUE(js, '$.a') AS v2,
    JSON_QUERY(js, '$.a' WITH CONDITIONAL WRAPPER) AS q, JSON_QUERY(js, '$.a' OMIT QUOTES EMPTY ARRAY ON EMPTY) AS q2,
    JSON_EXISTS(js, '$.a') AS e, JSON_EXISTS(js, '$.a' UNKNOWN ON ERROR) AS e2, t IS JSON AS i FROM j;
SELECT pg_get_viewdef('jv', true);
SELECT o, a, v2, q, e, i FROM jv WHERE o::text LIKE '%3%';

-- Rows, arrays and domains out of JSON; parts of jsonb; VARIADIC.
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN few AS int[] CHECK (array_length(VALUE, 1) < 3);
CREATE TABLE r (a int[], b pair, c pair[], d few, e jsonb, f json, g varchar(4), h text);
SELECT * FROM jsonb_populate_record(NULL::r, '{"a": [[1, 2], [3, null]], "b": {"x": 1, "y": "z"}, "c": [{"x": 2}], "d": [1], "e": [1, {"q": 2}], "f": {"w": 1}, "g": "abc", "h": [1, 2]}');
SELECT * FROM json_populate_record(NULL::r, '{"a": "{1,2}", "b": "(1,y)", "e": {"k":[1 ,2]}, "f": {"k":[1 ,2]}, "h": {"k":[1 ,2]}}');
SELECT json_populate_record(ROW('{1}', ROW(1, 'old'), NULL, NULL, NULL, NULL, NULL, 'kept')::r, '{"b": {"x": 5}}');
SELECT jsonb_populate_record(NULL::r, '{"a": 5}');
SELECT jsonb_populate_record(NULL::r, '{"a": [[1], 2]}');
SELECT jsonb_populate_record(NULL::r, '{"a": [[1], [2, 3]]}');
SELECT jsonb_populate_record(NULL::r, '{"b": [1]}');
SELECT jsonb_populate_record(NULL::r, '{"d": [1, 2, 3]}');
SELECT json_populate_record(NULL::r, '{"g": "too long"}');
SELECT * FROM json_populate_recordset(ROW(0, 0), '[{"a": "1"}]') AS q (a text, b text);
UPDATE j SET js['n']['deep'][2] = '"new"', js['b'][0] = '10' WHERE id = 1 RETURNING js;
UPDATE j SET js[-1] = 'null', js[4] = '4' WHERE id = 3 RETURNING js;
UPDATE j SET js['a'] = '1' WHERE id = 4 RETURNING js;
UPDATE j SET js['a']['b'] = '1' WHERE id = 4;
UPDATE j SET js['b']['c'] = '1' WHERE id = 1;
UPDATE j SET js[NULL] = '1' WHERE id = 1;
UPDATE j SET js['a':'b'] = '1';
INSERT INTO j (id, js['p'], js['q'][1]) VALUES (5, '1', '2') RETURNING js;
SELECT json_build_object(VARIADIC ARRAY['a', 'b']), jsonb_build_array(VARIADIC ARRAY[1, 2]), concat_ws('x', VARIADIC ARRAY['y', 'z']), format('%s-%s', VARIADIC ARRAY['a', t]) FROM j WHERE id = 3;
SELECT json_extract_path('{"a": [10, 20]}', 'a', '1'), jsonb_extract_path_text('{"a": {"b": 1}}', VARIADIC ARRAY['a', 'b']);
SELECT concat(VARIADIC 1);
SELECT array_to_json(array_agg(x ORDER BY x.id)) FROM (SELECT id, t FROM j WHERE id < 3) x;

-- Sequences read, roles of the same transaction, forms of values.
CREATE SEQUENCE s;
SELECT * FROM s;
SELECT nextval('s');
SELECT last_value, log_cnt, is_called FROM s;
SELECT int4send(258), textsend('ab'), float8send(1.5), jsonb_send('[1]');
SELECT * FROM pg_input_error_info('1234.5', 'numeric(3,1)');
SELECT * FROM pg_input_error_info('5', 'int4');
SET timezone = '-3.5';
SHOW timezone;
SELECT regoper('||/'), regoperator('pg_catalog.+(int4,int4)'), '-(none,int8)'::regoperator, to_regoper('||//'), to_regtype('nosuch');
SELECT regoper('+');
SELECT regoperator('-(int4)');
