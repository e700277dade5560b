begin
begin work
begin transaction isolation level serializable, read only deferrable
begin isolation level read committed read write not deferrable
begin isolation level foo
begin foo
begin isolation
start transaction
start transaction isolation level repeatable read
start
commit
commit work and chain
commit transaction and no chain
commit and
commit prepared 'x'
end
end and chain
rollback
rollback and chain
rollback to x
rollback work to savepoint x
rollback transaction to x
rollback to savepoint
rollback prepared 'x'
abort
abort work
abort to x
savepoint x
savepoint
release x
release savepoint x
release savepoint
prepare transaction 'x'
prepare transaction x
set transaction isolation level read uncommitted
set transaction read only, deferrable
set transaction snapshot 'x'
set transaction
set local transaction read only
set session characteristics as transaction read only
set local x = 1
set session x = 1
set x to 1
set x = a, 'b', 1, 1.5, -3, true, on, off
set x = default
set x to default
set x from current
set a.b = 1
set a.b.c = 1
set x
set x =
set x 1
set x = (1)
set x = 1 + 2
set x = null
set x = select
set time zone 'x'
set time zone utc
set time zone 5
set time zone -5.5
set time zone local
set time zone default
set time zone interval '1' hour to minute
set time zone interval '1' hour
set time zone interval '1' day
set time zone interval(3) '1'
set timezone = 'x'
set time = 5
set names 'utf8'
set names default
set names
set schema 'x'
set schema x
set catalog 'x'
set role r
set role 'r'
set role none
set role
set session authorization r
set session authorization default
set session authorization 'r'
set local session authorization r
set xml option document
set xml option foo
set local role r
set local
set session
set local = 5
set session = 5
set constraints all deferred
set constraints a, s.b immediate
set constraints all
set constraints
reset x
reset all
reset time zone
reset session authorization
reset transaction isolation level
reset a.b
reset
show x
show all
show time zone
show transaction isolation level
show session authorization
show a.b
show
prepare p as select 1
prepare p (int, text) as insert into t values ($1, $2)
prepare p () as select 1
prepare p as create table t ()
prepare p
execute p
execute p (1, 'a', b + 1)
execute p ()
execute
deallocate p
deallocate prepare p
deallocate all
deallocate prepare all
deallocate prepare
deallocate
declare c cursor for select 1
declare c binary insensitive scroll cursor with hold for select 1
declare c no scroll asensitive cursor without hold for values (1)
declare c cursor for insert into t values (1)
declare c cursor
declare c scroll for select 1
fetch c
fetch next from c
fetch next c
fetch next
fetch all from c
fetch all c
fetch 5 from c
fetch 5 c
fetch -5 in c
fetch prior from c
fetch first from c
fetch last in c
fetch absolute 5 from c
fetch relative -5 c
fetch forward c
fetch forward 5 from c
fetch forward all from c
fetch backward from c
fetch backward all c
fetch from c
fetch in c
fetch absolute c
fetch
move c
move forward 5 in c
close c
close all
close
listen x
unlisten x
unlisten *
unlisten
notify x
notify x, 'y'
notify x, y
explain select 1
explain analyze select 1
explain verbose select 1
explain analyze verbose insert into t values (1)
explain verbose analyze select 1
explain (analyze, verbose off, format json, costs false, buffers 1) select 1
explain (format) select 1
explain () select 1
explain (select 1)
explain (analyze) (select 1)
explain (analyze select 1)
explain analyse select 1
explain execute p (1)
explain declare c cursor for select 1
explain create table t as select 1
explain create materialized view v as select 1
explain refresh materialized view v
explain create table t (a int)
explain explain select 1
explain update t set a = 1
explain merge into t using u on true when matched then delete
explain drop table t
explain
explain (analyze 1.5, b -3, c 'x', d select) select 1
analyze
analyze t
analyze verbose t (a, b), u
analyze (verbose, skip_locked) t
analyze (verbose) 
analyze only t
analyse t
vacuum
vacuum t
vacuum full freeze verbose analyze t (a)
vacuum (full, analyze false, parallel 4) t, u
vacuum analyze
vacuum verbose full
vacuum analyze full
reindex index i
reindex table concurrently t
reindex (verbose, tablespace x) schema s
reindex database d
reindex system
reindex database
reindex schema
reindex foo x
reindex
cluster
cluster t
cluster t using i
cluster verbose t using i
cluster (verbose) t
cluster i on t
cluster verbose
checkpoint
checkpoint foo
discard all
discard plans
discard sequences
discard temp
discard temporary
discard
lock t
lock table only t, u in access exclusive mode nowait
lock t in share mode
lock t in row exclusive mode
lock t in share update exclusive mode
lock t in share row exclusive mode
lock t in foo mode
lock t in access mode
lock t in exclusive
lock
do 'x'
do $$ x $$ language plpgsql
do language 'sql' 'x'
do
do x
do 'a' 'b'
call p()
call p(1, a => 2)
call s.p(variadic x)
call p
call p() over ()
load 'x'
load x
truncate t
truncate table only t, u * restart identity cascade
truncate t continue identity restrict
truncate
truncate t restart
refresh materialized view v
refresh materialized view concurrently s.v with no data
refresh view v
comment on table t is 'x'
comment on column t.a is null
comment on function f(int) is 'x'
comment on aggregate a(*) is 'x'
comment on operator + (int, int) is 'x'
comment on constraint c on t is 'x'
comment on constraint c on domain d is 'x'
comment on trigger t on u is 'x'
comment on rule r on t is 'x'
comment on policy p on t is 'x'
comment on type t is 'x'
comment on domain d is 'x'
comment on cast (int as text) is 'x'
comment on large object 5 is 'x'
comment on operator class c using btree is 'x'
comment on text search parser p is 'x'
comment on database d is 'x'
comment on schema s is 'x'
comment on role r is 'x'
comment on index i is 'x'
comment on sequence s is 'x'
comment on view v is 'x'
comment on materialized view v is 'x'
comment on extension e is 'x'
comment on language l is 'x'
comment on procedure p is 'x'
comment on transform for int language l is 'x'
comment on access method m is 'x'
comment on event trigger e is 'x'
comment on server s is 'x'
comment on tablespace t is 'x'
comment on table t is x
comment on table t
comment on foo t is 'x'
comment on user u is 'x'
security label on table t is 'x'
security label for 'p' on column t.a is null
security label for p on function f(int) is 'x'
grant select on t to public
grant select, insert (a, b), update on table t, s.u to r, group g, current_user with grant option granted by current_role
grant all on t to r
grant all privileges on t to r
grant all privileges (a, b) on t to r
grant usage on schema s to r
grant usage on sequence s to r
grant execute on function f(int), g to r
grant execute on procedure p to r
grant execute on routine p(int) to r
grant create on database d to r
grant usage on domain d to r
grant usage on type s.t to r
grant usage on language l to r
grant select on large object 5, 6 to r
grant set on parameter a.b to r
grant create on tablespace t to r
grant usage on foreign data wrapper w to r
grant usage on foreign server s to r
grant select on all tables in schema s, t to r
grant execute on all functions in schema s to r
grant alter system on parameter x to r
grant references (a) on t to r
grant a to b
grant a, b to c with admin option
grant a to b with inherit true, set false granted by c
grant a to b with admin true
grant a to b with foo bar
grant select to r
grant select on to r
grant select on t
grant select on t from r
grant foo on t to r
grant all to r
grant
grant select on schema to r
revoke select on t from public
revoke grant option for select on t from r cascade
revoke all on all tables in schema s from r restrict
revoke a from b
revoke admin option for a from b cascade
revoke a from b granted by c
revoke inherit option for a from b
revoke select on t to r
revoke
reassign owned by a, b to c
reassign owned by a
import foreign schema x from server s into y
import foreign schema x limit to (a, b) from server s into y options (c 'd')
import foreign schema x except (a) from server s into y
import foreign schema x
