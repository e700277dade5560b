-- 1 inner joins in any order
select a.id, b.id, c.id from c, b, a where c.b_id = b.id and b.a_id = a.id and a.x = 3 order by 1, 2, 3;
-- 2 left join, condition on the padded side
select a.id, b.id from a left join b on a.id = b.a_id and b.y > 5 where a.x is not null order by 1, 2;
-- 3 left join, NULLs of the padded side refused
select a.id, b.id from a left join b on a.id = b.a_id where b.y > 5 order by 1, 2;
-- 4 left join, NULLs asked for
select a.id, b.id from a left join b on a.id = b.a_id where b.id is null order by 1, 2;
-- 5 left join of a left join
select a.id, b.id, c.id from a left join b on a.id = b.a_id left join c on c.b_id = b.id and c.z = b.y where a.id < 12 order by 1, 2, 3;
-- 6 left join of an inner join
select a.id, b.id, c.id from a left join (b join c on c.b_id = b.id) on a.id = b.a_id where a.id between 3 and 15 order by 1, 2, 3;
-- 7 right join
select a.id, b.id from a right join b on a.id = b.a_id and a.x > 2 order by 2, 1;
-- 8 right join below others
select a.id, b.id, c.id from a right join b on a.id = b.a_id join c on c.b_id = b.id where c.z < 4 order by 3, 2, 1;
-- 9 full join
select a.id, b.id from a full join b on a.id = b.a_id and b.y = a.x order by 1, 2;
-- 10 full join, one side's NULLs refused
select a.id, b.id from a full join b on a.id = b.a_id where a.x = 1 order by 1, 2;
-- 11 full join, both sides' NULLs refused
select a.id, b.id from a full join b on a.id = b.a_id where a.x = 1 and b.y < 6 order by 1, 2;
-- 12 left join, a function that takes NULLs
select a.id, b.id from a left join b on a.id = b.a_id where coalesce(b.y, 7) = 7 order by 1, 2;
-- 13 EXISTS
select id from a where exists (select 1 from b where b.a_id = a.id and b.y = 3) order by 1;
-- 14 NOT EXISTS
select id from a where not exists (select 1 from b where b.a_id = a.id and b.y = 3) order by 1;
-- 15 NOT EXISTS with an inequality beside the equality
select id from b b1 where not exists (select 1 from b b2 where b2.a_id = b1.a_id and b2.id <> b1.id) order by 1;
-- 16 EXISTS without anything to hash
select id from a where exists (select 1 from b where b.id > a.id * 2 and b.y > a.x + 4) order by 1;
-- 17 IN
select id from a where x in (select y from b where b.a_id < 10) order by 1;
-- 18 NOT IN, with NULLs among the values
select id from a where id not in (select a_id from b) order by 1;
-- 19 NOT IN, without
select id from a where id not in (select a_id from b where a_id is not null) order by 1;
-- 20 NOT IN of nothing
select count(*) from a where x not in (select v from e);
-- 21 IN, correlated
select id from a where x in (select y from b where b.a_id = a.id) order by 1;
-- 22 IN with rows
select id from b where (a_id, y) in (select id, x from a) order by 1;
-- 23 scalar aggregate, correlated
select a.id from a where a.x < (select avg(y) from b where b.a_id = a.id) order by 1;
-- 24 count of nothing is zero
select a.id from a where (select count(*) from b where b.a_id = a.id) = 0 order by 1;
-- 25 sum of nothing is NULL
select a.id from a where coalesce((select sum(y) from b where b.a_id = a.id), -1) = -1 order by 1;
-- 26 max in an expression
select a.id from a where a.x + 1 = (select max(y) - 2 from b where b.a_id = a.id and b.id > 20) order by 1;
-- 27 scalar in an OR
select a.id from a where a.x = 4 or a.id = (select min(b.a_id) from b where b.y = a.x) order by 1;
-- 28 EXISTS in an OR
select a.id from a where a.x = 4 or exists (select 1 from b where b.a_id = a.id and b.y = 0) order by 1;
-- 29 EXISTS within EXISTS
select id from a where exists (select 1 from b where b.a_id = a.id and exists (select 1 from c where c.b_id = b.id and c.z = b.y)) order by 1;
-- 30 EXISTS within EXISTS that reads the outermost row
select id from a where exists (select 1 from b where b.a_id = a.id and exists (select 1 from c where c.b_id = b.id and c.z = a.x)) order by 1;
-- 31 IN of a group
select id from a where id in (select a_id from b group by a_id having count(*) > 2) order by 1;
-- 32 IN of a limit
select id from a where id in (select a_id from b where a_id is not null order by a_id desc limit 7) order by 1;
-- 33 EXISTS of an aggregate always is
select count(*) from a where exists (select count(*) from b where b.a_id = a.id and b.y > 100);
-- 34 EXISTS with a limit of none
select count(*) from a where exists (select 1 from b where b.a_id = a.id limit 0);
-- 35 predicates into a union
select * from (select id, x from a union select id, y from b union all select id::int, z from c) u where u.x = 2 and u.id < 30 order by 1, 2;
-- 36 predicates into groups
select * from (select a_id, count(*) n, max(y) m from b group by a_id) g where g.a_id = 5 or g.n > 2 order by 1;
-- 37 predicates into a subquery with expressions
select * from (select id * 2 as d, upper(t) as u from a) s where s.d > 60 and s.u = 'T1' order by 1;
-- 38 OR of both sides
select a.id, b.id from a, b where (a.id = b.a_id and a.x = 1 and b.y = 2) or (a.id = b.a_id and a.x = 2 and b.y = 3) order by 1, 2;
-- 39 equality with a constant on the other side
select a.id, b.id, c.id from a join b on a.id = b.a_id join c on c.b_id = b.id where a.id = 7 order by 1, 2, 3;
-- 40 integers of several widths, as keys
select c.id, b.id from c join b on c.b_id = b.id and c.z = b.y order by 1, 2;
-- 41 strings of several types, as keys
select count(*), min(a.id), max(b.id) from a join b on a.t = b.t;
-- 42 self joins
select x.id, y.id, z.id from b x join b y on x.a_id = y.a_id and x.id < y.id left join b z on z.id = y.id + 1 and z.a_id = x.a_id + 1 order by 1, 2, 3;
-- 43 no condition
select count(*), sum(a.id + e.id) from a, e;
-- 44 condition on nothing
select a.id from a, b where a.id = b.a_id and 1 = 2;
-- 45 USING and its merged columns
select id, a.x, b.y, c.z from a join b using (id) left join c using (id) where id > 30 order by 1;
-- 46 lateral
select a.id, l.id, l.y from a left join lateral (select b.id, b.y from b where b.a_id = a.id order by b.y desc limit 1) l on true where a.id < 10 order by 1;
-- 47 aggregates over joins
select a.x, count(*), count(distinct b.y), sum(b.y) filter (where b.y > 3) from a left join b on a.id = b.a_id group by a.x order by 1;
-- 48 groups of several columns with NULLs
select x, t, n, count(*) from a group by x, t, n order by 1, 2, 3;
-- 49 distinct with NULLs
select distinct a_id, y from b order by 1, 2;
-- 50 nine relations
select count(*) from a a1, a a2, b b1, b b2, c c1, c c2, a a3, b b3, c c3 where a1.id = b1.a_id and b1.id = c1.b_id and a2.id = c1.z and b2.a_id = a2.id and c2.b_id = b2.id and a3.id = c2.z and b3.a_id = a3.id and c3.b_id = b3.id and a1.x = 1 and c3.z = 3;
-- 51 twelve relations
select count(*) from a a1, a a2, a a3, a a4, b b1, b b2, b b3, b b4, c c1, c c2, c c3, c c4 where a1.id = b1.a_id and a2.id = b2.a_id and a3.id = b3.a_id and a4.id = b4.a_id and c1.b_id = b1.id and c2.b_id = b2.id and c3.b_id = b3.id and c4.b_id = b4.id and a1.id = a2.id and a2.id = a3.id and a3.id = a4.id and b1.id = b2.id and b3.id = b4.id and c1.z = 3;
-- 52 common table expressions, twice
with r as (select a_id, sum(y) s from b group by a_id) select r1.a_id, r1.s from r r1 where r1.s = (select max(s) from r) order by 1;
-- 53 a scalar subquery in the select list
select a.id, (select count(*) from b where b.a_id = a.id), (select max(z) from c where c.b_id = a.id) from a where a.id < 9 order by 1;
-- 54 having with a subquery
select a_id, count(*) from b group by a_id having count(*) > (select avg(x) from a where a.id = b.a_id) order by 1;
-- 55 top of an order
select id, t from a order by t desc, id limit 5 offset 3;
-- 56 anti join below an outer join
select a.id, b.id from a left join b on b.a_id = a.id and not exists (select 1 from c where c.b_id = b.id and c.z > 5) where a.id < 15 order by 1, 2;
-- 57 semi join on the padded side
select a.id, b.id from a left join b on b.a_id = a.id where exists (select 1 from c where c.b_id = b.id) and a.id < 15 order by 1, 2;
-- 58 anti join on the padded side
select a.id, b.id from a left join b on b.a_id = a.id where not exists (select 1 from c where c.b_id = b.id and c.z < 7) and a.id < 15 order by 1, 2;
-- 59 is distinct from as a condition
select a.id, b.id from a join b on a.x is not distinct from b.a_id where b.id < 20 order by 1, 2;
-- 60 blank padded strings as keys
select w, count(*) from c where w = 'w1' or w in (select w::char(6) from c where z = 2) group by w order by 1;
