create table v(a int, b int generated always as (a*2) virtual, c text generated always as ('x'||a) , d int generated always as (a+1) stored, check (b < 100));
insert into v(a) values (1),(2) returning *; insert into v values (5,default,default,default); insert into v values (5,6); insert into v(a) values (60);
select * from v order by a; select b, c from v where b=4; select * from v where c='x5' for update; select sum(b), max(c) from v; select v.b, w.b from v join v w on v.b=w.a*2 order by 1;
update v set a=a+10 where b=4 returning b, old.b, new.c; update v set b=5; update v set b=default where a=12 returning b; delete from v where c='x12' returning *; 
merge into v using (values (1),(7)) s(x) on b=x*2 when matched then update set a=20 when not matched then insert (a) values (x) returning merge_action(), v.*;
insert into v(a) values (1) on conflict do nothing returning b; create view vv as select a, b from v where b > 2; insert into vv(a) values (30) returning *; update vv set a=31 where b=60 returning *; update vv set b=1; delete from vv where b=62 returning b;
create index on v(b); create index on v((b+1)); create table v2(a int, b int generated always as (a) virtual primary key); create table v3(a int, b int generated always as (a) virtual unique); 
alter table v alter b drop expression; alter table v alter d drop expression; alter table v add column e int generated always as (a*100) virtual; select a, e from v order by a;
create table v5 (like v including all);
\d v5
copy (select a from v order by a) to stdout;
select a, (select count(*) from v w where w.b <= v.b) from v order by a; select distinct b from v order by b;
create table s(id int); insert into s select generate_series(1,1000);
select count(*) from s tablesample bernoulli(100); select count(*) from s tablesample system(0); select count(*) between 300 and 700 from s tablesample bernoulli(50); select (select count(*) from s tablesample bernoulli(30) repeatable (5)) = (select count(*) from s tablesample bernoulli(30) repeatable (5));
select count(*) from s tablesample bernoulli(101); select count(*) from s tablesample bernoulli(-1); select count(*) from s tablesample bernoulli(null); select count(*) from s tablesample bernoulli(5) repeatable (null); select * from s tablesample foo(1); select * from s tablesample system(1,2); select * from s tablesample system('a'); with q as (select 1) select * from q tablesample system(1); create view sv as select id from s; select * from sv tablesample system(1);
create view sv2 as select id from s tablesample system (50) repeatable (1.5) where id > 3; select pg_get_viewdef('sv2'), pg_get_viewdef('sv2', true); select count(*) from s x tablesample system(100) where x.id < 11; select count(*) from s tablesample bernoulli(100) a join s b on a.id=b.id;
