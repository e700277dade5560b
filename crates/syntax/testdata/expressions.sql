select 1 + 2 * 3 ^ 4 ^ 5
select a < b < c
select a = b = c
select a < b = c
select (a < b) < c
select a is null is null
select a = b is null = c
select a is distinct from b is null
select a is null = c
select a like b like c
select a like b = c
select a = b like c
select a between 1 and 2 between 3 and 4
select a between 1 and 2 and 3
select a between b and c and d between e and f
select a between symmetric 1 and 2, a not between asymmetric 2 and 3
select a between 1 and 2 = 3
select a between b = c and d
select a between b is null and d
select a between b in (1) and d
select a between b like c and d
select a between not b and d
select a in (1) in (true)
select a in (1,2) = true
select a in ()
select a in (select 1)
select a in ((select 1))
select a in ((select 1), 2)
select a in (((select 1) union select 2))
select a in (values (1))
select a in 1
select a not in (1, 2) and b not like 'c' and d not ilike 'e' and f not similar to 'g'
select a like 'b' escape 'c', a ilike 'b' escape 'c', a similar to 'b' escape 'c'
select a like 'b' escape 'c' escape 'd'
select a like any (array['b']), a not like all (array['b']), a ilike some (array['b'])
select a similar to any (array['b'])
select a similar
select a = any (array[1,2]) , a <> all (select 1), a operator(pg_catalog.=) some (b)
select a = any (select 1) = b
select a = any ((select 1))
select a = any (1, 2)
select a = any array[1]
select a + any (b)
select not a = b
select not not a
select 1 = not true
select not a is null, not a in (1)
select a and not b or c
select -a ^ b, - - a, + - a, -(1)
select @ a + b, !! a
select a operator(pg_catalog.+) b, operator(pg_catalog.-) b, a operator(+) b
select a operator b
select a operator(pg_catalog.foo) b
select a operator(pg_catalog.) b
select a at time zone 'x', a at local, a at time zone 'x' at time zone 'y'
select a at
select a at time
select a at from t
select a collate "C", a collate pg_catalog."C" || b
select a::int, a::int[], a::int[3][], a::int array, a::int array[3], a::pg_catalog.int4
select a::int array[3][4]
select a::int[a]
select a::setof int
select a::numeric(10,2), a::varchar(10), a::char, a::"char", a::bit(3), a::bit varying(5)
select a::int(5)
select a::foo(1,2), a::s.foo(1)
select a::timestamp(3) with time zone, a::time without time zone, a::time with time zone
select a::timestamp with time
select a::timestamp(3,4)
select a::double precision, a::double, a::float(10), a::float(30)
select a::float(0)
select a::float(54)
select a::interval, a::interval year to month, a::interval second(3), a::interval(3), a::interval day to second(2)
select a::interval month to year
select a::interval year to day
select a::interval second to minute
select a::interval(3) day
select a::national character varying(3), a::nchar(2), a::national char
select a::character varying, a::varchar(-1)
select a::varchar(a)
select interval '1' year, interval '1 day', interval(3) '1', interval '1' day to second(3)
select interval(3) '1' day
select date '2020-01-01', timestamp '2020-01-01', timestamptz 'x', time '1:00', time with time zone '1:00'
select int '5', int4 '5', float8 '1.5', numeric(3,2) '1.5', bool 't', varchar(3) 'abc', char 'abc', bit '101'
select pg_catalog.date 'x', foo.bar 'baz', foo.bar(1,2) 'baz'
select f(a := 1) 'x'
select f(1 order by 2) 'x'
select f() 'x'
select f(distinct 1) 'x'
select f(*) 'x'
select int, bigint, char, float from t
select int(5)
select int.a from t
select float(5)
select float(5) '1'
select timestamp from t
select time(3)
select interval
select double precision
select double precision 'x'
select null, true, false, unknown
select cast(a as int), cast(a as int[]), cast(a int)
select case when a then b end, case a when 1 then 2 else 3 end
select case end
select case a end
select case when a then b
select case when a b end
select coalesce(a, b), coalesce(), nullif(a, b), greatest(1), least(1,2)
select nullif(a)
select nullif(a, b, c)
select coalesce()
select greatest
select coalesce from t
select extract(year from a), extract('year' from a), extract(foo from a), extract(second from a)
select extract(year, a)
select extract(from a)
select extract("x" from a)
select overlay(a placing b from c for d), overlay(a placing b from c), overlay(a, b, c), overlay()
select overlay(a placing b)
select position(a in b), position(a + 1 in b)
select position(a, b)
select position(a in b in c)
select substring(a from b for c), substring(a for b), substring(a for b from c), substring(a from b), substring(a, b), substring(a similar b escape c)
select substring(a similar b)
select substring()
select substring
select trim(a), trim(both a from b), trim(leading from b), trim(trailing a from b, c), trim(a from b), trim(both a)
select trim()
select treat(a as b)
select normalize(a), normalize(a, nfc), a is normalized, a is nfkc normalized, a is not nfd normalized
select normalize(a, 'nfc')
select a is nfc
select collation for (a)
select collation
select current_date, current_time, current_time(3), current_timestamp, localtime(2), localtimestamp
select current_date(3)
select current_time()
select current_user, user, session_user, system_user, current_role, current_catalog, current_schema, current_schema()
select current_user()
select f(), f(1), f(1, 2), f(*), f(distinct a), f(all a), f(variadic a), f(1, variadic a), f(a order by b)
select f(variadic a, b)
select f(variadic distinct a)
select f(distinct *)
select f(,)
select f(a,)
select f(a := 1, b => 2, 3)
select f(a.b := 1)
select f("a" := 1, left := 2)
select f(a order by b) within group (order by c)
select f(distinct a) within group (order by c)
select f(variadic a) within group (order by c)
select f(a) within group (order by c) filter (where d) over (partition by e)
select f(a) within group (c)
select f(a) filter (d)
select f(a) filter (where d)
select f(a) filter
select f(a) over w, f(a) over (w), f(a) over ()
select f(a) over (w partition by a order by b rows between unbounded preceding and current row exclude ties)
select f(a) over (partition by a, b order by c desc nulls last)
select f(a) over (rows unbounded preceding), f(a) over (range 1 preceding), f(a) over (groups between 1 following and 2 following)
select f(a) over (rows unbounded following)
select f(a) over (rows between unbounded following and current row)
select f(a) over (rows 1 following)
select f(a) over (rows between current row and 1 preceding)
select f(a) over (rows between 1 following and 1 preceding)
select f(a) over (rows between 1 following and current row)
select f(a) over (rows between current row and unbounded preceding)
select f(a) over (rows between 1 preceding)
select f(a) over (rows current row exclude no others), f(a) over (rows current row exclude group), f(a) over (rows current row exclude current row)
select f(a) over (rows current row exclude)
select f(a) over (order by a range interval '1 day' preceding)
select f(a) over (partition)
select f(a) over (range)
select f(a) over
select left(a, 1), right(a, 1), left.a
select left
select left.f(1)
select s.f(1), d.s.f(1), s.left(1)
select a.b.c.d.e.f
select a.*, a.b.*, *, f(*), f(a.*)
select a.*.b
select a.* + 1
select * + 1
select a[1], a[1:2], a[:], a[1:], a[:2], a[1][2], a.b[1].c
select a[]
select a[1
select (a).b, (a).*, (a)[1], (f(x)).y.z[1]
select (a).*.b
select f(x).y
select f(x)[1]
select array[1,2,3][1]
select 'a'[1]
select array[1,2], array[[1,2],[3,4]], array[], array(select 1), array[array[1], array[2]]
select array[[1,2],3]
select array[1,[2]]
select array
select array(1)
select row(1,2), row(), row(a.*), (1,2), (1)
select ()
select (1,)
select row
select row(1,2) = (1,2), (1,2) < row(3,4)
select (1,2) overlaps (3,4), row(1,2) overlaps row(3,4), (1,2) overlaps row(3,4)
select (1,2,3) overlaps (3,4)
select (1,2) overlaps (3,4,5)
select (1) overlaps (2)
select (1,2) overlaps 3
select 1 overlaps 2
select exists (select 1), not exists (select 1)
select exists (1)
select exists
select exists from t
select (select 1), ((select 1)), (select 1) + 1, ((select 1) + 1), (select 1).a, ((select 1) union (select 2))
select (select 1) + (select 2) as x
select ((select 1), 2)
select ((select 1) order by 1)
select (select 1 union)
select grouping(a, b)
select grouping()
select grouping
select default
select default + 1
select unique (select 1)
select a is document, a is not document, a is json, a is json object, a is not json array with unique keys, a is json scalar without unique
select a is json value
select a is
select a is not
select a is unknown, a is not unknown, a is true, a is not false, a isnull, a notnull
select a isnull isnull
select a is of (int)
select xmlconcat(a, b), xmlelement(name foo), xmlelement(name foo, xmlattributes(a as b, c), d), xmlforest(a as b, c), xmlparse(document a), xmlparse(content a preserve whitespace), xmlpi(name foo, a), xmlroot(a, version no value, standalone yes), xmlserialize(content a as text), xmlexists(a passing b)
select xmlelement(foo)
select xmlparse(a)
select xmlroot(a)
select xmlexists(a passing by ref b by ref)
select xmlserialize(document a as text indent), xmlserialize(document a as text no indent)
select json_object('a': 1, 'b' value 2), json_object(), json_object(a, b), json_object('a': 1 null on null with unique keys returning text)
select json_object('a': 1 absent on null)
select json_object(key 'a' value 1)
select json_array(1, 2), json_array(), json_array(select 1), json_array(1 null on null returning jsonb)
select json_objectagg('a': b), json_arrayagg(a order by b), json_arrayagg(a) filter (where b) over (order by c)
select json('1'), json_scalar(1), json_serialize('1' returning bytea), json('1' with unique)
select json '1', json, json.a from t
select json_value(a, '$.b'), json_query(a, '$' with wrapper), json_exists(a, '$' passing 1 as x), json_value(a, '$' returning int default 1 on empty error on error)
select json_query(a, '$' keep quotes on scalar string), json_query(a, '$' without array wrapper omit quotes null on empty)
select json_value(a)
select json_object('a' 1)
select json_value(a, '$' null on foo)
select merge_action()
select a foo, a "foo", a as foo, a as select, a name, a value
select a year
select a over
select a from
select a is null from t
select a and
select a in
select a between
select a like
select a and from t
select a or, b
select 1 between from t
select 1 is from t
select 1 not from t
select 1 not
select a nulls
select a nulls first
select a nulls from t
select a format
select a format json
select a collate
select a escape
select a authorization
select a binary, a cross, a left, a natural
select a isnull
select a not between
select a similar to
select a operator
select a default
select a unbounded, a current, a preceding
select a.b.c(d).e
select a = b c
select a b c
select $1.a.b[1]
select 1::int4 + 2::text || 'a'
select (((((1)))))
select (((((1))))
select (((((1))))))
select 1 where
select a +
select + 
select * from
select a,
select ,a
select a from t,
select a.
select a.1
select a .b
select a. b
select current_schema.a
select "current_schema".a
select a -> 'b' ->> 'c' = 'd' and e
select a || b like c || d
select a + b is distinct from c * d
select 2 - -2, 2--2
select a between 1 and 2 or b
select f(a, b => c, d)
select f(a => )
select a[b => c]
select date
select date(a), date 'x' + 1
select timestamp with time zone 'x'
select timestamp(3) with time zone 'x', time(2) 'y'
select timestamp with foo
select nchar 'x', nchar(3) 'x', character varying(3) 'x', national character 'x', bit varying(3) '101'
select varying 'x'
select setof
select setof 'x'
select (a.b).c, (a.b.c).d
select a.b c, d.e as f
