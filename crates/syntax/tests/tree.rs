//! What the tree holds beyond being accepted: positions, names, spellings turned into functions and types.

use syntax::ast::*;

fn expr(sql: &str) -> Expr {
    syntax::parse_expr(sql).unwrap()
}

fn one(sql: &str) -> Statement {
    let mut list = syntax::parse(sql).unwrap();
    assert_eq!(list.len(), 1);
    list.remove(0)
}

fn call(sql: &str) -> (String, usize, bool) {
    match expr(sql).kind {
        ExprKind::FuncCall(f) => {
            let name = f.name.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
            (name, f.args.len(), f.sql_syntax)
        }
        other => panic!("{other:?}"),
    }
}

fn ty(sql: &str) -> String {
    let t = syntax::parse_type_name(sql).unwrap();
    let mods: Vec<String> = t
        .typmods
        .iter()
        .map(|m| match &m.kind {
            ExprKind::Literal(Literal::Integer(i)) => i.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    let name = t.names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
    format!("{}{name}({}){:?}", if t.setof { "setof " } else { "" }, mods.join(","), t.array_bounds)
}

#[test]
fn positions() {
    let e = expr("  é + b * c");
    assert_eq!(e.pos, Pos(5));
    assert_eq!(e.location(), Pos(2));
    assert_eq!(e.pos.char_position("  é + b * c"), Some(5));
    assert_eq!(Pos::NONE.char_position("x"), None);
    let sql = "select 1 ; -- x\n select 2 /* y */";
    let list = syntax::parse(sql).unwrap();
    assert_eq!(list.iter().map(|s| s.span.text(sql)).collect::<Vec<_>>(), ["select 1", "select 2"]);
    // A typed constant starts where its type does.
    assert_eq!(expr("date 'x'").location(), Pos(0));
    assert_eq!(expr("a::int").pos, Pos(1));
}

#[test]
fn special_calls() {
    assert_eq!(call("extract(year from a)"), ("pg_catalog.extract".into(), 2, true));
    assert_eq!(call("position(a in b)"), ("pg_catalog.position".into(), 2, true));
    assert_eq!(call("substring(a from 1 for 2)"), ("pg_catalog.substring".into(), 3, true));
    assert_eq!(call("substring(a for 2)"), ("pg_catalog.substring".into(), 3, true));
    assert_eq!(call("substring(a, 1)"), ("substring".into(), 2, false));
    assert_eq!(call("overlay(a placing b from 1)"), ("pg_catalog.overlay".into(), 3, true));
    assert_eq!(call("trim(leading a from b)"), ("pg_catalog.ltrim".into(), 2, true));
    assert_eq!(call("trim(a)"), ("pg_catalog.btrim".into(), 1, true));
    assert_eq!(call("a at time zone b"), ("pg_catalog.timezone".into(), 2, true));
    assert_eq!(call("(a, b) overlaps (c, d)"), ("pg_catalog.overlaps".into(), 4, true));
    assert_eq!(call("s.f(x)"), ("s.f".into(), 1, false));
}

#[test]
fn constants() {
    let lit = |sql: &str| match expr(sql).kind {
        ExprKind::Literal(l) => l,
        other => panic!("{other:?}"),
    };
    assert_eq!(lit("-2147483647"), Literal::Integer(-2147483647));
    assert_eq!(lit("-2147483648"), Literal::Number("-2147483648".into()));
    assert_eq!(lit("0x1F"), Literal::Integer(31));
    assert_eq!(lit("1_000"), Literal::Integer(1000));
    assert_eq!(lit("1.50"), Literal::Number("1.50".into()));
    assert_eq!(lit("'a''b'\n'c'"), Literal::String("a'bc".into()));
    assert_eq!(lit("E'\\x41\\n\\u00e9'"), Literal::String("A\né".into()));
    assert_eq!(lit("U&'d!0061t' uescape '!'"), Literal::String("dat".into()));
    assert_eq!(lit("$x$a'$x$"), Literal::String("a'".into()));
    assert_eq!(lit("X'1f'"), Literal::BitString("x1f".into()));
}

#[test]
fn identifiers() {
    let column = |sql: &str| match expr(sql).kind {
        ExprKind::Column(parts) => parts.iter().map(|n| n.to_string()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(column("FoO.\"Ba\"\"r\""), ["foo", "Ba\"r"]);
    assert_eq!(column("É"), ["É"]);
    assert_eq!(column("U&\"d\\0061t\""), ["dat"]);
    let long = "a".repeat(62) + "éé";
    let mut notices = Vec::new();
    syntax::parse_with_notices(&format!("select {long}"), &mut notices).unwrap();
    assert_eq!(notices.len(), 1);
    let short = &long[..62];
    assert_eq!(notices[0].message(), format!("identifier \"{long}\" will be truncated to \"{short}\""));
    assert_eq!(column(&long), [short]);
}

#[test]
fn type_names() {
    assert_eq!(ty("int"), "pg_catalog.int4()[]");
    assert_eq!(ty("character varying(10)"), "pg_catalog.varchar(10)[]");
    assert_eq!(ty("char"), "pg_catalog.bpchar(1)[]");
    assert_eq!(ty("national char(3)"), "pg_catalog.bpchar(3)[]");
    assert_eq!(ty("bit varying"), "pg_catalog.varbit()[]");
    assert_eq!(ty("bit"), "pg_catalog.bit(1)[]");
    assert_eq!(ty("timestamp(3) with time zone"), "pg_catalog.timestamptz(3)[]");
    assert_eq!(ty("float(20)"), "pg_catalog.float4()[]");
    assert_eq!(ty("double precision[]"), "pg_catalog.float8()[None]");
    assert_eq!(ty("setof s.t[3][]"), "setof s.t()[Some(3), None]");
    assert_eq!(ty("numeric(10,2)"), "pg_catalog.numeric(10,2)[]");
    // PostgreSQL: select atttypmod >> 16 of an "interval day to second(2)" column is 0x1C08.
    assert_eq!(ty("interval day to second(2)"), format!("pg_catalog.interval({},2)[]", 0x1C08));
    assert_eq!(ty("interval(3)"), format!("pg_catalog.interval({},3)[]", 0x7FFF));
    assert_eq!(ty("text"), "text()[]");
}

#[test]
fn set_operations_nest() {
    let StatementKind::Select(q) = one("select 1 union select 2 intersect select 3 order by 1 limit 2").kind else {
        panic!()
    };
    assert_eq!(q.order_by.len(), 1);
    assert!(q.limit.is_some());
    let SelectBody::SetOperation(op) = q.body else { panic!() };
    assert_eq!(op.op, SetOperator::Union);
    let SelectBody::SetOperation(right) = op.right.body else { panic!() };
    assert_eq!(right.op, SetOperator::Intersect);
}

#[test]
fn joins_nest() {
    let StatementKind::Select(q) = one("select * from a join b join c on x on y left join d using (e) as z").kind
    else {
        panic!()
    };
    let SelectBody::Query(core) = q.body else { panic!() };
    let TableRef::Join(outer) = &core.from[0] else { panic!() };
    assert_eq!(outer.kind, JoinKind::Left);
    assert!(matches!(&outer.condition, JoinCondition::Using(c, Some(a)) if c.len() == 1 && a.as_str() == "z"));
    let TableRef::Join(left) = &outer.left else { panic!() };
    assert!(matches!(left.left, TableRef::Relation(_)));
    assert!(matches!(left.right, TableRef::Join(_)));
}
