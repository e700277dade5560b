#!/usr/bin/env python3
"""Records what a real PostgreSQL 18 makes of the inputs below, as the vectors of this crate's tests.

Usage: record.py PSQL-ARGUMENTS...    e.g. record.py -h /tmp -p 54391 -U postgres
Needs a database of encoding UTF8 and locale C. Writes io.tsv, order.tsv, numeric_ops.tsv, datetime_ops.tsv here.
"""
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
random.seed(20261121)

TYPES = {}  # type -> list of (typmod, settings, input)


def add(typ, *inputs, typmod=-1, **settings):
    key = ";".join(f"{k}={v}" for k, v in sorted(settings.items()))
    TYPES.setdefault(typ, []).extend((typmod, key, i) for i in inputs)


# Booleans, integers.
add("bool", "t", "f", "true", "false", "TRUE", "tru", "tr", "yes", "y", "ye", "no", "n", "on", "of", "off", "o", "1", "0",
    "2", "", " ", " t ", "\tfalse\n", "truee", "yess", "onn", "10", "nul", "Ω")
INTS = ["0", "1", "-1", "+5", " 12 ", "12 3", "", " ", "-", "+", "abc", "1.5", "1e3", "0x1F", "0X1f", "-0x10", "0o17", "0b101",
        "0x", "0o8", "0b2", "1_000", "1__0", "_1", "1_", "0x_1F", "0xF_F", "0_1", "32767", "32768", "-32768", "-32769",
        "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "-9223372036854775809", "99999999999999999999999", "0x7FFF", "0x8000", "-0x8000",
        "0x7FFFFFFFFFFFFFFF", "0x8000000000000000", "-0x8000000000000000", "00012", "--1", "1 -", "\u00a01", "１", "0b", "+0x1", "0x1G"]
for t in ("int2", "int4", "int8"):
    add(t, *INTS)
for t in ("oid", "xid", "cid", "xid8"):
    add(t, "0", "1", " 5 ", "4294967295", "4294967296", "-1", "-2147483648", "-2147483649", "0x10", "010", "08", "abc", "", "1a",
        "1 a", "18446744073709551615", "18446744073709551616", "+7", "1_0", " ")
add("tid", "(0,1)", "(4294967295,65535)", "(4294967296,1)", "(1,65536)", "( 1 , 2 )", "(1,2", "1,2", "(a,b)", "", "(-1,1)", "(0,1)x", "(1, 2)", "(1 ,2)")
add("pg_lsn", "0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "1FFFFFFFF/0", "0/", "/0", "g/0", "", "0", "ab/cd", " 0/0", "0/0 ")

# Floats.
FLOATS = ["0", "-0", "1", "-1", "1.5", "0.1", "0.2", "0.3", "1e10", "1e14", "1e15", "1e16", "123456", "1234567", "999999", "1000000",
          "123456789012345", "1234567890123456", "12345678901234567", "1e-4", "1e-5", "0.0001", "0.00001234", "1e23", "8.41e21", "2.0e-5",
          "9007199254740993", "5e-324", "4.9e-324", "2e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "1.8e308", "1e400", "1e-400",
          "-1e400", "NaN", "nan", "-nan", "inf", "-inf", "+inf", "Infinity", "-Infinity", "infinit", "infinityx", " 1 ", "1 x", "", " ", "abc", ".5",
          "5.", ".", "1e", "1e+", "1e5x", "0x1p3", "0x1.8", "0x10", "1_000", "3.4028235e38", "3.5e38", "1e-45", "1e-46", "1.17549435e-38",
          "33554432", "16777216", "16777217", "0.3333333333333333", "1.1", "1e22", "1e21", "4503599627370496.5", "--1", "+-1", "1e1000000000000",
          "3.1415926535897932384626", "2.718281828459045", "100", "1000.001", "1e6", "1e5", "123.456e2", "0e1000", "00001.5", "1,5"]
for t in ("float4", "float8"):
    add(t, *FLOATS)
    for d in (0, -3, 3, -15):
        add(t, "0.1", "1e15", "123456.789", "1e-7", "3.14159265358979", "NaN", "12345678", "999999.5", "1e23", extra_float_digits=d)
def random_float():
    m = random.choice([random.random(), random.randrange(1, 10**random.randrange(1, 18)), 2.0**random.randrange(-60, 60)])
    return repr(m * 10.0**random.randrange(-30, 30))
add("float8", *[random_float() for _ in range(200)], *[repr(2.0**e) for e in range(-70, 90, 3)], *[repr(float(10**e)) for e in range(0, 40)])
add("float8", *[repr(random.randrange(2**52, 2**53) * 2.0**random.randrange(-10, 40)) for _ in range(150)])
add("float4", *[random_float() for _ in range(200)], *[repr(2.0**e) for e in range(-70, 90, 3)], *[repr(float(10**e)) for e in range(0, 30)])

# Numeric.
NUMERICS = ["0", "-0", "0.00", "1", "-1.50", "+2.25", ".5", "5.", ".", "", " ", " 12.3 ", "1e3", "1E-3", "1.5e2", "1.5e-2", "-1e10", "1e", "1e+",
            "1ee5", "1_000.5", "1_000_000", "1__0", "_1", "1_", "1._5", "1_.5", "1.5_5", "1e1_0", "0x1F", "-0x1f", "0o17", "0b11", "0x", "0xfffffffffffffffffffff",
            "0x1_F", "0x_1", "NaN", "nan", " nan ", "-nan", "+NaN", "inf", "-inf", "Infinity", "+Infinity", "-infinity", "infinit", "infx", "nanx",
            "1 2", "abc", "1a", "--1", "99999999999999999999999999999999999999999.99999999999999999999", "9223372036854775807", "9223372036854775808",
            "-9223372036854775807", "-9223372036854775808", "-9223372036854775809", "170141183460469231731687303715884105727",
            "170141183460469231731687303715884105728", "-170141183460469231731687303715884105728", "1e100", "1e-100", "1e-130", "0.000000000000001", "1e131071",
            "1e131072", "9e131071", "1e-16383", "1e-16384", "1e1000000000", "1e-1000000000", "1e2147483648", "0e1000000", "0e-5", "0e200000", "123456789.123456789", "10000", "9999",
            "10000.0001", "100000000", "0.0001", "0.00010000", "00000123", "0.1e5", "0.00e2", "12345678901234567890e-10", "1e5.5", "１", "12é"]
add("numeric", *NUMERICS)
def nmod(p, s):
    return ((p << 16) | (s & 0x7ff)) + 4
for p, s in ((5, 2), (3, 0), (3, 5), (4, -2), (10, 10), (1000, 1000), (2, -3), (38, 10)):
    add("numeric", "0", "1.005", "-1.005", "999.99", "999.994", "999.995", "999.999", "1000", "0.00999", "0.009994", "0.009995", "12345", "12350", "994999", "995000",
        "1e10", "NaN", "inf", "-inf", "0.5", "0.00000000005", "-99999", "49", "50", "499", "500", "0.9999999999", typmod=nmod(p, s))
def random_numeric(big=False):
    n = random.choice([1, 2, 4, 5, 8, 12, 18, 19, 20, 30, 38, 39, 45] + ([100, 300] if big else []))
    digits = "".join(random.choice("0123456789") for _ in range(n))
    if random.random() < 0.3:
        k = random.randrange(0, n); digits = digits[:k] + random.choice("09") * (n - k)
    s = random.choice([0, 0, 1, 2, 3, 4, 5, 8, 10, 16, 20, n, n + 5])
    if s >= len(digits):
        digits = "0" * (s - len(digits) + 1) + digits
    text = digits[: len(digits) - s] + ("." + digits[len(digits) - s:] if s else "")
    return random.choice(["", "", "-"]) + text
add("numeric", *[random_numeric(True) for _ in range(250)])

# Text.
TEXTS = ["", "a", "abc", "abcde", "abcdef", "abc  ", "abcde   ", " abc", "äöü", "äöüßé", "äöüßéx", "日本語テキスト", "a\tb\nc", "back\\slash", "quo'te", "zzz", "A", "B", "a b",
         "\x01", "ÿ", "x" * 70, "é" * 40, "x" * 62 + "é", "😀😀😀"]
for t in ("text", "varchar", "bpchar", "name", "char"):
    add(t, *TEXTS)
for t in ("varchar", "bpchar"):
    add(t, *TEXTS, typmod=9)
    add(t, *TEXTS, typmod=5)
add("char", "\\101", "\\377", "\\40", "\\", "\\200", "ab")
add("bytea", "", "abc", "\\x", "\\x00ff", "\\xDEADbeef", "\\x1", "\\xzz", "\\x 01 02", "\\x0 1", "\\000", "\\377", "\\400", "\\12", "\\\\", "a\\", "äb", "\\x01é", "a\\134b", "\\X01", "\\xa\tb")
add("bytea", "", "abc", "\\x00ff41", "\\\\", "é", "'", bytea_output="escape")
add("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
    "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 ",
    "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0-eebc999c0b4ef8bb6d6bb9bd380a11", "g0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-", "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1é")
BITS = ["", "0", "1", "101", "B101", "b0011", "xF", "XaB", "x", "b", "2", "xG", "10101010101", "1 0", "00000000", "000000001", "x1f2", "1é"]
for t in ("bit", "varbit"):
    add(t, *BITS)
    add(t, *BITS, typmod=3)
    add(t, *BITS, typmod=11)

# Dates and times.
DATES = ["1999-01-08", "January 8, 1999", "1/8/1999", "1/18/1999", "01/02/03", "1999-Jan-08", "Jan-08-1999", "08-Jan-1999", "99-Jan-08", "08-Jan-99", "Jan-08-99", "19990108", "990108",
         "1999.008", "J2451187", "January 8, 99 BC", "2000-02-29", "1999-02-29", "1900-02-29", "2000-13-01", "2000-00-10", "2000-01-00", "2000-01-32", "4713-01-01 BC", "4714-11-24 BC",
         "4714-11-23 BC", "5874897-12-31", "5874898-01-01", "294276-12-31", "294277-01-01", "infinity", "-infinity", "+infinity", "inf", "epoch", "0001-01-01", "0001-01-01 BC", "0000-01-01", "1-1-1", "99-1-1", "69-1-1", "70-1-1",
         "2024-02-30", "2024-04-31", "2024-6-1", "2024-06-01 10:20:30", "2024-06-01T10:20:30Z", "2024-06-01 25:00", "", " ", "abc", "tomorrowx", "1999-01-08x", "1999/01/08", "1999.01.08", "08.01.1999",
         "18/1/1999", "31/12/99", "12/31/99", "Jan 8 1999", "8 Jan 1999", "1999 Jan 8", "1999 8 Jan", "Fri Jan 8 1999", "Friday, January 8, 1999", "Jan 1999", "1999 Jan", "1999", "1999-01", "Jan 8", "2024-366", "2024-060", "2023.366", "2024.366",
         "20240601", "240601", "2024060", "20240631", "20241301", "10000-01-01", "10000101", "100000101", "1000000-01-01", "2024-06-01 BC", "2024-06-01 AD", "BC 2024-06-01", "bc", "2024-06-01 ad bc", "May 1, 2024", "MAY-1-2024", "sept 5 2020", "septe 5 2020",
         "2024--06-01", "2024-06--01", "2024-06-01-", "-2024-06-01", "2024/06-01", "2024-06/01", "1 1 1", "12 25 2020", "25 12 2020", "2020 12 25", "99 12 25", "J0", "J2440588.5", "Julian 2440588", "j", "J-1", "2024-06-01 noon", "allballs", "2024-06-01 allballs",
         "2024-06-01,10:00", "2024-06-01 at 10:00", "on 2024-06-01", "2024年", "１999-01-08", "2024-06-01+02", "99999999999-01-01", "2024-99999999999-01", "1/2/3/4", "1999-01-08 08-Jan-1999", "Jan Feb 1999", "monday", "dow 3", "d 5", "y2001m02d04", "1999-01-08 04:05 J2451187"]
for order in ("MDY", "DMY", "YMD"):
    add("date", *DATES, datestyle=f"ISO, {order}")
for style in ("SQL", "Postgres", "German"):
    for order in ("MDY", "DMY"):
        add("date", "1999-01-08", "0044-03-15 BC", "infinity", "12345-06-07", "0999-01-02", datestyle=f"{style}, {order}")
TIMES = ["04:05:06.789", "04:05:06", "04:05", "040506", "0405", "4", "04", "04:05 AM", "04:05 PM", "12:00 AM", "12:00 PM", "13:00 PM", "13:00 AM", "00:00 AM", "0:00 PM", "04:05:06.789-8", "04:05:06-08:00", "04:05-08:00", "040506-08", "040506+0730",
         "040506+07:30:00", "04:05:06 PST", "2003-04-12 04:05:06 America/New_York", "04:05:06 America/New_York", "04:05:06 UTC", "04:05:06 Z", "04:05:06z", "24:00:00", "24:00:01", "24:00:00.000001", "23:59:60", "23:59:60.5", "23:59:59.9999999", "25:00:00", "12:60:00",
         "12:00:61", "", "abc", "12", "12:", ":12", "12:00:00:00", "12:00:", "1:2:3", "1:2", "01:02:03.5", "01:02.5", "040506.789", "0405.5", "T04:05:06", "t040506", "allballs", "10:00 foo", "10:00+16", "10:00+15:59:59", "10:00-15:59:59", "10:00+15:60", "10:00+1559", "10:00 +1 +2",
         "10:00 EST", "10:00 EDT", "10:00 MSK", "10:00 EST5EDT", "2024-07-01 10:00 EST5EDT", "10:00 Asia/Tokyo", "10:00 Europe/Nowhere", "10:00 pst8pdt", "today", "epoch", "infinity", "10:00 Monday", "10:00:00.123456789", "10:00:00.", "999999", "235960", "12 PM", "12:30:45 PM", "10:00 am pm", "10:00 10:00",
         "2024-06-01 10:00", "2024-06-01", "2024-06-01 10:00+05", "10:00 2024-06-01", "10:00 2024-06-01 EST", "11:11:11 11:11", "10:00 GMT+3", "10:00 UTC+3", "10:00 EST+3", "10:00 <+05>-5", "10:00 dst", "10:00 PST DST"]
for tz in ("UTC", "America/New_York"):
    add("time", *TIMES, timezone=tz)
for tz in ("UTC", "Asia/Kolkata"):
    add("timetz", *[t for t in TIMES if "dst" not in t.lower()], timezone=tz)
for p in (0, 3, 6):
    for t in ("time", "timetz"):
        add(t, "12:34:56.789512+02", "23:59:59.999999+02", "12:00:00.5+02", "12:00:00.4999996+02", "12:34:56.0005+02", typmod=p)
STAMPS = ["1999-01-08 04:05:06", "1999-01-08 04:05:06 -8:00", "1999-01-08 04:05:06.789-08", "January 8 04:05:06 1999 PST", "1999-01-08T04:05:06Z", "1999-01-08t04:05:06+05:30", "19990108T040506", "19990108T040506.789Z", "19990108 040506-08", "1999-01-08 04:05:06 America/New_York",
          "1999-01-08 04:05:06 america/new_york", "1999-07-08 04:05:06 EST5EDT", "1999-01-08", "1999-01-08 24:00:00", "1999-01-08 24:00:01", "1999-01-08 23:59:60", "1999-12-31 23:59:60", "infinity", "-infinity", "epoch", "294276-12-31 23:59:59.999999", "294277-01-01 00:00:00", "4714-11-24 00:00:00 BC", "4714-11-23 23:59:59 BC",
          "2024-03-10 02:30:00", "2024-11-03 01:30:00", "2024-03-10 02:30:00 America/New_York", "2024-11-03 01:30:00 America/New_York", "2024-11-03 01:30:00 EDT", "2024-11-03 01:30:00 EST", "2011-03-27 03:00 MSK", "2015-01-01 MSK", "2010-07-01 MSK", "1880-01-01 00:00:00", "1800-06-15 12:34:56", "1941-06-01 12:00 Europe/Berlin", "0001-01-01 00:00:00", "0044-03-15 12:00 BC",
          "9999-12-31 23:59:59", "10000-07-01 12:00", "50000-01-01 00:00", "123456-07-01 00:00", "2038-07-01 12:00:00", "2050-07-01", "Wed Dec 17 07:37:16 1997", "Wed Dec 17 07:37:16 1997 PST", "Wed Dec 17 07:37:16.123456 1997 PDT", "12/17/1997 07:37:16.00 PST", "17.12.1997 07:37:16.00", "17 Dec 1997 07:37", "Dec 17 1997 7:37 PM", "1997-12-17 07:37 BC",
          "2000-01-01 00:00:00.0000001", "2000-01-01 00:00:00.0000005", "2000-01-01 00:00:00.9999999", "1999-12-31 23:59:59.9999999", "2000-01-01 12", "2000-01-01 1200", "2000-01-01 120000", "2000-01-01 12:00 foo", "2000-01-01 12:00 Foo/Bar", "2000-01-01 12:00+16", "2000-01-01 12:00+1530", "2000-01-01 12:00 +05 -03", "2000-01-01 12:00:00+05:30:15", "", "abc", "12:00", "2000-01-01 25:00", "2000-01-01 12:60",
          "2000-01-01 12:00:60", "2000-01-01 12:00:61", "2000-13-01 12:00", "2000-01-01  12:00   PM", "2000-01-01 13:00 PM", "20000101120000", "2000-01-01T12", "2000-01-01T", "T12:00", "2000-01-01T1200", "2000-001 12:00", "J2451545 12:00", "J2451545.5", "2451545", "2000-01-01 12:00 z", "2000-01-01 12:00 zulu", "2000-01-01 12:00 utc", "2000-01-01 12:00 GMT", "2000-01-01 12:00 GMT+2", "2000-01-01 12:00 UTC-2", "2000-01-01 12:00 EST+3",
          "2000-01-01 12:00 IST", "2000-01-01 12:00 CET", "2000-07-01 12:00 CEST", "2000-07-01 12:00 CET DST", "2000-01-01 12:00 CST", "2000-01-01 12:00 LMT", "2000-01-01 12:00 YEKT", "1995-01-01 12:00 YEKT", "2000-01-01 12:00 <+05>-5", "2000-01-01 12:00 FOO5", "2000-07-01 12:00 FOO5BAR", "2000-01-01 12:00 Etc/GMT+5", "2000-01-01 12:00 posixrules", "20010225 040506+02", "2001-02-25 040506.789-08", "20010225T040506-0800",
          "2000-01-01 now", "yesterday 25:00", "2000-01-01 00:00:00 BC AD", "2000-01-01, 12:00", "2000-01-01;12:00", "2000-01-01_12:00", "(2000-01-01)", "2000-01-01 12.5", "2000-01-01 12:00:00,5", "2000/01/01 12:00", "01-02-2000 12:00", "1-2-2000 1:2:3", "Mon Feb 10 17:32:01 1997 PST", "Mon Feb 10 17:32:01.4 1997 PST", "Feb 10 17:32:01 1997 -0800", "1997-02-10 17:32:01-08:00", "97FEB10 5:32:01PM UTC", "97/02/10 17:32:01 UTC", "1997.041 17:32:01 UTC", "19970710 173201 America/Does_not_exist", "Feb 16 17:32:01 0097 BC", "Feb 16 17:32:01 5097 BC", "Feb  29 17:32:01 1997"]
for tz in ("UTC", "America/New_York", "Europe/Moscow", "Asia/Kathmandu"):
    add("timestamptz", *STAMPS, timezone=tz)
add("timestamp", *STAMPS)
add("timestamp", "1/2/2000 3:04", "2000-02-13 3:04", "13/2/2000", "2/13/2000", datestyle="ISO, DMY")
for style in ("SQL", "Postgres", "German", "ISO"):
    for order in ("MDY", "DMY"):
        for tz in ("America/New_York", "Asia/Kathmandu", "America/Sao_Paulo"):
            add("timestamptz", "1999-07-08 04:05:06.789+00", "0044-03-15 12:00:00+00 BC", "infinity", "12345-06-07 00:00+00", "0999-01-02 00:00+00", "1850-01-01 00:00:00+00", "2040-07-01 00:00+00", datestyle=f"{style}, {order}", timezone=tz)
        add("timestamp", "1999-07-08 04:05:06.789", "0044-03-15 12:00:00 BC", "-infinity", "12345-06-07 00:00", "0999-01-02 00:00", datestyle=f"{style}, {order}")
for p in range(7):
    add("timestamp", "2000-01-01 00:00:00.1234565", "1999-12-31 23:59:59.999999", "1999-12-31 23:59:59.5", "1999-12-31 23:59:59.45", "infinity", typmod=p)
INTERVALS = ["1 year", "1 year 2 months 3 days 4 hours 5 minutes 6 seconds", "1-2", "3 4:05:06", "1 12:59:10", "-1-2 +3 -4:05:06", "P1Y2M3DT4H5M6S", "P0001-02-03T04:05:06", "1 year ago", "@ 1 year 2 mons", "@ 1 year ago", "1 day -1 hour", "-1 day", "1.5 years", "1.5 months", "1.5 days", "1.5 weeks", "1.5 hours", "0.1 years", "1.23456 years", "-1.5 months",
             "04:05:06", "04:05", "4:05:06.789", "-04:05:06", "+04:05:06", "1 day 04:05:06", "1 day -04:05:06", "-1 day +04:05:06", "5", "5.5", "-5", "1 2", "1 2 3", "1h", "1h 30m", "1d2h", "1y2mon", "1 h 1 m 1 s", "1 ms", "1 us", "1.5 ms", "1.5 us", "0.5 us", "1 decade", "1 century", "1 millennium", "2 decades 3 centuries 1 mil", "1 week", "2 w", "1 quarter", "1 qtr",
             "infinity", "-infinity", "+infinity", "infinity ago", "-infinity ago", "inf", "infinity 1 day", "1 day infinity", "", " ", "abc", "1 foo", "foo 1", "1 day 1 day", "1 day 2 days", "1 hour 2 hours", "1 sec 2 secs", "1 year 1 year", "1 month 1 mon", "1 day 4:05 1 hour", "4:05 4:06", "ago", "1 day ago ago", "ago 1 day", "1 ago day", "day 1", "1 day ago 2 hours", "2147483647 months", "2147483648 months", "178956970 years 7 months", "178956970 years 8 months", "178956971 years", "-178956970 years -8 months",
             "-178956970 years -9 months", "2147483647 days", "2147483648 days", "-2147483648 days", "9223372036854775807 us", "9223372036854775808 us", "-9223372036854775808 us", "2562047788 hours", "2562047789 hours", "2562047788:00:54.775807", "2562047788:00:54.775808", "-2562047788:00:54.775808", "2147483647 months 2147483647 days 9223372036854775807 us", "2147483647 years", "1 y 1 mon 1 d 1 h 1 m 1 s 1 ms 1 us", "P", "PT", "P1", "P1Y", "P1M", "P1W", "P1D", "PT1H", "PT1M", "PT1S", "PT1.5S", "P1.5Y", "P1.5M", "P1.5W", "P1.5D", "PT1.5H", "PT0.5M", "P-1Y-2M", "P1Y-2M", "PT-1H", "P1YT", "P1YT1", "P20010203", "P20010203T040506", "P2001-02", "P2001-02-03", "PT04:05:06", "PT04:05", "PT040506", "PT04", "p1y", "P1y",
             "P1Y1Y", "P1H", "PT1D", "P1Y2M3W4D", "P+1Y", "P1.Y", "P.5Y", "P1Y ", " P1Y", "1:2:3", "1:60:00", "1:00:60", "1:00:61", "100:00:00", "1000000:00:00", "1:2", "1:2.5", "1:2:3.5", "-1:2:3", "1-13", "1-11", "-1-2", "+1-2", "1-2 3 4:5:6", "-1 -2 -3", "1 year-2", "1.5-2", "1 day 2:03", "1 2:03:04", "1 day 2", "1 day 2.5", "1 mon -1 day", "-1 mon 1 day", "1 year 2", "1.1.1", "1..2", "1e3 days", "1,5 days", "3 days, 4 hours", "0", "0 days", "00:00", "-0:01", "-0.1 s", "0.000001 s", "0.0000001 s", "1 microsecond", "1 microseconds", "1 millisecond", "1 milliseconds", "1 usecs 2 msecs", "1 timezone", "1 years 2 mon", "1 Year", "1 YEARS 2 MONS", "1 secs", "60 secs", "3600 s", "90 minutes", "1 m 90 s", "-1 hour -30 min", "-1 hour 30 min", "1 hour -30 min"]
for style in ("postgres", "postgres_verbose", "sql_standard", "iso_8601"):
    add("interval", *INTERVALS, intervalstyle=style)
FIELDS = {"year": 1 << 2, "month": 1 << 1, "day": 1 << 3, "hour": 1 << 10, "minute": 1 << 11, "second": 1 << 12}
RANGES = [["year"], ["month"], ["year", "month"], ["day"], ["hour"], ["minute"], ["second"], ["day", "hour"], ["day", "hour", "minute"], ["day", "hour", "minute", "second"], ["hour", "minute"], ["hour", "minute", "second"], ["minute", "second"]]
for r in RANGES:
    add("interval", "1-2", "3 4:05:06.789", "5", "1 year 2 mons 3 days 04:05:06.789", "-1 year -2 mons -3 days -04:05:06.789", "1:2", "1:2:3", "1 2", "7.5", typmod=(sum(FIELDS[f] for f in r) << 16) | 0xffff)
for p in (0, 2, 5, 6):
    add("interval", "1 day 04:05:06.789512", "-04:05:06.789512", "0.5", "0.4999996", "-0.5", "9223372036854775807 us", typmod=(0x7fff << 16) | p)

# JSON.
JSONS = ["{}", "[]", "null", "true", "false", "1", "-1", "0", "-0", "1.50", "1e5", "1E-5", "1.5e+3", "\"a\"", "\"\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\u0000\"", "\"\\n\\t\\b\\f\\r\\/\\\\\\\"\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"é日本\"", "\"a\tb\"", "\"a\nb\"", "{\"a\":1}", "{\"a\":1,\"b\":[1,2,{\"c\":null}]}", " { \"a\" : 1 , \"b\" : 2 } ", "{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":2}", "{\"aa\":1,\"b\":2,\"c\":3}", "[1,2,3]",
         "[1, [2, [3]]]", "[[],{},\"\"]", "", " ", "nul", "nulll", "tru", "True", "01", "1.", ".5", "+1", "--1", "1e", "1e+", "0x1", "'a'", "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{1:2}", "[1,]", "[,1]", "[1 2]", "[", "]", "{", "}", "[1", "{\"a\":1", "\"abc", "[\"abc", "1 2", "{} {}", "[] x", "nan", "NaN", "Infinity", "\"\x01\"", "é", "[é]", "[1e1000]", "1e200000", "[123456789012345678901234567890.123456789]", "{\"a\":{\"b\":{\"c\":{}}}}", "[true,false,null]",
         "{\"\":1}", "{\"a\":\"\\u0041\"}", "\"\\u007f\\u0080\"", "{\"z\":1,\"y\":2,\"x\":{\"b\":1,\"a\":2}}", "[\"a\",\"b\"]", "[1.0,1.00,1]", "{\n\"a\":\n1,\n\"b\"}", "[1,\n2,\n3,,\n4]", "\"\\\"", "abc def", "[12ab]", "-", "[-]", "-a", "1a", "truefalse", "\"a\" \"b\"", "{\"a\":1}}", "[1]]", "[" * 100 + "]" * 100, "\"\\u\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\ud83d\"", "\"\\ud83dabc\"", "\"\\u00E9\\u00e8\""]
add("json", *JSONS)
add("jsonb", *JSONS)

# Arrays and vectors.
ARRAYS = ["{}", "{1}", "{1,2,3}", " { 1 , 2 , 3 } ", "{{1,2},{3,4}}", "{{{1},{2}},{{3},{4}}}", "{NULL}", "{null,1}", "{1,NULL,3}", "[0:2]={1,2,3}", "[2:3][0:1]={{1,2},{3,4}}", "[-1:1]={1,2,3}", "[1:3]={1,2,3}", "[1:2]={1,2,3}", "[3]={1,2,3}", "[0:2] = {1,2,3}", "[2:1]={}", "[1:0]={}", "[a:b]={1}", "[1:2={1,2}", "[1:2]{1,2}", "[1:2]=", "{1,2", "1,2}", "1", "", "{1,}", "{,1}", "{,}", "{1,,2}", "{{1,2},{3}}", "{{1},2}", "{1,{2}}", "{{}}", "{{},{}}", "{{1},{}}", "{}}", "{} x", "{1} x", "{1}{2}", "{{1}{2}}", "{\"1\",\"2\"}", "{\"1\"2}", "{1\"2\"}",
          "{a}", "{1 2}", "{\"\"}", "{\\1}", "{1,2}}", "{{1,2},{3,4}", "{{{{{{{1}}}}}}}", "{{{{{{1}}}}}}", "[1:2][1:2]={{1,2},{3,4}}", "[1:2][1:1]={{1,2},{3,4}}", "[2147483647:2147483647]={1}", "[2147483646:2147483647]={1,2}", "[99999999999:1]={1}", "[0:2147483647]={1}", "[+1:2]={1,2}", "[-2147483648:-2147483647]={1,2}", "{{NULL,1},{2,NULL}}", "{nuLl}", "{\"null\"}"]
for t in ("int4", "text"):
    add(t + "[]", *ARRAYS)
add("text[]", "{a,b}", "{\"a b\",c}", "{a b,c}", "{ a , b }", "{\"a,b\"}", "{\"a\\\"b\"}", "{\"a\\\\b\"}", "{a\\,b}", "{a\\ }", "{\"\"}", "{\"NULL\"}", "{\\N}", "{N\\ULL}", "{'a'}", "{\"a\tb\"}", "{é,日本}", "{a\"b}", "{\"a\"b}", "{\"a\" }", "{ \"a\"}", "{\"{}\"}", "{{\"a\",\"b\"},{c,d}}", "{a{b}", "{a}b}", "{\"a", "{\\", "{\"\\", "{;}", "{a;b}", "{nULL,nul}")
add("bool[]", "{t,f}", "{x}", "{}")
add("float8[]", "{1.5,NaN,-inf}", "{1e400}")
add("numeric[]", "{1.50,NaN}", "{1,2}", typmod=-1)
add("numeric[]", "{1.505,2}", "{12345}", typmod=nmod(4, 2))
add("varchar[]", "{abc,de}", "{\"abc   \"}", typmod=7)
add("bpchar[]", "{a,b}", typmod=7)
add("timestamptz[]", "{2000-01-01,\"2000-01-01 12:00\"}")
add("date[]", "{2000-01-01,infinity}", "{x}")
add("interval[]", "{1 day,\"1 mon 2 days\"}")
add("bytea[]", "{\"\\\\\\\\x01ff\"}", "{\"\\\\x01ff\"}", "{abc}")
add("uuid[]", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}")
add("jsonb[]", "{\"{\\\"a\\\": 1}\"}", "{1,true}")
add("char[]", "{a,b,\"\"}")
add("name[]", "{a,b}")
add("oid[]", "{1,2}")
add("int8[]", "{9223372036854775807,-1}")
add("int2[]", "{1,32768}", "{1,2}")
add("timetz[]", "{10:00+02}")
add("varbit[]", "{101,0}")
for t in ("int2vector", "oidvector"):
    add(t, "", "1", "1 2 3", " 1  2 ", "1,2", "a", "1 a", "32768", "99999999999", "-1", "1 2 ")

# Network.
NETS = ["192.168.1.1", "192.168.1.0/24", "192.168.1.1/24", "10", "10.1", "10.1.2", "10/8", "192.168/16", "10.1.2.3/33", "256.1.1.1", "1.2.3.4.5", "1.2.3.4/", "1.2.3.4/a", "", "abc", "::1", "::", "2001:db8::1/64", "2001:db8::/32", "::ffff:1.2.3.4", "::1.2.3.4", "::ffff:1.2.3.4/96", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1::2::3", "fe80::1%eth0", "1:2:3:4:5:6:1.2.3.4", "2001:DB8::A/129", "2001:db8::/129", ":1", "1:", "12345::", "0.0.0.0/0", "::/0", "255.255.255.255", "1.2.3.4/32", "1.2.3.4/0", "01.02.03.04", "1.2.3.04", " 1.2.3.4", "1.2.3.4 ", "2001:4f8:3:ba::/64", "2001:4f8:3:ba:2e0:81ff:fe22:d1f1", "128.1", "128", "192", "224", "240.1", "10.1/8", "x0A000001", "1:0:0:2:0:0:0:3", "1:0:0:0:2:0:0:3", "0:0:0:0:0:ffff:7f00:1", "1::", "::2:3:4:5:6:7:8"]
add("inet", *NETS)
add("cidr", *NETS)
add("macaddr", "08:00:2b:01:02:03", "08-00-2b-01-02-03", "08002b:010203", "08002b-010203", "0800.2b01.0203", "0800-2b01-0203", "08002b010203", "8:0:2b:1:2:3", "08:00:2b:01:02", "08:00:2b:01:02:0g", "", "08:00:2b:01:02:03:04", " 08:00:2b:01:02:03 ", "08:00:2b:01:02:03x", "FF:FF:FF:FF:FF:FF", "100:00:2b:01:02:03")

SETUP = r"""
SET client_min_messages = error;
CREATE TEMP TABLE c(id int, typ text, typmod int, settings text, input text);
CREATE TEMP TABLE r(id int, ok bool, a text, b text, c text, d text);
CREATE FUNCTION pg_temp.rec(t text, m int, v text) RETURNS record LANGUAGE plpgsql AS $f$
DECLARE ty pg_type; n int; call text; x text; h text; s text; msg text; det text; hin text; res record; send text;
BEGIN
  SELECT * INTO ty FROM pg_type WHERE oid = (CASE t WHEN 'char' THEN '"char"' WHEN 'char[]' THEN '"char"[]' ELSE t END)::regtype;
  SELECT pronargs INTO n FROM pg_proc WHERE oid = ty.typinput;
  call := format(CASE n WHEN 1 THEN '%s(%L)' ELSE '%s(%L,%s,%s)' END, ty.typinput::regproc, v,
    CASE WHEN ty.typelem <> 0 AND ty.typinput = 'array_in'::regproc THEN ty.typelem ELSE ty.oid END, m);
  IF ty.typinput = 'array_in'::regproc THEN
    -- array_in cannot be called by hand; a domain hands its typmod to the input function.
    IF m >= 0 THEN
      call := 'pg_temp.d' || md5(t || m);
      IF to_regtype(call) IS NULL THEN EXECUTE format('CREATE DOMAIN %s AS %s', call, format_type(ty.oid, m)); END IF;
    ELSE
      call := format_type(ty.oid, NULL);
    END IF;
    call := format('%L::%s', v, call);
  END IF;
  send := CASE WHEN ty.typinput = 'array_in'::regproc THEN 'array_send(x)' ELSE CASE WHEN ty.typsend = 0 THEN 'NULL::bytea' ELSE format('%s(x)', ty.typsend) END END;
  BEGIN
    EXECUTE format('SELECT textin(%s(x)), CASE WHEN %L THEN encode(%s,''hex'') ELSE '''' END FROM (SELECT CAST(%s AS %s) AS x OFFSET 0) q', ty.typoutput,
      ty.typsend <> 0, send, call, format_type(ty.oid, -1)) INTO x, h;
    RETURN ROW(true, x, h, NULL::text, NULL::text);
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, msg = MESSAGE_TEXT, det = PG_EXCEPTION_DETAIL, hin = PG_EXCEPTION_HINT;
    RETURN ROW(false, s, msg, det, hin);
  END;
END $f$;
"""

RUN = r"""
DO $$ DECLARE k record; kv text; q record; BEGIN
FOR k IN SELECT * FROM c ORDER BY id LOOP
  PERFORM set_config('datestyle','ISO, MDY',true), set_config('timezone','UTC',true), set_config('intervalstyle','postgres',true),
    set_config('extra_float_digits','1',true), set_config('bytea_output','hex',true);
  FOREACH kv IN ARRAY string_to_array(k.settings, ';') LOOP
    IF kv <> '' THEN PERFORM set_config(split_part(kv,'=',1), split_part(kv,'=',2), true); END IF;
  END LOOP;
  SELECT * INTO q FROM pg_temp.rec(k.typ, k.typmod, k.input) AS z(ok bool, a text, b text, c text, d text);
  INSERT INTO r VALUES (k.id, q.ok, q.a, q.b, q.c, q.d);
END LOOP; END $$;
\copy (SELECT c.typ, c.typmod, c.settings, c.input, r.ok, r.a, r.b, r.c, r.d FROM c JOIN r USING (id) ORDER BY id) TO 'io.tsv'
"""

ORDER = r"""
CREATE TEMP TABLE o(typ text, input text, rank bigint);
DO $$ DECLARE t text; BEGIN
FOR t IN SELECT DISTINCT typ FROM c WHERE typ NOT IN ('json','cid','xid') LOOP
  EXECUTE format($q$INSERT INTO o SELECT DISTINCT ON (r.a) %1$L, r.a, dense_rank() OVER (ORDER BY textin(%2$s(x))::%3$s)
    FROM (SELECT DISTINCT r.a, c.typ FROM c JOIN r USING (id) WHERE c.typ = %1$L AND r.ok AND r.a !~ '^-2562047788|^294277' AND c.settings IN ('', 'timezone=UTC', 'datestyle=ISO, MDY','intervalstyle=postgres')) r,
    LATERAL (SELECT r.a::%3$s AS x) z ORDER BY r.a$q$, t,
    (SELECT typoutput FROM pg_type WHERE oid = (CASE t WHEN 'char' THEN '"char"' WHEN 'char[]' THEN '"char"[]' ELSE t END)::regtype),
    CASE t WHEN 'char' THEN '"char"' WHEN 'char[]' THEN '"char"[]' WHEN 'bit' THEN 'varbit' ELSE t END);
END LOOP; END $$;
\copy (SELECT * FROM o ORDER BY typ, rank, input) TO 'order.tsv'
"""


def copy_line(*fields):
    def esc(f):
        return "\\N" if f is None else str(f).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return "\t".join(esc(f) for f in fields) + "\n"


def numeric_ops():
    cases = []
    pool = [random_numeric() for _ in range(300)] + ["0", "0.00", "1", "-1", "10", "0.1", "NaN", "Infinity", "-Infinity", "1e50", "1e-50", "9999", "10000", "0.0001", "99999999.9999",
            "2", "3", "7", "0.5", "123456789012345678901234567890", "9223372036854775807", "170141183460469231731687303715884105727"]
    for op in ("+", "-", "*", "/", "%"):
        for _ in range(400):
            cases.append((op, random.choice(pool), random.choice(pool)))
    for op in ("div", "gcd", "lcm", "mod"):
        for _ in range(120):
            cases.append((op, random.choice(pool), random.choice(pool)))
    for op in ("abs", "-u", "sign", "ceil", "floor", "trim_scale", "min_scale", "scale", "int2", "int4", "int8", "float4", "float8"):
        for p in random.sample(pool, 60) + ["NaN", "Infinity", "-Infinity", "0.5", "1.5", "-0.5", "2.5", "32767.5", "32767.4", "-32768.5", "2147483647.5", "9223372036854775807.5", "9223372036854775807.4", "-9223372036854775808.5", "1e400", "1e-400", "1e40"]:
            cases.append((op, p, None))
    for op in ("round", "trunc"):
        for _ in range(300):
            cases.append((op, random.choice(pool), str(random.choice([0, 1, 2, 3, 5, 10, 20, -1, -2, -5, -20, -50]))))
    small = ["0", "0.0", "1", "2", "3", "10", "0.5", "0.1", "1.0", "1.5", "2.00", "100", "1000", "0.001", "1e-10", "12345.678", "99.99", "1e10", "123456789012345678901234567890", "0.000000000000000000001", "1.0000000001", "0.9999999999",
             "-1", "-2.5", "-0.001", "NaN", "Infinity", "-Infinity", "16", "64", "81", "1e30", "1e100", "7.389056098930650", "2.718281828459045235360287"]
    small += [str(round(random.uniform(0, 100), random.randrange(0, 8))) for _ in range(120)] + [str(round(10 ** random.uniform(-12, 25), random.randrange(0, 12))) for _ in range(100)]
    for p in small:
        cases.append(("sqrt", p, None)); cases.append(("ln", p, None)); cases.append(("log10", p, None))
    for p in small + [str(round(random.uniform(-50, 50), random.randrange(0, 8))) for _ in range(150)] + ["5999", "6000", "-5999", "-6000", "1000", "-1000", "0.00001", "300.5"]:
        if p not in ("1e10", "1e30", "1e100") : cases.append(("exp", p, None))
    for _ in range(250):
        cases.append(("log", random.choice(small), random.choice(small)))
    exps = ["0", "1", "2", "3", "-1", "-2", "10", "0.5", "-0.5", "1.5", "2.5", "100", "-10", "0.1", "3.14159", "1e-5", "NaN", "Infinity", "-Infinity", "0.0", "2.0", "0.333333333333", "1000", "-7", "17", "33.3"]
    for _ in range(700):
        cases.append(("^", random.choice(small), random.choice(exps)))
    for a in ("0", "5", "20", "33", "100", "-1", "1000"):
        cases.append(("factorial", a, None))
    for _ in range(80):
        cases.append(("from_float8", random_float(), None)); cases.append(("from_float4", random_float(), None))
    for v in ("0.1", "1e300", "NaN", "inf", "-inf", "123456789.123456789", "1e-10", "0", "-0", "1e15", "1e16"):
        cases.append(("from_float8", v, None)); cases.append(("from_float4", v, None))
    sql = ["CREATE TEMP TABLE n(id int, op text, a text, b text);", "COPY n FROM stdin;"]
    body = "".join(copy_line(i, *c) for i, c in enumerate(cases))
    run = r"""
CREATE TEMP TABLE nr(id int, ok bool, x text, m text);
DO $$ DECLARE k record; e text; v text; s text; m text; BEGIN
FOR k IN SELECT * FROM n ORDER BY id LOOP
  e := CASE WHEN k.op IN ('+','-','*','/','%','^') THEN format('%L::numeric %s %L::numeric', k.a, k.op, k.b)
    WHEN k.op = '-u' THEN format('- %L::numeric', k.a)
    WHEN k.op IN ('round','trunc') THEN format('%s(%L::numeric, %s)', k.op, k.a, k.b)
    WHEN k.op IN ('int2','int4','int8','float4','float8') THEN format('%L::numeric::%s', k.a, k.op)
    WHEN k.op = 'log10' THEN format('log(%L::numeric)', k.a)
    WHEN k.op = 'factorial' THEN format('factorial(%L::int8)', k.a)
    WHEN k.op LIKE 'from_%' THEN format('%L::%s::numeric', k.a, substr(k.op, 6))
    WHEN k.b IS NULL THEN format('%s(%L::numeric)', k.op, k.a)
    ELSE format('%s(%L::numeric, %L::numeric)', k.op, k.a, k.b) END;
  BEGIN
    EXECUTE 'SELECT (' || e || ')::text' INTO v;
    INSERT INTO nr VALUES (k.id, true, v, NULL);
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT;
    INSERT INTO nr VALUES (k.id, false, s, m);
  END;
END LOOP; END $$;
\copy (SELECT op, a, b, ok, x, m FROM n JOIN nr USING (id) WHERE coalesce(length(x), 0) < 3000 ORDER BY id) TO 'numeric_ops.tsv'
"""
    return "\n".join(sql) + "\n" + body + "\\.\n" + run


def datetime_ops():
    """Expressions over literals; the test parses them by their first column, the operation."""
    cases = []
    stamps = ["2000-01-31 00:00:00", "2024-02-29 12:34:56.789012", "1999-12-31 23:59:59.999999", "2024-03-10 01:30:00", "2024-11-03 00:30:00", "1970-01-01 00:00:00", "0001-03-01 05:06:07", "0044-03-15 12:00:00 BC", "294276-12-31 23:59:59", "2023-05-17 08:09:10.5", "1900-02-28 00:00:00",
              "2024-12-30 00:00:00", "2021-01-03 10:00:00", "infinity", "-infinity", "2001-01-01 00:00:00", "10000-06-15 01:02:03", "4713-01-01 00:00:00 BC", "2000-07-04 00:00:00"]
    intervals = ["1 mon", "-1 mon", "1 day", "-1 day", "1 year 2 mons 3 days 04:05:06.789", "01:00:00", "-00:30:00", "13 mons", "1 mon -1 day", "infinity", "-infinity", "00:00:00", "35 days", "240:00:00", "-1 year -2 mons -3 days -04:05:06", "1000 years", "00:00:00.000001", "-7 mons 40 days -30:00:00"]
    zones = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]
    fields = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium", "epoch", "dow", "doy", "isodow", "isoyear", "julian", "timezone", "timezone_hour", "timezone_minute", "foo"]
    units = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium", "foo", "dow"]
    for s in stamps:
        for i in intervals:
            cases.append(("timestamp+interval", "UTC", s, i)); cases.append(("timestamp-interval", "UTC", s, i))
            for z in zones[1:]:
                cases.append(("timestamptz+interval", z, s, i))
        for f in fields:
            cases.append(("extract_timestamp", "UTC", f, s))
            cases.append(("extract_timestamptz", "America/New_York", f, s))
            cases.append(("extract_date", "UTC", f, s))
        for u in units:
            cases.append(("trunc_timestamp", "UTC", u, s)); cases.append(("trunc_timestamptz", "America/New_York", u, s)); cases.append(("trunc_timestamptz", "Australia/Lord_Howe", u, s))
        for s2 in stamps:
            cases.append(("age", "UTC", s, s2)); cases.append(("timestamp-timestamp", "UTC", s, s2))
        for st in ("15 minutes", "1 day", "7 days", "1 mon", "0 s", "-1 day", "infinity", "2 hours 3 s"):
            cases.append(("date_bin", "UTC", st, s))
    for i in intervals + ["100 days 50:00:00", "-100 days 50:00:00", "29 days 24:00:00", "1 mon 45 days", "-40 days 25:00:00", "1 mon -35 days -25:00:00", "2147483647 days 24:00:00"]:
        for f in ("justify_hours", "justify_days", "justify_interval"):
            cases.append((f, "UTC", i, None))
        for f in fields:
            cases.append(("extract_interval", "UTC", f, i))
        for u in units:
            cases.append(("trunc_interval", "UTC", u, i))
        for n in ("2", "-1", "0.5", "1.7", "0", "NaN", "inf", "1e10", "3.3333", "0.1"):
            cases.append(("interval*", "UTC", i, n)); cases.append(("interval/", "UTC", i, n))
        for j in random.sample(intervals, 6):
            cases.append(("interval+", "UTC", i, j)); cases.append(("interval-", "UTC", i, j))
    for t in ("10:11:12.131415", "00:00:00", "24:00:00"):
        for f in fields:
            cases.append(("extract_time", "UTC", f, t)); cases.append(("extract_timetz", "UTC", f, t + "-05:30"))
        for i in intervals:
            cases.append(("time+interval", "UTC", t, i))
    body = "".join(copy_line(i, *c) for i, c in enumerate(cases))
    run = r"""
CREATE TEMP TABLE dr(id int, ok bool, x text, m text);
DO $$ DECLARE k record; e text; v text; s text; m text; BEGIN
PERFORM set_config('datestyle','ISO, MDY',true), set_config('intervalstyle','postgres',true);
FOR k IN SELECT * FROM d ORDER BY id LOOP
  PERFORM set_config('timezone', k.z, true);
  e := CASE k.op WHEN 'timestamp+interval' THEN '%1$L::timestamp + %2$L::interval' WHEN 'timestamp-interval' THEN '%1$L::timestamp - %2$L::interval'
    WHEN 'timestamptz+interval' THEN '%1$L::timestamptz + %2$L::interval' WHEN 'age' THEN 'age(%1$L::timestamp, %2$L::timestamp)' WHEN 'timestamp-timestamp' THEN '%1$L::timestamp - %2$L::timestamp'
    WHEN 'date_bin' THEN 'date_bin(%1$L::interval, %2$L::timestamp, ''2000-01-01 00:00:01'')' WHEN 'interval*' THEN '%1$L::interval * %2$L::float8' WHEN 'interval/' THEN '%1$L::interval / %2$L::float8'
    WHEN 'interval+' THEN '%1$L::interval + %2$L::interval' WHEN 'interval-' THEN '%1$L::interval - %2$L::interval' WHEN 'time+interval' THEN '%1$L::time + %2$L::interval'
    ELSE CASE WHEN k.op LIKE 'extract_%' THEN 'extract(%1$s from %2$L::' || substr(k.op, 9) || ')' WHEN k.op LIKE 'trunc_%' THEN 'date_trunc(%1$L, %2$L::' || substr(k.op, 7) || ')' ELSE k.op || '(%1$L::interval)' END END;
  BEGIN
    EXECUTE 'SELECT (' || format(e, k.a, k.b) || ')::text' INTO v;
    INSERT INTO dr VALUES (k.id, true, v, NULL);
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT;
    INSERT INTO dr VALUES (k.id, false, s, m);
  END;
END LOOP; END $$;
\copy (SELECT op, z, a, b, ok, x, m FROM d JOIN dr USING (id) ORDER BY id) TO 'datetime_ops.tsv'
"""
    return "CREATE TEMP TABLE d(id int, op text, z text, a text, b text);\nCOPY d FROM stdin;\n" + body + "\\.\n" + run


def main():
    rows, n, seen = [], 0, set()
    for typ, cases in TYPES.items():
        for typmod, settings, text in cases:
            if (typ, typmod, settings, text) not in seen:
                seen.add((typ, typmod, settings, text))
                rows.append(copy_line(n, typ, typmod, settings, text))
                n += 1
    script = SETUP + "COPY c FROM stdin;\n" + "".join(rows) + "\\.\n" + RUN + ORDER + numeric_ops() + datetime_ops()
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *sys.argv[1:], "-f", "-"], input=script.encode(), cwd=HERE)
    sys.exit(done.returncode)


main()
