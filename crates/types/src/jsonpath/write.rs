//! The canonical text of paths.

use super::{Binary, Path, RegexFlags, Step, Steps};
use crate::json::put_string;

pub(super) fn path(path: &Path, out: &mut Vec<u8>) {
    if !path.lax {
        out.extend_from_slice(b"strict ");
    }
    steps(&path.steps, true, out);
}

/// How strongly the last of some steps binds: what binds no stronger than what it is in gets brackets.
fn priority(list: &Steps) -> u8 {
    match list.first() {
        Some(Step::Binary(operator, _)) => of(*operator),
        Some(Step::Sign(..)) => 5,
        _ => 6,
    }
}

fn of(operator: Binary) -> u8 {
    use Binary::*;
    match operator {
        Or => 0,
        And => 1,
        Equal | NotEqual | Less | Greater | LessOrEqual | GreaterOrEqual | StartsWith => 2,
        Add | Subtract => 3,
        Multiply | Divide | Remainder => 4,
    }
}

fn steps(list: &Steps, brackets: bool, out: &mut Vec<u8>) {
    for (i, s) in list.iter().enumerate() {
        step(s, i > 0, i > 0 || brackets, i + 1 < list.len(), out);
    }
}

fn put(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}

fn level(n: u32, out: &mut Vec<u8>) {
    if n == u32::MAX { put("last", out) } else { put(&n.to_string(), out) }
}

/// One step: `member` when it follows another, `more` when another follows it.
fn step(s: &Step, member: bool, brackets: bool, more: bool, out: &mut Vec<u8>) {
    match s {
        Step::Null => put("null", out),
        Step::Bool(b) => put(if *b { "true" } else { "false" }, out),
        Step::Number(n) => {
            if more {
                out.push(b'(');
            }
            n.format(out);
            if more {
                out.push(b')');
            }
        }
        Step::String(s) => put_string(s, out),
        Step::Variable(name) => {
            out.push(b'$');
            put_string(name, out);
        }
        Step::Root => out.push(b'$'),
        Step::Current => out.push(b'@'),
        Step::Last => put("last", out),
        Step::Binary(operator, both) => {
            if brackets {
                out.push(b'(');
            }
            steps(&both[0], priority(&both[0]) <= of(*operator), out);
            put(&format!(" {} ", operator.sign()), out);
            steps(&both[1], priority(&both[1]) <= of(*operator), out);
            if brackets {
                out.push(b')');
            }
        }
        Step::Sign(minus, operand) => {
            if brackets {
                out.push(b'(');
            }
            out.push(if *minus { b'-' } else { b'+' });
            steps(operand, priority(operand) <= 5, out);
            if brackets {
                out.push(b')');
            }
        }
        Step::Not(inner) => {
            put("!(", out);
            steps(inner, false, out);
            out.push(b')');
        }
        Step::IsUnknown(inner) => {
            out.push(b'(');
            steps(inner, false, out);
            put(") is unknown", out);
        }
        Step::Exists(inner) => {
            put("exists (", out);
            steps(inner, false, out);
            out.push(b')');
        }
        Step::LikeRegex { operand, pattern, flags, .. } => {
            if brackets {
                out.push(b'(');
            }
            steps(operand, priority(operand) <= 6, out);
            put(" like_regex ", out);
            put_string(pattern, out);
            if *flags != RegexFlags::default() {
                put(" flag \"", out);
                for (on, letter) in [
                    (flags.ignore_case, b'i'),
                    (flags.dot_all, b's'),
                    (flags.lines, b'm'),
                    (flags.expanded, b'x'),
                    (flags.quoted, b'q'),
                ] {
                    if on {
                        out.push(letter);
                    }
                }
                out.push(b'"');
            }
            if brackets {
                out.push(b')');
            }
        }
        Step::Key(key) => {
            if member {
                out.push(b'.');
            }
            put_string(key, out);
        }
        Step::AnyKey => put(".*", out),
        Step::AnyElement => put("[*]", out),
        Step::Index(list) => {
            out.push(b'[');
            for (i, (from, to)) in list.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                steps(from, false, out);
                if let Some(to) = to {
                    put(" to ", out);
                    steps(to, false, out);
                }
            }
            out.push(b']');
        }
        Step::Any(first, last) => {
            put(".**", out);
            if (*first, *last) != (0, u32::MAX) {
                out.push(b'{');
                level(*first, out);
                if first != last {
                    put(" to ", out);
                    level(*last, out);
                }
                out.push(b'}');
            }
        }
        Step::Filter(inner) => {
            put("?(", out);
            steps(inner, false, out);
            out.push(b')');
        }
        Step::Method(method, arguments) => {
            put(&format!(".{}(", method.name()), out);
            for (i, a) in arguments.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                step(a, false, false, false, out);
            }
            out.push(b')');
        }
    }
}
