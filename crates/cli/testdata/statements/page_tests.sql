-- Conditions that a scan tests on its pages: every form of column, NULLs, values beyond a column's range, short lists.
CREATE TABLE p (
  i2 int2, i4 int4, i8 int8, o oid, f4 float4, f8 float8, d date, ts timestamp, t text, c char(6), v varchar(20), b bool, pad text
);
INSERT INTO p SELECT
  CASE WHEN i % 11 = 0 THEN NULL ELSE (i * 7 % 65536 - 32768)::int2 END,
  CASE WHEN i % 7 = 0 THEN NULL ELSE i * 7919 % 1000 END,
  CASE WHEN i % 5 = 0 THEN NULL ELSE i::int8 * 1000000007 END,
  (i % 100)::oid,
  CASE WHEN i % 13 = 0 THEN 'NaN' WHEN i % 17 = 0 THEN NULL ELSE i::float4 / 8 END,
  CASE WHEN i % 13 = 0 THEN 'NaN' WHEN i % 19 = 0 THEN '-infinity' ELSE i / 16.0 END,
  CASE WHEN i % 29 = 0 THEN 'infinity' ELSE date '2020-01-01' + i % 1000 END,
  timestamp '2020-01-01' + i * interval '1 hour',
  CASE WHEN i % 23 = 0 THEN NULL ELSE repeat('x', i % 15) END,
  CASE i % 4 WHEN 0 THEN 'a' WHEN 1 THEN 'bb' WHEN 2 THEN 'äöü' ELSE 'c  ' END,
  'v' || i % 9,
  CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END,
  repeat('p', i % 40)
FROM generate_series(1, 9000) i;
DELETE FROM p WHERE o = 50;
INSERT INTO p (i2, i4, i8, o) VALUES (-32768, -2147483648, -9223372036854775808, 0), (32767, 2147483647, 9223372036854775807, 4294967295);
SELECT count(*), sum(i4) FROM p WHERE i4 < 500;
SELECT count(*), sum(i4) FROM p WHERE 500 <= i4;
SELECT count(*) FROM p WHERE i4 <> 7;
SELECT count(*) FROM p WHERE i4 BETWEEN 100 AND 200 AND i4 <> 150;
SELECT count(*) FROM p WHERE i4 BETWEEN 200 AND 100;
SELECT count(*) FROM p WHERE i4 < 3000000000;
SELECT count(*) FROM p WHERE i4 > 3000000000;
SELECT count(*) FROM p WHERE i4 <> 3000000000;
SELECT count(*) FROM p WHERE i4 = 3000000000;
SELECT count(*) FROM p WHERE i4 >= -3000000000;
SELECT count(*) FROM p WHERE i2 > 30000 OR i2 < -30000;
SELECT count(*) FROM p WHERE i2 > 30000;
SELECT count(*) FROM p WHERE i2 <= -32768;
SELECT count(*) FROM p WHERE i2 < -32768::int2;
SELECT count(*) FROM p WHERE i8 > 9223372036854775807;
SELECT count(*) FROM p WHERE i8 >= 9223372036854775807;
SELECT count(*) FROM p WHERE i8 < (-9223372036854775808);
SELECT count(*) FROM p WHERE i8 <= (-9223372036854775808);
SELECT count(*) FROM p WHERE o > 4294967294;
SELECT count(*) FROM p WHERE o IN (1, 2, 3);
SELECT count(*) FROM p WHERE f4 > 1000;
SELECT count(*) FROM p WHERE f4 = 'NaN';
SELECT count(*) FROM p WHERE f4 < 'NaN'::float8;
SELECT count(*) FROM p WHERE f8 >= 'NaN';
SELECT count(*) FROM p WHERE f8 <> 'NaN';
SELECT count(*) FROM p WHERE f8 <= 100;
SELECT count(*) FROM p WHERE f8 = '-infinity';
SELECT count(*) FROM p WHERE d > '2022-01-01';
SELECT count(*) FROM p WHERE d = 'infinity';
SELECT count(*) FROM p WHERE d < timestamp '2020-01-02 01:00';
SELECT count(*) FROM p WHERE ts >= '2020-06-01' AND ts < '2020-07-01';
SELECT count(*) FROM p WHERE ts < date '2020-01-03';
SELECT count(*) FROM p WHERE t = '';
SELECT count(*) FROM p WHERE t = 'xxxxxxxxxxxx';
SELECT count(*) FROM p WHERE t = 'xxxxxxxxxxxxx';
SELECT count(*) FROM p WHERE t <> 'xxxxxxxxxxxx';
SELECT count(*) FROM p WHERE t IN ('x', 'xxx', 'xxxxxxxxxxxx');
SELECT count(*) FROM p WHERE t NOT IN ('x', 'xxx', 'xxxxxxxxxxxx');
SELECT count(*) FROM p WHERE t IN ('x', NULL);
SELECT count(*) FROM p WHERE t NOT IN ('x', NULL);
SELECT count(*) FROM p WHERE c = 'a';
SELECT count(*) FROM p WHERE c = 'c      ';
SELECT count(*) FROM p WHERE c = 'äöü';
SELECT count(*) FROM p WHERE c <> 'bb';
SELECT count(*) FROM p WHERE c IN ('a', 'bb ', 'too long for it');
SELECT count(*) FROM p WHERE c = 'too long for it';
SELECT count(*) FROM p WHERE v = 'v3';
SELECT count(*) FROM p WHERE v IN ('v3', 'v4') AND b;
SELECT count(*) FROM p WHERE b;
SELECT count(*) FROM p WHERE NOT b;
SELECT count(*) FROM p WHERE b IS NULL;
SELECT count(*) FROM p WHERE b IS NOT TRUE;
SELECT count(*) FROM p WHERE i4 IS NULL AND i8 IS NOT NULL;
SELECT count(*) FROM p WHERE i4 IN (1, 2, 3, 5, 8, 13);
SELECT count(*) FROM p WHERE i4 NOT IN (1, 2, 3, 5, 8, 13);
SELECT count(*) FROM p WHERE i2 IN (0, 7, 70000);
SELECT count(*) FROM p WHERE i4 = ANY ('{1,NULL,2}');
SELECT count(*) FROM p WHERE i4 < NULL;
SELECT count(*) FROM p WHERE i4 < 100 AND pad LIKE 'pppp%' AND length(t) > 3;
SELECT count(*) FROM p WHERE i4 < 100 AND i8 % 3 = 0;
SELECT max(i4) FROM p WHERE i4 < 100 AND 1000 / (i4 + 1) >= 0 AND i4 >= 0;
-- One statement with other values, and a scan begun again for each outer row.
PREPARE s(int, text) AS SELECT count(*) FROM p WHERE i4 < $1 AND t = $2;
EXECUTE s(500, 'xx');
EXECUTE s(100, 'xxxxxxxxxxxxxx');
EXECUTE s(NULL, 'xx');
SELECT n, (SELECT count(*) FROM p WHERE i4 = n AND v <> 'v1') FROM generate_series(0, 5) n;
SELECT n, s.count FROM (VALUES (1), (NULL), (999)) x(n), LATERAL (SELECT count(*) FROM p WHERE i4 >= x.n) s;
-- What a transaction changed and did not commit.
BEGIN;
UPDATE p SET i4 = 77, t = 'changed', c = 'zz' WHERE o = 3;
DELETE FROM p WHERE o = 4;
SELECT count(*) FROM p WHERE i4 = 77;
SELECT count(*) FROM p WHERE t = 'changed' AND c = 'zz';
SELECT count(*) FROM p WHERE o BETWEEN 3 AND 4;
ROLLBACK;
SELECT count(*) FROM p WHERE i4 = 77;
SELECT count(*) FROM p WHERE t = 'changed' AND c = 'zz';
SELECT count(*) FROM p WHERE o BETWEEN 3 AND 4;
-- Small rows: a page has more of them than a chunk.
CREATE TABLE small (b int2);
INSERT INTO small SELECT i % 1000 FROM generate_series(1, 20000) i;
SELECT count(*), sum(b) FROM small WHERE b >= 10;
SELECT count(*), sum(b) FROM small WHERE b = 999;
DELETE FROM small WHERE b % 2 = 1;
SELECT count(*), sum(b) FROM small WHERE b > 500;
DROP TABLE p, small;
