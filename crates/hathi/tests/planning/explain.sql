-- 1
explain (costs off) select x, count(*) from a group by x order by x;
-- 2
explain (costs off) select * from a where x = 3 limit 2;
-- 3
explain (costs off) select * from a join b on a.x = b.y where b.t <> 't1';
-- 4
explain (costs off) insert into e values (1, 2);
-- 5
explain (costs off) delete from e where v = 1;
-- 6
explain (costs off) update e set v = v + 1 where id = 1;
-- 7
explain (costs off) select * from a left join b on a.x = b.y and b.id > a.id;
-- 8
explain (costs off) select sum(id) filter (where x > 1) from a having count(*) > 3;
-- 9
explain (costs off) select id from a union all select id from b;
-- 10
explain (costs off, format json) select count(*) from a;
-- 11
explain (costs off) select distinct x from a;
-- 12
explain (costs off) select * from generate_series(1, 10) where generate_series > 3;
-- 13
explain (costs off) values (1, 'a'), (2, 'b');
-- 14
explain (costs off) select * from a where x is not null order by t desc, id nulls first;
-- 15
explain (costs off) select 1;
-- 16
explain (costs off) select * from b where not exists (select 1 from a where a.x = b.y);
