select 1e
select 1.5e+
select 0x
select 0xg
select 0x_
select 0x_1
select 0x1_
select 0xFFFFFFFF, 0xffff_ffff, 0o17, 0b1_0
select 0o8
select 0o18
select 0b
select 0b2
select 0o
select 1_000, 1__0
select 1_
select 100_a
select 1_000.5_0e1_0
select 1._5
select 1.e5
select .5e3, .5, 5.
select .5e
select 1..2
select 1.5.3
select 123abc
select 1.5abc
select 1e5abc
select 0x1$
select 1$
select 1$1
select $1, $2
select $1a
select $1_0
select $99999999999
select $0
select 12345678901234567890, 2147483648
select 'abc
select 'abc''
select "abc
select "abc""
select U&"abc
select U&'abc
select U&'\0041\+000042'
select U&'\12'
select U&'\d800'
select U&'\d800x'
select U&'\dc00'
select U&'\d83d\de00'
select U&'\0000'
select U&'\+110000'
select U&'\\'
select U&'a!0041' uescape '!'
select U&'a!0041' uescape
select U&'a!0041' uescape 1
select U&'a!0041' uescape ident
select U&'a' uescape '+'
select U&'a' uescape 'ab'
select U&'a' uescape 'a'
select U&'a' uescape ' '
select U&'a' uescape ''''
select U&'a!12' uescape '!'
select U&"a!0041" uescape '!' from t
select U&"\0041bc"
select U&"\0000"
select U&""
select U&x
select u & 'x'
select E'a\nb\tc\\d\'e\x41\101\u0041\U00000041'
select E'\u12'
select E'\U1234567'
select E'\u0000'
select E'\U00110000'
select E'\ud800'
select E'\ud800x'
select E'\ud800\n'
select E'\ud800''a'
select E'\udc00'
select E'\ud83d\ude00'
select E'\ud83d\u0041'
select E'\000'
select E'\x00'
select E'\xff'
select E'\xc3\xa9'
select E'\xc3'
select E'\xc3\x28'
select E'\xe2\x82'
select E'a\xffb'
select E'\377'
select E'\777'
select E'\q\z'
select E'\x'
select E'\xg'
select E'abc\
select E'abc\'
select E'abc
select $$abc
select $a$abc$b$
select $a$abc$a$
select $a$a$b$b$b$a$
select $a
select $é$abc$é$
select $1$abc$1$
select a$b$c
select /* abc
select /* a /* b */ c
select /* a /* b */ c */ 1
select 1 -- abc
select 1 -- abc⏎, 2 from
select 'a'⏎'b'
select 'a' 'b'
select 'a' -- c⏎ 'b'
select 'a' /* c */⏎ 'b'
select E'a'⏎'\n'
select 'a'⏎E'b'
select B'101'⏎'01'
select ""
select "" from t
select a."" from t
select B'102'
select X'1g'
select x'abc
select b'101
select N'abc'
select n'abc
select @
select 1 @ 2
select 1 =: 2
select 1 : 2
select \
select {
select }
select ~1, !1, |/ 4
select 1+-2, 1 +- 2, 1*-2, 1<-2
select 1@-2
select 1 @- 2
select 1 ++ 2
select 1 <=> 2
select 1 != 2, 1 <> 2, 1 !=- 2
select 1 /* c */ + /* d */ 2
select 1 */* c */ 2
select 1 *--c⏎ 2
select 1 <-- c⏎ 2
select 1 => 2
select 1 := 2
select :a
select a::int::text
select a:::int
select a ?| b, a ?& b, a #>> b, a @> b, a -> 1 ->> 2
select 1 @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 2
select é, "É", 日本 from ñ
select é é é
select 'é' from 日本 where +
select aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbb ccc
select #
select `
select ^ 1
selec
select 1;;; select 2;
;;
;

   
select 1; selec 2; select 'abc
select 1; select 'abc; selec
insert 'abc
select from from
é
select 'a' as "b" "c"
select 1 as select
select 1 as
select 1   
select (   
select 1 /* c */ as /* d */   
SELECT "a" FROM "b" WHERE 'x' 'y'
SELECT FOO BAR BAZ
select 1 from t where a = 0xZZ
select 9223372036854775808, 1e400, -2147483648, - 9223372036854775808
select $1::int, $2.a, $3[1]
select a.*b
select interval '1' 5
