select * from rows from (generate_series(1,3), generate_series(5,6)) with ordinality;
select * from unnest(array[1,2], array['a','b','c']) with ordinality as x(a,b,n) where n > 1;
select * from unnest('1 2'::int2vector, '3 4'::int2vector) with ordinality;
select t.x, u.* from (values (array[1,2],array[3])) t(x,y), lateral unnest(t.x, t.y) with ordinality u;
