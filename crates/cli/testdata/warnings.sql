-- What functions warn of comes before the statement's end, and before an error.
\set VERBOSITY verbose
select pg_cancel_backend(99999);
select pg_terminate_backend(99999);
select pg_terminate_backend(99999, 5);
select pg_terminate_backend(99999, -5);
select pg_advisory_unlock(1), pg_advisory_unlock_shared(1,2);
select pg_advisory_lock(7), pg_advisory_unlock(7), pg_advisory_unlock(7);
select pg_cancel_backend(x) from generate_series(99990,99992) x;
set client_min_messages = error;
select pg_cancel_backend(99999);
reset client_min_messages;
prepare p as select pg_cancel_backend($1);
execute p(99999);
execute p(99998);
select pg_advisory_unlock(1), 1/(x-1) from generate_series(1,1) x;
create table told (a int, b bool default pg_advisory_unlock(3));
insert into told values (1), (2);
insert into told select x from generate_series(1,2) x;
update told set b = pg_advisory_unlock(a);
begin;
declare c cursor for select pg_advisory_unlock(a) from told;
fetch 0 from c;
fetch all from c;
commit;
create table copied as select pg_cancel_backend(99996);
copy (select pg_cancel_backend(99995)) to stdout;
explain (analyze, costs off, timing off, summary off, buffers off) select pg_cancel_backend(99994);
select 1;
