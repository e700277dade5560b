//! Polymorphic functions: what `anyelement` and its kin stand for in a call (manual §36.2.5).

use catalog::{Image, builtin};
use types::{Oid, oid};

const ANYCOMPATIBLE: Oid = Oid(5077);
const ANYCOMPATIBLEARRAY: Oid = Oid(5078);
const ANYCOMPATIBLENONARRAY: Oid = Oid(5079);
const ANYNONARRAY: Oid = Oid(2776);
const ANYARRAY: Oid = Oid(2277);
const ANYENUM: Oid = Oid(3500);
const INTERNAL: Oid = Oid(2281);

/// Whether `ty` stands for an actual type.
pub(crate) fn is_polymorphic(ty: Oid) -> bool {
    matches!(
        ty,
        oid::ANYELEMENT | ANYARRAY | ANYNONARRAY | ANYENUM | ANYCOMPATIBLE | ANYCOMPATIBLEARRAY | ANYCOMPATIBLENONARRAY
    )
}

/// Whether `ty` stands for a type that several arguments have in common.
pub(crate) fn is_compatible(ty: Oid) -> bool {
    matches!(ty, ANYCOMPATIBLE | ANYCOMPATIBLEARRAY | ANYCOMPATIBLENONARRAY)
}

fn is_array(ty: Oid) -> bool {
    element_of(ty).is_some()
}

/// Element type of an array type.
pub(crate) fn element_of(ty: Oid) -> Option<Oid> {
    if ty.is_user_type() {
        return ty.user_element();
    }
    if ty == oid::RECORD_ARRAY {
        return Some(oid::RECORD);
    }
    builtin::type_by_oid(ty).filter(|t| t.category == b'A').map(|t| t.element).filter(|e| !e.is_none())
}

/// The array type of `ty`.
pub(crate) fn array_of(ty: Oid) -> Option<Oid> {
    if ty.is_user_type() {
        return ty.user_array();
    }
    builtin::type_by_oid(ty).map(|t| t.array).filter(|a| !a.is_none())
}

/// Whether an argument of type `actual` may stand for polymorphic `declared`.
pub(crate) fn accepts(image: &Image, declared: Oid, actual: Oid) -> bool {
    let actual = image.base_type(actual).0;
    match declared {
        oid::ANYELEMENT | ANYCOMPATIBLE => actual != INTERNAL,
        ANYARRAY | ANYCOMPATIBLEARRAY => actual == oid::UNKNOWN || is_array(actual),
        ANYNONARRAY | ANYCOMPATIBLENONARRAY => !is_array(actual),
        ANYENUM => builtin::type_by_oid(actual).is_some_and(|t| t.kind == b'e'),
        _ => false,
    }
}

/// The actual types of a call's parameters, and what `results` are then; `None` when the arguments do not agree.
pub(crate) fn settle(image: &Image, params: &[Oid], actual: &[Oid], results: &[Oid]) -> Option<(Vec<Oid>, Vec<Oid>)> {
    if !params.iter().copied().any(is_polymorphic) {
        return Some((params.to_vec(), results.to_vec()));
    }
    // The element type of each family: the plain one wants the very same type, the compatible one a common type.
    let mut plain: Option<Oid> = None;
    let mut compatible: Vec<Oid> = Vec::new();
    let element = |a: Oid| element_of(image.base_type(a).0);
    for (&p, &a) in params.iter().zip(actual) {
        if a == oid::UNKNOWN {
            continue;
        }
        match p {
            oid::ANYELEMENT | ANYNONARRAY | ANYENUM | ANYARRAY => {
                let element = if p == ANYARRAY { element(a)? } else { a };
                if plain.is_some_and(|known| known != element) {
                    return None;
                }
                plain = Some(element);
            }
            ANYCOMPATIBLE | ANYCOMPATIBLENONARRAY => compatible.push(a),
            ANYCOMPATIBLEARRAY => compatible.push(element(a)?),
            _ => {}
        }
    }
    let plain = plain.unwrap_or(oid::TEXT);
    let common = crate::resolve::common_type(image, &compatible)?;
    let concrete = |ty: Oid| match ty {
        oid::ANYELEMENT | ANYNONARRAY | ANYENUM => Some(plain),
        ANYARRAY => array_of(plain),
        ANYCOMPATIBLE | ANYCOMPATIBLENONARRAY => Some(common),
        ANYCOMPATIBLEARRAY => array_of(common),
        other => Some(other),
    };
    let params = params.iter().map(|&p| concrete(p)).collect::<Option<Vec<_>>>()?;
    Some((params, results.iter().map(|&r| concrete(r)).collect::<Option<Vec<_>>>()?))
}
