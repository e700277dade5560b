-- Parameters that take their type from a column keep to its modifier.
CREATE TABLE t (a int PRIMARY KEY, p numeric(8,2), v varchar(3), c char(4), b bit(3), s timestamp(0));
PREPARE i AS INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6) RETURNING *;
EXECUTE i (1, 1.23456, 'abc', 'x', '101', '2024-01-01 00:00:00.7');
EXECUTE i (2, 1, 'abcdef', 'x', '101', NULL);
EXECUTE i (2, 1, 'abc   ', 'x', '101', NULL);
EXECUTE i (3, 1, NULL, 'toolong', '101', NULL);
EXECUTE i (3, 1, NULL, 'x', '10', NULL);
EXECUTE i (3, 12345678, NULL, 'x', '101', NULL);
PREPARE u AS UPDATE t SET p = $1, v = $2 WHERE a = 1 RETURNING p, v;
EXECUTE u (99, 'z');
EXECUTE u (99, 'long');
PREPARE c AS INSERT INTO t (a, p) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET p = $2, v = $3 RETURNING p, v;
EXECUTE c (1, 0.555, 'qq');
EXECUTE c (1, 0.555, 'qqqq');
PREPARE k AS SELECT $1::varchar(2), $2::numeric(4,1), CAST($3 AS char(3)) || '|';
EXECUTE k ('abcdef', 12.345, 'x');
