//! The stencils compiled again give the table that is compiled into the crate, byte for byte.

#![allow(dead_code, reason = "the build script's modules are here whole")]

use std::path::Path;

#[path = "../build/stencils.rs"]
mod stencils;

const BUILT: [(&str, &str); 3] = [
    ("row", include_str!(concat!(env!("OUT_DIR"), "/row.rs"))),
    ("narrow", include_str!(concat!(env!("OUT_DIR"), "/narrow.rs"))),
    ("wide", include_str!(concat!(env!("OUT_DIR"), "/wide.rs"))),
];

#[test]
fn stencils_are_the_same_each_time() {
    let families = stencils::families(env!("JIT_TARGET"));
    for (name, built) in BUILT {
        let Some(family) = families.iter().find(|f| f.name == name) else {
            assert_eq!(built, stencils::NONE);
            continue;
        };
        let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("o");
        let again = stencils::table(family, env!("JIT_RUSTC"), env!("JIT_TARGET"), &object);
        for (a, b) in again.lines().zip(built.lines()) {
            assert_eq!(a, b);
        }
        assert_eq!(again.len(), built.len());
    }
}
