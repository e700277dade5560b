//! Expressions of each type, from templates: `«type»` stands for an expression of that type, `«=»` for one of the template's own,
//! `«a¦b¦c»` for one of these texts.

use super::types::Ty::{self, *};
use super::{Column, Generator};

const NUMBERS: &[&str] =
    &["(«=» «+¦-¦*» «=»)", "(«=» «+¦-¦*» «=»)", "(«=» / «=»)", "abs(«=»)", "(- «=»)", "(«int4»)::«own»"];

const INT2: &[&str] = &["(«=» % «=»)", "(«bool»)::int4::int2", "(«=» & «=»)"];

const INT4: &[&str] = &[
    "(«=» «+¦-¦*¦%¦&¦|¦#» «=»)",
    "(«=» «<<¦>>» «1¦3¦31»)",
    "(~ «=»)",
    "«length¦octet_length¦char_length¦bit_length¦ascii»(«text»)",
    "extract(«year¦month¦dow¦week¦isoyear¦doy¦isodow¦quarter¦century» FROM «date»)::int4",
    "extract(«year¦month¦day¦hour¦minute» FROM «interval»)::int4",
    "date_part('«year¦hour¦doy»', «timestamp»)::int4",
    "coalesce(array_length(«ints», «1¦2»), 0)",
    "«cardinality¦array_ndims»(«ints»)",
    "«array_upper¦array_lower»(«ints», 1)",
    "(«ints»)[«1¦2¦-1»]",
    "array_position(«texts», «text»)",
    "strpos(«text», «'a'¦''¦'b'»)",
    "position(«text» in «text»)",
    "sign(«=»)::int4",
    "«mod¦gcd¦lcm»(«=», «=»)",
    "(«bool»)::int4",
    "(«date» - «date»)",
    "«num_nulls¦num_nonnulls»(«text», «int4», «date»)",
    "regexp_count(«text», «'a'¦'[a-z]+'¦'\\w'»)",
    "jsonb_array_length(«jsonb»)",
    "width_bucket(«numeric», 0, 100, 5)",
    "(«=» + «int2»)",
    "(«numeric»)::int4",
    "length(«bytea»)",
    "(«jsonb» ->> 'a')::int4",
    "«pg_catalog.int4larger¦int4smaller»(«=», «=»)",
];

const INT8: &[&str] = &[
    "(«int4» «+¦-¦*» «=»)",
    "(«=» «%¦&¦|» «=»)",
    "(«numeric»)::int8",
    "factorial(«1¦5¦20»)::int8",
    "extract(epoch FROM «date»)::int8",
    "((«text»)::text IS NULL)::int4::int8",
    "(«int2» * «=»)",
];

const NUMERIC: &[&str] = &[
    "round(«=», «0¦1¦2¦-1»)",
    "trunc(«=», «0¦2»)",
    "«ceil¦floor¦round¦trunc¦sign»(«=»)",
    "(«=» % «=»)",
    "div(«=», «=»)",
    "mod(«=», «=»)",
    "sqrt(abs(«=»))",
    "power(«1.5¦2¦10», «0.5¦2¦-1¦3»)",
    "«exp¦ln¦log»(«1.5¦2.0¦10.0»)",
    "(«int8» * «=»)",
    "(«=»)::numeric(«10,2¦5,1¦20,4»)",
    "extract(epoch FROM «interval»)",
    "extract(«epoch¦second¦milliseconds¦julian» FROM «timestamp»)",
    "«scale¦min_scale»(«=»)::numeric",
    "trim_scale(«=»)",
    "(«float8»)::numeric",
    "to_number('«12,345.6¦-7¦001»', '«99G999D9¦S9¦999»')",
];

const FLOAT8: &[&str] = &[
    "«sqrt¦cbrt»(abs(«=»))",
    "«ceil¦floor¦round¦trunc¦sign»(«=»)",
    "(«int4» * «=»)",
    "(«numeric»)::float8",
    "power(«=», «2¦0¦-1»)",
    "«degrees¦radians»(«=»)",
    "atan2(«=», 2)",
    "extract(epoch FROM «timestamptz»)::float8",
    "(«int8»)::float8",
];

const TEXT: &[&str] = &[
    "(«=» || «=»)",
    "(«=» || «int4»)",
    "«upper¦lower¦btrim¦ltrim¦rtrim¦reverse¦md5¦initcap¦quote_literal¦quote_ident¦quote_nullable»(«=»)",
    "substr(«=», «0¦1¦2¦-1», «0¦2¦3»)",
    "substring(«=» from «1¦2» for «1¦2»)",
    "substring(«=» from «'[a-z]+'¦'(.)b'¦'^x'»)",
    "replace(«=», «'a'¦''», «=»)",
    "«lpad¦rpad»(«=», «0¦3¦7», «'*'¦'ab'¦''»)",
    "(«int4»)::text",
    "(«numeric»)::text",
    "(«interval»)::text",
    "(«timestamptz»)::text",
    "(«ints»)::text",
    "(«texts»)::text",
    "(«jsonb»)::text",
    "(«bool»)::text",
    "(«bytea»)::text",
    "(«time»)::text",
    "(«jsonb» ->> «'a'¦0¦-1»)",
    "(«jsonb» #>> '{a,b}')",
    "to_char(«timestamp», '«YYYY-MM-DD HH24:MI:SS.US Day¦FMMonth DDth, YYYY AD¦IYYY-IW-ID Q J¦HH12:MI am CC¦DY Mon FMDD»')",
    "to_char(«int4», '«999¦FM00000¦S9G999¦9999PR¦RN¦XXXX»')",
    "to_char(«numeric», '«999.99¦FM990.00¦SG9.9¦9.99EEEE¦FM9G999G990D0»')",
    "to_char(«interval», 'HH24:MI:SS DDD')",
    "left(«=», «0¦1¦-1¦3»)",
    "right(«=», «0¦1¦-1¦3»)",
    "repeat(«=», «0¦2¦-1»)",
    "split_part(«=», «'a'¦'b'¦'%'», «1¦2¦-1»)",
    "translate(«=», 'ab', 'x')",
    "overlay(«=» placing «=» from «1¦2» for «0¦1»)",
    "regexp_replace(«=», «'a'¦'[a-z]'¦'(.)(.)'¦'^'», «'X'¦'\\2\\1'¦'<\\&>'»«¦, 'g'¦, 'gi'»)",
    "concat(«=», «int4», «bool», «date»)",
    "concat_ws(«','¦' '¦''», «=», «int4», «=»)",
    "format('%s-%I-%L', «=», «'x'¦'A b'¦'ü'», «=»)",
    "format('%2$5s|%1$-3s|', «=», «int4»)",
    "array_to_string(«texts», «','¦''»«¦, '*'»)",
    "array_to_string(«ints», ',')",
    "chr(«65¦252¦8364»)",
    "to_hex(«int4»)",
    "encode(«bytea», '«hex¦base64¦escape»')",
    "trim(«leading¦trailing¦both» «'x'¦' '¦'a'» from «=»)",
    "jsonb_typeof(«jsonb»)",
    "jsonb_pretty(«jsonb»)",
    "(«varchar»)::text",
    "(«char»)::text",
    "(«uuid»)::text",
    "pg_typeof(«int4»)::text",
    "string_to_array(«=», «'a'¦''¦NULL»)::text",
    "(regexp_match(«=», «'a(.)'¦'(x)?b'»))[1]",
    "CAST(«=» AS varchar(2))",
    "normalize(«=»)",
    "(«texts»)[«1¦2»]",
    "(jsonb_path_query_first(«jsonb», '«$.a¦$.b[*]¦$[0]¦$.*¦$.a.b¦$[last]¦strict $.a»') #>> '{}')",
    "JSON_VALUE(«jsonb», '«$.a¦$[0]¦$.a.b¦$.b[0]»'«¦ RETURNING text¦ DEFAULT 'none' ON EMPTY¦ NULL ON ERROR»)",
    "('«$.a ? (@.b == 1 || @ > 2)¦lax $[*].a[1 to last]¦strict -$.x + 2 * 3¦$.a.type()¦$.\"b c\" starts with \"x\"»'::jsonpath)::text",
];

const BOOL: &[&str] = &[
    "(«=» AND «=»)",
    "(«=» OR «=»)",
    "(NOT «=»)",
    "(«=» IS «¦NOT »«TRUE¦FALSE¦UNKNOWN»)",
    "(«text» «LIKE¦NOT LIKE¦ILIKE¦~¦~*¦!~» «'a%'¦'%b%'¦'_'¦'a'¦'.b'»)",
    "(«text» «¦NOT »SIMILAR TO «'a%'¦'(a|b)_*'¦'[a-z]+'»)",
    "(«text» LIKE «'a#%%'¦'%#_'» ESCAPE '#')",
    "(«int4» «¦NOT »BETWEEN «¦SYMMETRIC »«int4» AND 50)",
    "(«int4» «¦NOT »IN (1, 2, «NULL¦3¦42», 7))",
    "(«text» IN ('a', 'b', «text»))",
    "(«int4» = «ANY¦ALL» («ints»))",
    "(«int4» «<¦<>» «ANY¦ALL» («ints»))",
    "(«text» = ANY («texts»))",
    "(«ints» «@>¦<@¦&&¦=¦<» «ints»)",
    "(«jsonb» «@>¦<@¦=» «jsonb»)",
    "(«jsonb» ? «'a'¦'b'»)",
    "(«jsonb» «?|¦?&» ARRAY['a', 'b'])",
    "((«int4», «text») «<¦>=¦=¦<>» («int4», «text»))",
    "((«int4», «date») IS «¦NOT »NULL)",
    "(«date», «date») OVERLAPS («date», «date»)",
    "starts_with(«text», «'a'¦''»)",
    "isfinite(«timestamp»)",
    "(«text» IS «¦NOT »JSON«¦ OBJECT¦ ARRAY¦ SCALAR»)",
    "(«int4» < «int8»)",
    "(«int4» = «numeric»)",
    "(«int2» <> «float8»)",
    "(«date» < «timestamp»)",
    "(«date» >= «timestamptz»)",
    "(«timestamp» = «timestamptz»)",
    "(«text» = «varchar»)",
    "(«char» = «'a'¦'a  '¦'b'»)",
    "(«text» < «char»)",
    "(«text» ^@ 'a')",
    "(«text» COLLATE \"C\" < «text»)",
    "(«jsonb» @? '«$.a¦$[*] ? (@ > 1)¦$.b[*] ? (@ == true)¦strict $.a¦$.** ? (@ == \"x\")¦$.a ? (exists (@.b))»')",
    "(«jsonb» @@ '«$.a == 1¦$[0] > 0¦exists ($.b)¦$.a.b like_regex \"X\" flag \"i\"¦!($.a > 2)¦$.a == null¦($.a == 1) is unknown»')",
    "jsonb_path_exists(«jsonb», '$.a ? (@ >= $x)', '{\"x\": «0¦1¦\"a\"»}')",
    "jsonb_path_match(«jsonb», '«$.a > 0¦$[0] == 1¦$.a»'«, silent => true¦»)",
    "JSON_EXISTS(«jsonb», '«$.a¦$[2]¦strict $.a¦$.b[*] ? (@ == null)»'«¦ TRUE ON ERROR¦ ERROR ON ERROR»)",
];

const DATE: &[&str] = &[
    "(«=» «+¦-» «1¦30¦366»)",
    "(«timestamp»)::date",
    "(«timestamptz»)::date",
    "date_trunc('«month¦year¦week»', «timestamp»)::date",
    "make_date(«2024¦1999¦-44», «1¦12¦2», «1¦28¦30»)",
    "to_date('«2024-02-29¦31 Dec 1999¦2000-366»', '«YYYY-MM-DD¦DD Mon YYYY¦YYYY-DDD»')",
    "(«=» + 7)",
];

const TIMESTAMP: &[&str] = &[
    "(«=» «+¦-» «interval»)",
    "(«date»)::timestamp",
    "(«date» + «time»)",
    "(«date» «+¦-» «interval»)",
    "date_trunc('«hour¦week¦year¦quarter¦decade¦minute»', «=»)",
    "(«timestamptz» AT TIME ZONE «'UTC'¦'America/New_York'¦'+03'»)",
    "(«timestamptz»)::timestamp",
    "date_bin('«15 minutes¦1 day¦7 hours»', «=», timestamp '2001-01-01')",
    "make_timestamp(2024, «2¦7», «1¦29», «0¦23», 59, «0¦59.5»)",
    "to_timestamp('«2024-02-29 11¦1999-12-31 23»', 'YYYY-MM-DD HH24')::timestamp",
    "(«=»)::timestamp(«0¦3»)",
];

const TIMESTAMPTZ: &[&str] = &[
    "(«=» «+¦-» «interval»)",
    "(«timestamp» AT TIME ZONE «'UTC'¦'Europe/Paris'¦'Asia/Tokyo'»)",
    "(«timestamp»)::timestamptz",
    "date_trunc('«day¦month»', «=»«¦, 'Asia/Tokyo'»)",
    "to_timestamp(«0¦1711848600¦-1.5»)",
    "(«date»)::timestamptz",
];

const TIME: &[&str] =
    &["(«=» «+¦-» «interval»)", "(«timestamp»)::time", "make_time(«0¦23», 59, «0¦1.5»)", "(«interval»)::time"];

const INTERVAL: &[&str] = &[
    "(«=» «+¦-» «=»)",
    "(- «=»)",
    "(«timestamp» - «timestamp»)",
    "(«timestamptz» - «timestamptz»)",
    "(«=» «*¦/» «2¦0.5¦-1»)",
    "age(«timestamp», «timestamp»)",
    "«justify_days¦justify_hours¦justify_interval»(«=»)",
    "make_interval(«years¦months¦weeks¦days» => «1¦-3»)",
    "date_trunc('«hour¦month»', «=»)",
    "(«time» - «time»)",
    "(«time»)::interval",
    "(«=»)::interval «day to minute¦year¦second(1)»",
];

const JSONB: &[&str] = &[
    "(«=» || «=»)",
    "to_jsonb(«int4»)",
    "to_jsonb(«text»)",
    "to_jsonb(«timestamp»)",
    "to_jsonb(«ints»)",
    "to_jsonb(«bool»)",
    "jsonb_build_object('k', «text», 'l', «int4»)",
    "jsonb_build_array(«int4», «text», «bool», «=»)",
    "(«=» -> «'a'¦0¦-1»)",
    "(«=» #> «'{a}'¦'{a,b}'¦'{2,a}'»)",
    "(«=» - «'a'¦'b'¦0¦-1»)",
    "(«=» #- «'{a}'¦'{a,b}'¦'{0}'»)",
    "jsonb_set(«=», «'{a}'¦'{0}'¦'{a,b}'», «=»«¦, false»)",
    "jsonb_insert(«=», «'{0}'¦'{b,0}'», «=»«¦, true»)",
    "jsonb_strip_nulls(«=»)",
    "(«=»)[«'a'¦0»]",
    "jsonb_object(ARRAY['a', 'b'], ARRAY[«text», «text»])",
    "array_to_json(«ints»)::jsonb",
    "row_to_json(ROW(«int4», «text»))::jsonb",
    "jsonb_extract_path(«=», 'a', 'b')",
    "jsonb_path_query_array(«=», '«$[*]¦$.**¦$.keyvalue()¦$.b[*]¦$.a.size()¦$[1 to 2]¦$.*.type()¦$[*] ? (@ != 1)¦$[*].a»')",
    "jsonb_path_query_first(«=», '«$.a + 1¦-$[*]¦$.a.double()¦$[last].a¦$.a * $x¦strict $.b¦$.a.string()¦$.b.boolean()»', '{\"x\": 2}'«¦, true¦, true»)",
    "JSON_QUERY(«=», '«$.b¦$[*]¦$.a»'«¦ WITH WRAPPER¦ WITH CONDITIONAL WRAPPER¦ WITHOUT WRAPPER EMPTY ARRAY ON EMPTY»)",
    "jsonb_path_query_first_tz(«=», '$.a.datetime()', silent => true)",
];

const INTS: &[&str] = &[
    "(«=» || «int4»)",
    "(«int4» || «=»)",
    "(«=» || «=»)",
    "array_append(«=», «int4»)",
    "array_prepend(«int4», «=»)",
    "array_remove(«=», «int4»)",
    "array_replace(«=», «int4», «int4»)",
    "ARRAY[«int4», 3]",
    "(«=»)[«1:2¦2:¦:1»]",
    "array_fill(«int4», ARRAY[«0¦2»])",
    "string_to_array('1,2,3', ',')::int4[]",
    "array_positions(«=», «int4»)",
    "trim_array(«=», «0¦1»)",
    "array_reverse(«=»)",
    "array_sort(«=»)",
];

const TEXTS: &[&str] = &[
    "(«=» || «text»)",
    "(«=» || «=»)",
    "ARRAY[«text», «text»]",
    "string_to_array(«text», «'a'¦''¦NULL»)",
    "regexp_split_to_array(«text», «'a'¦'\\s*'»)",
    "(«ints»)::text[]",
    "array_remove(«=», «text»)",
    "regexp_match(«text», «'(.)(.)'¦'a'»)",
    "(«=»)[«1:1¦2:»]",
];

const VARCHAR: &[&str] = &["(«text»)::varchar(5)", "(«int4»)::varchar(5)"];
const BPCHAR: &[&str] = &["(«text»)::char(4)", "(«varchar»)::char(4)"];
const MONEY2: &[&str] = &["(«int2»)::numeric(8,2)", "(«=» + 1)::numeric(8,2)", "(«numeric»)::numeric(8,2)"];
const BYTEA: &[&str] = &[
    "(«=» || «=»)",
    "convert_to(«text», 'UTF8')",
    "decode('«00ff¦0a¦»', 'hex')",
    "substr(«=», «1¦2», 1)",
    "sha256(«=»)",
    "set_byte('abc'::bytea, 1, «7¦255»)",
];
const UUID: &[&str] = &["md5(«text»)::uuid"];

/// Parts of templates that view texts show otherwise than they were written.
const UNSHOWN: &[&str] = &[
    "OVERLAPS",
    "format(",
    "concat",
    "jsonb_build",
    "ROW(",
    "FALSE",
    "make_interval",
    "COLLATE",
    "day to minute",
    "«ints»)::text[]",
    "«=»)[",
    "», «text») «",
    "«date») IS",
];

impl Ty {
    fn templates(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Int2 => (NUMBERS, INT2),
            Int4 => (INT4, INT4),
            Int8 => (NUMBERS, INT8),
            Numeric => (NUMBERS, NUMERIC),
            Float8 => (NUMBERS, FLOAT8),
            Text => (TEXT, TEXT),
            Bool => (BOOL, BOOL),
            Date => (DATE, DATE),
            Timestamp => (TIMESTAMP, TIMESTAMP),
            Interval => (INTERVAL, INTERVAL),
            Jsonb => (JSONB, JSONB),
            Ints => (INTS, INTS),
            Varchar => (VARCHAR, VARCHAR),
            Bpchar => (BPCHAR, BPCHAR),
            Money2 => (MONEY2, MONEY2),
            Timestamptz => (TIMESTAMPTZ, TIMESTAMPTZ),
            Time => (TIME, TIME),
            Texts => (TEXTS, TEXTS),
            Bytea => (BYTEA, BYTEA),
            Uuid => (UUID, UUID),
        }
    }
}

impl Generator {
    /// An expression of type `ty` over `columns`.
    pub(super) fn expr(&mut self, columns: &[Column], ty: Ty, depth: usize) -> String {
        if depth == 0 || self.one_in(4) {
            return self.leaf(columns, ty);
        }
        let depth = depth - 1;
        match self.below(20) {
            0 => {
                let condition = self.expr(columns, Bool, depth);
                let (a, b) = (self.expr(columns, ty, depth), self.expr(columns, ty, depth));
                match self.below(4) {
                    0 => format!("CASE WHEN {condition} THEN {a} END"),
                    1 => {
                        let (of, is) = (self.expr(columns, Int4, depth), self.expr(columns, Int4, 0));
                        format!("CASE {of} WHEN {is} THEN {a} WHEN 1 THEN {b} ELSE {} END", self.leaf(columns, ty))
                    }
                    _ => format!("CASE WHEN {condition} THEN {a} ELSE {b} END"),
                }
            }
            1 => {
                let (a, b) = (self.expr(columns, ty, depth), self.expr(columns, ty, depth));
                format!("coalesce({a}, {b})")
            }
            2 if ty != Jsonb => {
                let (a, b) = (self.expr(columns, ty, depth), self.expr(columns, ty, depth));
                format!("{}({a}, {b})", self.pick(&["greatest", "least", "nullif"]))
            }
            3 if !self.shown && !self.key && self.one_in(2) => self.subquery(columns, ty, depth),
            4 | 5 if ty == Bool => {
                let of = self.some_type();
                let (a, b) = (self.expr(columns, of, depth), self.expr(columns, of, depth));
                match self.below(4) {
                    0 => format!("({a} IS {}NULL)", self.pick(&["", "NOT "])),
                    1 => format!("({a} IS {}DISTINCT FROM {b})", self.pick(&["", "NOT "])),
                    _ => format!("({a} {} {b})", self.pick(&["=", "<>", "<", "<=", ">", ">="])),
                }
            }
            _ => {
                let (common, own) = ty.templates();
                let templates = if self.one_in(2) { common } else { own };
                let mut template = self.pick(templates);
                while self.shown && UNSHOWN.iter().any(|part| template.contains(part)) {
                    template = self.pick(templates);
                }
                self.expand(template, columns, ty, depth)
            }
        }
    }

    /// A column or a literal.
    fn leaf(&mut self, columns: &[Column], ty: Ty) -> String {
        let fitting: Vec<&Column> = columns.iter().filter(|(_, of)| *of == ty).collect();
        if fitting.is_empty() || self.one_in(5) {
            return self.literal(ty);
        }
        fitting[self.below(fitting.len())].0.clone()
    }

    /// A template with its blanks filled.
    pub(super) fn expand(&mut self, template: &str, columns: &[Column], own: Ty, depth: usize) -> String {
        let mut text = String::new();
        for (number, piece) in template.split(['«', '»']).enumerate() {
            if number % 2 == 0 {
                text += piece;
                continue;
            }
            let chosen: Vec<&str> = piece.split('¦').collect();
            text += &match chosen[..] {
                ["="] => self.expr(columns, own, depth),
                ["own"] => own.name().to_owned(),
                [one] => match Ty::tagged(one) {
                    Some(ty) => self.expr(columns, ty, depth),
                    None => panic!("no type is called {one}"),
                },
                _ => self.pick(&chosen).to_owned(),
            };
        }
        text
    }

    /// A subquery as an expression; it may speak of `columns`.
    fn subquery(&mut self, columns: &[Column], ty: Ty, depth: usize) -> String {
        self.aliases += 1;
        let alias = format!("s{}", self.aliases);
        let (table, own) = self.table(&alias);
        let both = [&own, columns].concat();
        let condition = self.expr(&both, Bool, depth.min(1));
        let tie = match columns.iter().find(|(name, ty)| *ty == Int4 && name.ends_with(".id")) {
            Some((outer, _)) if self.one_in(2) => format!("{alias}.id = {outer} AND "),
            _ => String::new(),
        };
        let from = format!("FROM {table} {alias} WHERE {tie}{condition}");
        match ty {
            Bool => match self.below(4) {
                0 => format!("{}EXISTS (SELECT 1 {from})", self.pick(&["", "NOT "])),
                1 => {
                    let of = self.pick(&[Int4, Text, Date]);
                    let (left, right) = (self.expr(columns, of, depth), self.leaf(&own, of));
                    format!("({left} {}IN (SELECT {right} {from}))", self.pick(&["", "NOT "]))
                }
                2 => {
                    let (left, right) = (self.expr(columns, Int4, depth), self.leaf(&own, Int4));
                    let (operator, all) = (self.pick(&["=", "<", ">="]), self.pick(&["ANY", "ALL"]));
                    format!("({left} {operator} {all} (SELECT {right} {from}))")
                }
                _ => format!("(SELECT bool_or({}) {from})", self.leaf(&own, Bool)),
            },
            Int8 => format!("(SELECT count({}) {from})", self.pick(&["*", "DISTINCT id", "id"])),
            Ints => format!("ARRAY(SELECT {alias}.id {from} ORDER BY 1)"),
            Texts => {
                let value = self.leaf(&own, Text);
                format!("(SELECT array_agg({value} ORDER BY {value}) {from})")
            }
            Jsonb => format!("(SELECT jsonb_agg({alias}.id ORDER BY {alias}.id) {from})"),
            Int4 | Text | Date | Timestamp => {
                let value = self.leaf(&own, ty);
                match self.below(3) {
                    0 => format!("(SELECT {value} {from} ORDER BY {alias}.id, 1 LIMIT 1)"),
                    _ => format!("(SELECT {}({value}) {from})", self.pick(&["min", "max"])),
                }
            }
            _ => self.leaf(columns, ty),
        }
    }
}
