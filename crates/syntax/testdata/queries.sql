select
select from t
select all from t
select distinct from t
select distinct on (a) b from t
select distinct on () b from t
select all a from t
select all distinct a
select * from t
select * from t, u
select * from t x, u as y, v as z(a, b), w q(c)
select * from t as
select * from t as select
select * from s.t, d.s.t
select * from a.b.c.d
select * from a.b[1]
select * from a.*
select * from only t, only (t), t *
select * from only t *
select * from only (select 1)
select * from (select 1), (select 2) x, (select 3) as y(a)
select * from (values (1,2),(3,4)) v(a,b)
select * from (t)
select * from ((t))
select * from (t join u on true)
select * from (t join u on true) x
select * from (t join u on true) as x(a, b)
select * from ((t join u on true))
select * from ((t join u on true) x)
select * from ((t join u on true) x join v on true)
select * from ((select 1) x)
select * from ((select 1) x join t on true)
select * from ((select 1))
select * from ((select 1) union select 2) x
select * from (((select 1)))
select * from ((select 1) order by 1) x
select * from t join u on true join v on true
select * from t join u join v on true on true
select * from t join u join v on true
select * from t cross join u cross join v
select * from t join u cross join v on true
select * from t cross join u on true
select * from t natural join u natural left join v
select * from t natural join u on true
select * from t join u
select * from t join u using (a, b), v left join w using (c) as x
select * from t join u using ()
select * from t join u using (a) x
select * from t inner join u on a, v left outer join w on b, x right join y on c full outer join z on d
select * from t outer join u on a
select * from t left u
select * from t left join u
select * from t inner u
select * from t, lateral (select 1) x, lateral f(1) y
select * from lateral t
select * from lateral (t join u on true)
select * from f(1), f(1) with ordinality, f(1) as x, f(1) x(a, b), f(1) as x(a int, b text), f(1) as (a int), f(1) with ordinality as x(a,b)
select * from f(1) (a int)
select * from f(1) x(a, b int)
select * from f(1) x(a int collate "C")
select * from f(1) x()
select * from f
select * from s.f(1), current_date, cast(1 as int), coalesce(1, 2) x
select * from f(1) over w
select * from f(1) filter (where true)
select * from f(variadic a) x
select * from rows from (f(1), g(2)) x, rows from (f(1) as (a int)) with ordinality
select * from rows from (f(1)
select * from rows from ()
select * from rows
select * from t tablesample system (1), u as x tablesample bernoulli (1) repeatable (2)
select * from t tablesample system
select * from t tablesample system (1) x
select * from xmltable('a' passing b columns c int path 'd', e for ordinality) x
select * from xmltable(xmlnamespaces('a' as b, default 'c'), 'a' passing b columns c int path 'd' default 1 not null)
select * from xmltable('a' passing b columns c int not null null)
select * from xmltable('a' passing b columns c int default 1 default 2)
select * from xmltable('a' passing b columns c int foo 1)
select * from json_table(a, '$' columns (b int path '$.b', c for ordinality, nested path '$.d' columns (e text))) x
select * from json_table(a, '$' as p columns (b int exists path '$.b', d jsonb format json path '$' with wrapper) error on error)
select * from json_table(a, b columns (c int))
select * from json_table(a, '$')
select * from t where a
select * from t where
select * from t where a where b
select * from t group by a, b
select * from t group by
select * from t group by (), (a, b), rollup (a, b), cube (a), grouping sets ((a), (b, c), (), rollup (d))
select * from t group by distinct a
select * from t group by all a
select * from t group by rollup
select * from t group by rollup ()
select * from t group by grouping sets
select * from t group by grouping sets ()
select * from t group by cube (a, (b, c))
select * from t having a
select * from t group by a having b
select * from t having a group by b
select * from t window w as (), v as (w order by a)
select * from t window w
select * from t window w as (partition by a), 
select * from t order by a, b desc, c asc nulls first, d using <, e using operator(pg_catalog.>) nulls last
select * from t order by
select * from t order a
select * from t order by a using
select * from t order by a nulls
select * from t order by a asc desc
select * from t limit 1
select * from t limit all
select * from t limit null
select * from t limit 1 offset 2
select * from t offset 2 limit 1
select * from t limit 1, 2
select * from t limit
select * from t limit 1 limit 2
select * from t offset 1 offset 2
select * from t offset 1 rows
select * from t offset 1 row fetch first 2 rows only
select * from t offset 1 + 1 rows
select * from t fetch first row only
select * from t fetch next 5 rows only
select * from t fetch first 5 rows with ties
select * from t order by a fetch first 5 rows with ties
select * from t order by a fetch first 5 rows with ties for update skip locked
select * from t fetch first -5 rows only
select * from t fetch first (1+2) rows only
select * from t fetch first 1+2 rows only
select * from t fetch 5 rows only
select * from t fetch first 5 only
select * from t fetch first 5 rows
select * from t limit 1 fetch first 1 row only
select * from t for update
select * from t for update of t, u nowait for share skip locked for no key update for key share
select * from t for read only
select * from t for update limit 1
select * from t limit 1 for update
select * from t for update order by a
select * from t for
select * from t for update of
select * from t for no update
select * from t order by a for update limit 1 offset 2
select 1 union select 2
select 1 union all select 2 intersect select 3 except all select 4
select 1 union distinct select 2
select 1 union
select 1 union select
select 1 union 2
select 1 order by 1 union select 2
select 1 limit 1 union select 2
(select 1 limit 1) union (select 2 order by 1)
(select 1) union (select 2) order by 1 limit 1
(select 1)
((select 1))
((select 1)) limit 1
(select 1 limit 1) limit 2
(select 1 order by 1) order by 2
(select 1 offset 1) offset 2
(select 1 limit 1) offset 2
(select 1 for update) for share
(with a as (select 1) select 2) order by 1
with b as (select 1) (with a as (select 1) select 2)
with b as (select 1) (select 2)
(select 1) + 1
(select 1), 2
(1)
(select 1
select 1)
values (1), (2, 3)
values (1) order by 1 limit 1
values ()
values 1
values (default, 1)
table t
table only t
table s.t order by 1
table t where a
table (select 1)
table
with a as (select 1) select * from a
with recursive a(b, c) as (select 1 union all select 2) select * from a
with a as materialized (select 1), b as not materialized (select 2) select 1
with a as (insert into t values (1) returning *) select 1
with a as (update t set a = 1 returning *), b as (delete from t), c as (merge into t using u on true when matched then delete) select 1
with a as (create table t ()) select 1
with a (select 1) select 1
with a as select 1
with a as (select 1)
with a as (select 1), select 1
with a as (select 1) values (1)
with a as (select 1) table a
with a as (select 1) insert into t select * from a
with a as (select 1) update t set b = 1
with a as (select 1) delete from t
with a as (select 1) create table t ()
with recursive a as (select 1) search breadth first by b, c set d select 1
with recursive a as (select 1) search depth first by b set d cycle e set f using g select 1
with recursive a as (select 1) cycle e set f to 'x' default 'y' using g select 1
with recursive a as (select 1) cycle e set f to a default b using g select 1
with recursive a as (select 1) cycle e set f to -1 default b using g select 1
with recursive a as (select 1) search first by b set c select 1
with time as (select 1) select 1
with ordinality as (select 1) select 1
with a as (with b as (select 1) select 2) select 3
select * into t from u
select * into temp t from u
select * into temporary table t from u
select * into unlogged t from u
select * into table t from u
select * into local temp t from u
select into t from u
select * from u into t
select 1 into t union select 2
select a into b, c
insert into t values (1)
insert into t default values
insert into t (a, b) values (1, default), (2, 3)
insert into t (a[1], b.c) values (1, 2)
insert into t () values ()
insert into t as x (a) select 1
insert into t x values (1)
insert into t (select 1)
insert into t ((select 1))
insert into t (a) (select 1)
insert into t (values (1))
insert into t (values) values (1)
insert into t (with a as (select 1) select 2)
insert into t table u
insert into t overriding system value values (1)
insert into t (a) overriding user value select 1
insert into t overriding value values (1)
insert into t values (1) on conflict do nothing
insert into t values (1) on conflict (a, lower(b), (c + 1) collate "C" text_ops) where d do update set e = excluded.e, (f, g) = (1, 2) where h returning *
insert into t values (1) on conflict on constraint x do nothing
insert into t values (1) on conflict do update set a = 1
insert into t values (1) on conflict do select
insert into t values (1) on conflict () do nothing
insert into t values (1) on conflict a do nothing
insert into t values (1) on conflict
insert into t values (1) returning *, a as b, old.a, new.b
insert into t values (1) returning with (old as o, new as n) o.a, n.b
insert into t values (1) returning with (old o) o.a
insert into t values (1) returning
insert into t select 1 from u on conflict do nothing
insert t values (1)
insert into values (1)
insert into t (a.*) values (1)
insert into t (a.*.b) values (1)
insert into t set a = 1
insert into s.t.u.v values (1)
update t set a = 1
update t set a = 1, b = default, c[1] = 2, d.e = 3 where f
update t x set a = 1
update t as x set a = 1 from u, v where a returning *
update only t set a = 1
update t set
update t set set = 1
update t set x set a = 1
update t as set set a = 1
update set set set = 1
update t set (a, b) = (1, 2), (c) = row(1), (d, e) = (select 1, 2)
update t set (a, b) = 1
update t set () = 1
update t set a := 1
update t set a = 1 where current of c
update t set a = 1 where current
update t a = 1
update t.a.b.c set a = 1
update t set a.* = 1
delete from t
delete from t as x using u, v where a returning a
delete from only t where current of c
delete t
delete from t where
delete from t x set
delete from t set
delete from t using
merge into t using u on a when matched then update set a = 1 when not matched then insert (a, b) values (1, 2)
merge into t as x using (select 1) y on true when matched and a > 1 then delete when not matched by source then do nothing when not matched by target then insert default values returning merge_action(), *
merge into t using u on true when not matched then insert overriding user value values (1)
merge into t using u on true when not matched then insert (a) overriding system value values (default)
merge into t using u on true
merge into t using u when matched then delete
merge into t using u on true when matched then insert values (1)
merge into t using u on true when not matched then delete
merge into t using u on true when not matched by source then insert values (1)
merge into t using u on true when not matched then insert select 1
merge t using u on true when matched then delete
merge into t using u on true when matched then nothing
merge into only t using u on true when matched then do nothing
with a as (select 1) merge into t using a on true when matched then delete
copy t from stdin
copy t (a, b) from '/x' with (format csv, header, delimiter ',', null '', force_quote *, force_not_null (a, b), default 'x')
copy t to stdout csv header quote as '"' escape '"' force quote a, b force not null c
copy t to stdout with binary
copy binary t from stdin
copy t from stdin using delimiters '|'
copy t from stdin delimiters '|' with null as 'x'
copy (select 1) to stdout
copy (insert into t values (1) returning *) to stdout with (format text)
copy (select 1) from stdin
copy t from program 'x'
copy t from program stdin
copy t to program stdout
copy t from stdin where a > 1
copy t to stdout where a > 1
copy t from stdin (format csv) where a
copy t from stdin csv where a
copy t from stdin freeze
copy t from stdin encoding 'x'
copy t from stdin with (force_null *)
copy t from stdin with (on_error ignore, log_verbosity 'verbose', reject_limit 5)
copy t from stdin with ()
copy t from stdin foo
copy t
copy t from
copy from stdin
copy t from x
copy t from stdin force x
copy t from stdin with (header true, freeze on, foo 1.5, bar -3, baz (x, 'y', true))
copy t from stdin with (null default)
