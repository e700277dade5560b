//! Operators group as in PostgreSQL: what its view deparser said about testdata/shapes.txt, our tree says too.

use std::fs;
use std::path::Path;
use syntax::ast::{Expr, ExprKind, IsTest, TypeName};

fn type_name(ty: &TypeName) -> &str {
    match ty.names.last().map(|n| n.as_str()) {
        Some("int8") => "bigint",
        Some(other) => other,
        None => "",
    }
}

fn joined(list: &[Expr], word: &str) -> String {
    format!("({})", list.iter().map(show).collect::<Vec<_>>().join(word))
}

fn negated(not: bool, text: String) -> String {
    if not { format!("(NOT {text})") } else { text }
}

/// The expression with every parenthesis, in the deparser's manner.
fn show(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Column(parts) => parts.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("."),
        ExprKind::Unary(u) => format!("({} {})", u.op.name, show(&u.arg)),
        ExprKind::Binary(b) => format!("({} {} {})", show(&b.left), b.op.name, show(&b.right)),
        ExprKind::And(list) => joined(list, " AND "),
        ExprKind::Or(list) => joined(list, " OR "),
        ExprKind::Not(arg) => format!("(NOT {})", show(arg)),
        ExprKind::Cast(c) => format!("({})::{}", show(&c.arg), type_name(&c.ty)),
        ExprKind::Collate(c) => format!("({} COLLATE \"{}\")", show(&c.arg), c.collation[0].as_str()),
        ExprKind::Like(l) => format!("({} {} {})", show(&l.arg), l.operator(), show(&l.pattern)),
        ExprKind::Is(i) => {
            let test = match i.test {
                IsTest::Null => "NULL",
                IsTest::True => "TRUE",
                IsTest::False => "FALSE",
                IsTest::Unknown => "UNKNOWN",
                IsTest::Document => "DOCUMENT",
            };
            format!("({} IS {}{test})", show(&i.arg), if i.not { "NOT " } else { "" })
        }
        ExprKind::IsDistinctFrom(d) => {
            negated(d.not, format!("({} IS DISTINCT FROM {})", show(&d.left), show(&d.right)))
        }
        ExprKind::Between(b) => {
            let arg = show(&b.arg);
            format!("(({arg} >= {}) AND ({arg} <= {}))", show(&b.low), show(&b.high))
        }
        ExprKind::InList(i) => {
            let arg = show(&i.arg);
            format!("({})", i.list.iter().map(|x| format!("({arg} = {})", show(x))).collect::<Vec<_>>().join(" OR "))
        }
        other => panic!("no such shape: {other:?}"),
    }
}

#[test]
fn as_deparsed() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let cases = fs::read_to_string(dir.join("shapes.txt")).unwrap();
    let expected = fs::read_to_string(dir.join("shapes.out")).unwrap();
    assert_eq!(cases.lines().count(), expected.lines().count());
    for (case, expected) in cases.lines().zip(expected.lines()) {
        assert_eq!(show(&syntax::parse_expr(case).unwrap()), expected, "{case}");
    }
}
