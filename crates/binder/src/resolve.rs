//! Choosing among overloaded functions and operators: manual §10.2 and §10.3.

use catalog::{Image, builtin};
use types::{Oid, oid};

use crate::coerce::{Context, can_coerce};

/// The outcome of a choice.
#[derive(Debug, PartialEq)]
pub(crate) enum Choice {
    /// This candidate.
    One(usize),
    /// None fits.
    None,
    /// Several fit equally well.
    Ambiguous,
}

fn category(ty: Oid) -> u8 {
    builtin::type_by_oid(ty).map_or(b'X', |t| t.category)
}

fn is_preferred(ty: Oid) -> bool {
    builtin::type_by_oid(ty).is_some_and(|t| t.preferred)
}

/// Picks the candidate (each given by its argument types) for arguments of types `actual`.
pub(crate) fn choose(image: &Image, candidates: &[&[Oid]], actual: &[Oid]) -> Choice {
    let fits: Vec<usize> = (0..candidates.len()).filter(|&i| candidates[i].len() == actual.len()).collect();
    if let Some(&exact) = fits.iter().find(|&&i| candidates[i] == actual) {
        return Choice::One(exact);
    }
    // An operator with one untyped operand is first tried with both of the same type.
    if let [a, b] = actual
        && (*a == oid::UNKNOWN) != (*b == oid::UNKNOWN)
    {
        let known = if *a == oid::UNKNOWN { *b } else { *a };
        if let Some(&exact) = fits.iter().find(|&&i| candidates[i] == [known, known]) {
            return Choice::One(exact);
        }
    }
    // From here on a domain is what it is over.
    let based: Vec<Oid> = actual.iter().map(|&t| image.base_type(t).0).collect();
    let actual = &based[..];
    if let [a, b] = actual
        && (*a == oid::UNKNOWN) != (*b == oid::UNKNOWN)
    {
        let known = if *a == oid::UNKNOWN { *b } else { *a };
        if let Some(&exact) = fits.iter().find(|&&i| candidates[i] == [known, known]) {
            return Choice::One(exact);
        }
    }
    let convertible = |i: &usize| {
        candidates[*i].iter().zip(actual).all(|(&target, &source)| can_coerce(image, source, target, Context::Implicit))
            && crate::polymorphic::settle(image, candidates[*i], actual, &[]).is_some()
    };
    let mut left: Vec<usize> = fits.into_iter().filter(convertible).collect();
    if left.len() <= 1 {
        return left.first().map_or(Choice::None, |&i| Choice::One(i));
    }
    keep_best(&mut left, |i| candidates[i].iter().zip(actual).filter(|(t, s)| t == s && **s != oid::UNKNOWN).count());
    keep_best(&mut left, |i| {
        candidates[i].iter().zip(actual).filter(|(t, s)| t == s || is_preferred(**t) && **s != oid::UNKNOWN).count()
    });
    if left.len() == 1 {
        return Choice::One(left[0]);
    }
    // Of what untyped arguments could be, all must be told by category, or none is.
    let untyped = (0..actual.len()).filter(|&position| actual[position] == oid::UNKNOWN);
    let wanted: Option<Vec<(usize, u8, bool)>> = untyped
        .map(|position| {
            let of = |&i: &usize| category(candidates[i][position]);
            let first = left.first().map(of)?;
            let chosen = if left.iter().any(|i| of(i) == b'S') { b'S' } else { first };
            if chosen != b'S' && left.iter().any(|i| of(i) != chosen) {
                return None;
            }
            let preferred = left.iter().any(|i| of(i) == chosen && is_preferred(candidates[*i][position]));
            Some((position, chosen, preferred))
        })
        .collect();
    let told = |i: &usize| {
        wanted.iter().flatten().all(|&(position, chosen, preferred)| {
            let ty = candidates[*i][position];
            category(ty) == chosen && (!preferred || is_preferred(ty))
        })
    };
    if left.iter().any(told) {
        left.retain(told);
    }
    if left.len() == 1 {
        return Choice::One(left[0]);
    }
    let known: Vec<Oid> = actual.iter().copied().filter(|&t| t != oid::UNKNOWN).collect();
    if let Some(&first) = known.first()
        && known.iter().all(|&t| t == first)
        && known.len() < actual.len()
    {
        let same: Vec<usize> = left
            .iter()
            .copied()
            .filter(|&i| {
                candidates[i].iter().all(|&t| can_coerce(image, first, t, Context::Implicit))
                    && crate::polymorphic::settle(image, candidates[i], &vec![first; actual.len()], &[]).is_some()
            })
            .collect();
        if let [one] = same[..] {
            return Choice::One(one);
        }
    }
    match left[..] {
        [] => Choice::None,
        [one] => Choice::One(one),
        _ => Choice::Ambiguous,
    }
}

fn keep_best(left: &mut Vec<usize>, score: impl Fn(usize) -> usize) {
    let best = left.iter().map(|&i| score(i)).max().unwrap_or(0);
    if best > 0 {
        left.retain(|&i| score(i) == best);
    }
}

/// The type that all of `types` become in UNION, CASE, COALESCE, VALUES (manual §10.5); `None` when there is none.
pub(crate) fn common_type(image: &Image, types: &[Oid]) -> Option<Oid> {
    let given = types.iter().copied().filter(|&t| t != oid::UNKNOWN);
    if let Some(first) = given.clone().next()
        && types.iter().all(|&t| t == first)
    {
        return Some(first);
    }
    let mut known = given.map(|t| image.base_type(t).0);
    let Some(mut common) = known.next() else { return Some(oid::TEXT) };
    for ty in known {
        if ty == common {
            continue;
        }
        if category(ty) != category(common) {
            return None;
        }
        if !is_preferred(common)
            && can_coerce(image, common, ty, Context::Implicit)
            && !can_coerce(image, ty, common, Context::Implicit)
        {
            common = ty;
        }
    }
    Some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Choices that PostgreSQL 18 makes (`select pg_typeof(...)`).
    #[test]
    fn operators_resolve_as_postgresql_does() {
        let pick = |name: &str, actual: &[Oid]| {
            let rows: Vec<_> = builtin::operators_by_name(name).filter(|o| o.kind == b'b').collect();
            let args: Vec<[Oid; 2]> = rows.iter().map(|o| [o.left, o.right]).collect();
            let slices: Vec<&[Oid]> = args.iter().map(|a| &a[..]).collect();
            match choose(&Image::default(), &slices, actual) {
                Choice::One(i) => Some(rows[i].result),
                _ => None,
            }
        };
        assert_eq!(pick("+", &[oid::INT4, oid::UNKNOWN]), Some(oid::INT4));
        assert_eq!(pick("+", &[oid::INT2, oid::INT8]), Some(oid::INT8));
        assert_eq!(pick("+", &[oid::INT4, oid::NUMERIC]), Some(oid::NUMERIC));
        assert_eq!(pick("/", &[oid::NUMERIC, oid::FLOAT8]), Some(oid::FLOAT8));
        assert_eq!(pick("||", &[oid::UNKNOWN, oid::UNKNOWN]), Some(oid::TEXT));
        assert_eq!(pick("=", &[oid::VARCHAR, oid::UNKNOWN]), Some(oid::BOOL));
        assert_eq!(pick("+", &[oid::BOOL, oid::INT4]), None);
    }
}
