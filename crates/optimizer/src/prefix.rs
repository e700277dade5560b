//! What LIKE says of order: strings that begin alike stand together in an index.

use plan::{CallForm, Expr, ExprKind};
use types::{Datum, Oid, oid};

/// `text ~~ text` and `starts_with`.
const TEXT_LIKE: Oid = Oid(850);
const STARTS_WITH: Oid = Oid(3696);
/// Function and operator of `=`, `>=` and `<` of text.
const EQUAL: (Oid, Oid) = (Oid(67), Oid(98));
const NOT_LESS: (Oid, Oid) = (Oid(743), Oid(667));
const LESS: (Oid, Oid) = (Oid(740), Oid(664));

/// The characters that every string matching `pattern` begins with, and whether these are all it has; `None` where an escape ends the pattern.
fn fixed_part(pattern: &str) -> Option<(String, bool)> {
    let (mut fixed, mut rest) = (String::new(), pattern.chars());
    while let Some(c) = rest.next() {
        match c {
            '%' | '_' => return Some((fixed, false)),
            '\\' => fixed.push(rest.next()?),
            c => fixed.push(c),
        }
    }
    Some((fixed, true))
}

/// A short string above all that begin with `prefix`; `None` when there is none.
fn above(prefix: &str) -> Option<String> {
    let mut prefix = prefix.to_owned();
    while let Some(last) = prefix.pop() {
        let next = (last as u32 + 1..=char::MAX as u32).find_map(char::from_u32);
        if let Some(next) = next {
            prefix.push(next);
            return Some(prefix);
        }
    }
    None
}

/// What follows from `p`, a LIKE with a pattern whose beginning is fixed, about the order of its left side: nothing, an equality, or bounds.
/// Strings are in the order of their bytes here, whatever the database's language.
pub fn bounds(p: &Expr) -> Vec<Expr> {
    let ExprKind::Call { function, args, .. } = &p.kind else { return Vec::new() };
    let (TEXT_LIKE | STARTS_WITH, [value, Expr { kind: ExprKind::Const(pattern), .. }]) = (*function, &args[..]) else {
        return Vec::new();
    };
    let pattern = pattern.as_str();
    let found = match *function {
        TEXT_LIKE => pattern.and_then(fixed_part),
        _ => pattern.map(|p| (p.to_owned(), false)),
    };
    let Some((fixed, whole)) = found.filter(|f| f.1 || !f.0.is_empty()) else { return Vec::new() };
    let compared = |(function, operator): (Oid, Oid), text: &str| {
        let text = Expr::new(ExprKind::Const(Datum::text(text)), oid::TEXT, p.position);
        let kind = ExprKind::Call { function, args: vec![value.clone(), text], form: CallForm::Operator(operator) };
        Expr::new(kind, oid::BOOL, p.position)
    };
    if whole {
        return vec![compared(EQUAL, &fixed)];
    }
    let upper = above(&fixed).map(|text| compared(LESS, &text));
    [compared(NOT_LESS, &fixed)].into_iter().chain(upper).collect()
}

/// Whether `p` says no more of how many rows there are than `known`, of which it is the reason.
pub fn is_told_by(p: &Expr, known: &[Expr]) -> bool {
    let bounds = bounds(p);
    !bounds.is_empty() && bounds.iter().all(|b| known.contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_begin_with_what_is_fixed() {
        let cases = [
            ("abc%", Some(("abc", false))),
            ("a_c", Some(("a", false))),
            ("%a", Some(("", false))),
            ("abc", Some(("abc", true))),
            ("a\\%b%", Some(("a%b", false))),
            ("a\\", None),
            ("", Some(("", true))),
        ];
        for (pattern, wanted) in cases {
            assert_eq!(fixed_part(pattern), wanted.map(|(s, w)| (s.to_owned(), w)), "{pattern}");
        }
    }

    #[test]
    fn nothing_with_the_prefix_is_above() {
        for prefix in ["a", "az", "ä", "\u{d7ff}", "a\u{10ffff}", "\u{7f}"] {
            let above = above(prefix).unwrap();
            for end in ["", "a", "\u{10ffff}\u{10ffff}"] {
                assert!(format!("{prefix}{end}") < above, "{prefix}");
            }
        }
        assert_eq!(above("\u{10ffff}"), None);
    }
}
