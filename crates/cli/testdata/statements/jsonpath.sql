-- Paths into jsonb: the type, what paths find, methods, dates, errors.
SELECT 'lax $.store.book[*] ? (@.price < 10 && exists (@.isbn)).title'::jsonpath;
SELECT 'strict $."a b"[0, 2 to last - 1].**{1 to last} ? (!(@ starts with $p) || @ like_regex "^a" flag "i")'::jsonpath;
SELECT '$ ? ((@.a + 1) * -2 >= 0x1f && (@.b == null) is unknown)'::jsonpath;
SELECT '$.a.datetime("HH24:MI").type().time(3).decimal(5, 2)'::jsonpath;
SELECT '@.a'::jsonpath;
SELECT '$ ? (@.a'::jsonpath;
SELECT '$.a[last] + last'::jsonpath;
SELECT '1a'::jsonpath, '$ ? (@ like_regex "a" flag "z")'::jsonpath;
SELECT '$ ? (@ like_regex "a" flag "x")'::jsonpath;
SELECT ''::jsonpath;

CREATE TABLE doc (id int, d jsonb);
INSERT INTO doc VALUES
    (1, '{"items": [{"n": "pen", "p": 1.50, "tags": ["a", "b"]}, {"n": "ink", "p": 12, "tags": []}], "at": "2024-02-29"}'),
    (2, '{"items": {"n": "box", "p": "7"}, "at": "2024-02-29 10:11:12+02"}'),
    (3, '[1, [2, [3]], null, "x"]'),
    (4, '5');
SELECT id, jsonb_path_query(d, '$.items.n') FROM doc;
SELECT id, jsonb_path_query_array(d, '$.items[*] ? (@.p > 2).n') FROM doc;
SELECT id, jsonb_path_query_array(d, 'strict $.items[*].n', silent => true) FROM doc;
SELECT id, jsonb_path_query_first(d, '$.items.p.double()') FROM doc;
SELECT id, jsonb_path_exists(d, '$.items.tags[*] ? (@ == $t)', '{"t": "b"}') FROM doc;
SELECT id, d @? '$.items ? (@.p > 10)', d @@ '$.items.p > 10' FROM doc;
SELECT id, jsonb_path_query(d, '$.**{1 to 2} ? (@ > 1)') FROM doc;
SELECT id, jsonb_path_query(d, '$.*.type()') FROM doc;
SELECT id, jsonb_path_query_array(d, '$.size()') FROM doc;
SELECT jsonb_path_query(d, '$.items[*].keyvalue()') FROM doc WHERE id = 1;
SELECT jsonb_path_query(d, '$.items[0].keyvalue().key') FROM doc WHERE id = 1;
SELECT jsonb_path_query(d, '$[last, 0 to 1]') FROM doc WHERE id = 3;
SELECT jsonb_path_query(d, 'strict $[4]') FROM doc WHERE id = 3;
SELECT jsonb_path_query(d, 'strict $.x') FROM doc WHERE id = 1;
SELECT jsonb_path_query(d, 'strict $.items.n') FROM doc WHERE id = 1;
SELECT jsonb_path_query(d, '$.items.n + 1') FROM doc WHERE id = 2;
SELECT jsonb_path_query(d, '$ / 0') FROM doc WHERE id = 4;
SELECT jsonb_path_query(d, '- $ + 2 % 3 * 4') FROM doc WHERE id = 4;
SELECT jsonb_path_query(d, '-$[*]') FROM doc WHERE id = 3;
SELECT jsonb_path_query(d, '$missing') FROM doc WHERE id = 4;
SELECT jsonb_path_query(d, '$', '[1]') FROM doc WHERE id = 4;
SELECT jsonb_path_match(d, '$ > 4'), jsonb_path_match(d, '$ ? (@ > 4)', '{}', true) FROM doc WHERE id = 4;
SELECT jsonb_path_match(d, '$') FROM doc WHERE id = 4;
SELECT jsonb_path_query('[1, "a", null]', '$[*] ? ((@ > 0) is unknown)');
SELECT jsonb_path_query('["abc", "ABD", "x\ny"]', '$[*] ? (@ like_regex "^ab" flag "i")');
SELECT jsonb_path_query('["x\ny"]', '$[*] like_regex "x.y"'), jsonb_path_query('["x\ny"]', '$[*] like_regex "x.y" flag "s"');

-- Methods.
SELECT jsonb_path_query('[1.7, -2.2, "3", true]', '$[*].string()');
SELECT jsonb_path_query('[1.7, -2.2]', '$[*].ceiling()'), jsonb_path_query('[1.7, -2.2]', '$[*].floor()');
SELECT jsonb_path_query('["12", 12.4]', '$[*].integer()'), jsonb_path_query('["12", 12.6]', '$[*].bigint()');
SELECT jsonb_path_query('"99999999999"', '$.integer()');
SELECT jsonb_path_query('["1.2345", 5]', '$[*].decimal(4, 2)'), jsonb_path_query('"1e2"', '$.number()');
SELECT jsonb_path_query('"1234.5"', '$.decimal(4, 2)');
SELECT jsonb_path_query('["yes", 0, true]', '$[*].boolean()');
SELECT jsonb_path_query('"maybe"', '$.boolean()');
SELECT jsonb_path_query('"1e400"', '$.double()'), jsonb_path_query('"nan"', '$.number()');
SELECT jsonb_path_query('"nan"', '$.number()');
SELECT jsonb_path_query('{}', '$.abs()');
SELECT jsonb_path_query('[]', 'strict $.abs()');
SELECT jsonb_path_query('1', 'strict $.size()');
SELECT jsonb_path_query('1', '$.keyvalue()');

-- Dates and times.
SET timezone = '+10';
SELECT jsonb_path_query('["2024-02-29", "10:11:12", "10:11:12+2", "2024-02-29 10:11:12", "2024-02-29T10:11:12.5-03:30"]', '$[*].datetime()');
SELECT jsonb_path_query('["2024-02-29", "10:11:12", "10:11:12+2", "2024-02-29 10:11:12", "2024-02-29T10:11:12.5-03:30"]', '$[*].datetime().type()');
SELECT jsonb_path_query('"29.02.2024 10"', '$.datetime("DD.MM.YYYY HH24")');
SELECT jsonb_path_query('"29.02.2024"', '$.datetime("DD-MM-YYYY")');
SELECT jsonb_path_query('"29.02.2024"', '$.datetime("DD.MM")');
SELECT jsonb_path_query('"29.02.2024"', '$.datetime()');
SELECT jsonb_path_query('12', '$.datetime()');
SELECT jsonb_path_query('"2024-02-29 10:11:12.789"', '$.time(1)'), jsonb_path_query('"2024-02-29 10:11:12.789"', '$.date()');
SELECT jsonb_path_query('"10:11:12"', '$.date()');
SELECT jsonb_path_query('"2024-02-29"', '$.timestamp_tz()');
SELECT jsonb_path_query_tz('"2024-02-29"', '$.timestamp_tz()'), jsonb_path_query_tz('"2024-02-29 10:11:12+00"', '$.time()');
SELECT jsonb_path_query('["2024-02-29", "2024-03-01 00:00:00", "10:00:00"]', '$[*].datetime() ? (@ >= "2024-03-01".datetime())');
SELECT jsonb_path_query('["2024-02-29"]', '$[*].datetime() ? (@ < "2024-03-01 00:00:00+00".datetime())');
SELECT jsonb_path_query_tz('["2024-02-29"]', '$[*].datetime() ? (@ < "2024-03-01 00:00:00+00".datetime())');
SELECT jsonb_path_exists_tz(d, '$.at.datetime() < "2024-03-01".datetime()') FROM doc WHERE id < 3;
SELECT jsonb_path_match_tz(d, '$.at.datetime() < "2024-03-01".datetime()') FROM doc WHERE id < 3;
