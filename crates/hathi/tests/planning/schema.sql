CREATE TABLE a (id int PRIMARY KEY, x int, t text, n numeric);
CREATE TABLE b (id int PRIMARY KEY, a_id int, y int, t varchar(10));
CREATE TABLE c (id bigint PRIMARY KEY, b_id smallint, z int, w char(4));
CREATE TABLE e (id int, v int);
CREATE INDEX b_a ON b (a_id);
CREATE INDEX c_b ON c (b_id, z);
INSERT INTO a SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE i % 5 END, 't' || i % 4, (i % 6)::numeric / 2 FROM generate_series(1, 40) i;
INSERT INTO b SELECT i, CASE WHEN i % 9 = 0 THEN NULL ELSE i % 45 END, i % 8, 't' || i % 5 FROM generate_series(1, 90) i;
INSERT INTO c SELECT i, CASE WHEN i % 11 = 0 THEN NULL ELSE i % 100 END, i % 10, 'w' || i % 3 FROM generate_series(1, 150) i;
