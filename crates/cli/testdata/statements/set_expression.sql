create table g(a int, s int generated always as (a*2) stored not null, v int generated always as (a*3) virtual, c text, check (s < 1000), check (v < 2000));
create index on g(s); insert into g(a) values (1),(2);
alter table g alter s set expression as (a*10); select * from g order by a; select a from g where s = 20;
alter table g alter v set expression as (a*7); select * from g order by a; alter table g alter v set expression as (a*1700); alter table g alter s set expression as (a*1000); alter table g alter s set expression as (nullif(a,2)); alter table g alter a set expression as (1); alter table g alter s set expression as (s+1); alter table g alter s set expression as (v+1); alter table g alter s set expression as (random()::int);
select * from g order by a; insert into g(a) values (5) returning *; update g set a = 6 where a = 5 returning *; alter table g alter c set default 'x', alter v set expression as (a + length(c)); insert into g(a) values (9) returning v;
