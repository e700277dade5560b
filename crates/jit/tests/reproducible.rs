//! The stencils compiled again give the table that is compiled into the crate, byte for byte.

#![allow(dead_code, reason = "the build script's modules are here whole")]

use std::path::Path;

#[path = "../build/stencils.rs"]
mod stencils;

const BUILT: &str = include_str!(concat!(env!("OUT_DIR"), "/stencils.rs"));

#[test]
fn stencils_are_the_same_each_time() {
    if BUILT.starts_with("Built { stencils: &[],") {
        println!("there are no stencils for {}", env!("JIT_TARGET"));
        return;
    }
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join("row.o");
    let again = stencils::table(&stencils::compile(env!("JIT_RUSTC"), env!("JIT_TARGET"), &object));
    for (a, b) in again.lines().zip(BUILT.lines()) {
        assert_eq!(a, b);
    }
    assert_eq!(again.len(), BUILT.len());
}
